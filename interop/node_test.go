package interop

// This file runs the Node peers of ./peers and reads the lines of JSON they print.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// peer is a running Node script that prints a ready line and ends when its stdin closes.
type peer struct {
	t     *testing.T
	name  string
	stdin io.WriteCloser
	lines chan string // its lines of JSON

	mutex sync.Mutex
	log   bytes.Buffer // everything else it prints
}

// startPeer runs peers/<script> with options as its JSON argument, and decodes its ready line into ready.
func startPeer(t *testing.T, script string, options, ready any) *peer {
	t.Helper()
	command := nodeCommand(context.Background(), t, script, options)
	p := &peer{t: t, name: script, lines: make(chan string, 16)}
	command.Stderr = writerFunc(p.note)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(stdout)
	}()
	t.Cleanup(func() { p.finish(command, read) })
	p.answer(ready)
	return p
}

// ask sends a command line to the peer and decodes the line of JSON that answers it.
func (p *peer) ask(command string, into any) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.stdin, command); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	p.answer(into)
}

func (p *peer) answer(into any) {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("%s ended; it printed:\n%s", p.name, p.text())
		}
		if err := json.Unmarshal([]byte(line), into); err != nil {
			p.t.Fatalf("%s printed %q: %v", p.name, line, err)
		}
	case <-time.After(60 * time.Second):
		p.t.Fatalf("%s printed no answer in time; it printed:\n%s", p.name, p.text())
	}
}

func (p *peer) read(stdout io.Reader) {
	defer close(p.lines)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if text := lines.Text(); strings.HasPrefix(text, "{") {
			p.lines <- text
		} else {
			p.note(append(lines.Bytes(), '\n'))
		}
	}
}

func (p *peer) note(text []byte) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.log.Write(text)
}

func (p *peer) text() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.log.String()
}

func (p *peer) finish(command *exec.Cmd, read <-chan struct{}) {
	p.stdin.Close()
	timer := time.AfterFunc(10*time.Second, func() { command.Process.Kill() })
	defer timer.Stop()
	<-read
	command.Wait() // the status of a peer that was told to end says nothing
	if p.t.Failed() {
		text := p.text()
		p.t.Logf("the end of what %s printed:\n%s", p.name, text[max(0, len(text)-3000):])
	}
}

// run runs a script that prints one line of JSON and ends.
func run(t *testing.T, script string, options, result any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	command := nodeCommand(ctx, t, script, options)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, stderr.Bytes())
	}
	if err := json.Unmarshal(out, result); err != nil {
		t.Fatalf("%s printed %q: %v", script, out, err)
	}
}

func nodeCommand(ctx context.Context, t *testing.T, script string, options any) *exec.Cmd {
	t.Helper()
	argument, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(ctx, "node", "-r", "./peers/closed.js", "peers/"+script, string(argument))
}

// connector is a running npm ilp-connector, as peers/connector.js describes it.
type connector struct {
	*peer
	Payers   string // BTP URL for payers
	Gateways string // BTP URL for a gateway
	HTTP     string // URL of the ILP-over-HTTP account; empty without one
}

// connectorOptions are those of peers/connector.js; what is left out has that script's default.
type connectorOptions struct {
	MaxPacketAmount string       `json:"maxPacketAmount,omitempty"`
	Spread          float64      `json:"spread,omitempty"`
	PayerScale      int          `json:"payerScale,omitempty"`
	Deduplicate     *bool        `json:"deduplicate,omitempty"`
	HTTP            *httpOptions `json:"http,omitempty"`
}

// httpOptions describe one end of an ILP-over-HTTP link of ilp-plugin-http.
type httpOptions struct {
	Port     int    `json:"port,omitempty"` // 0: any
	URL      string `json:"url"`            // where it posts to
	Incoming string `json:"in"`
	Outgoing string `json:"out"`
	Old      bool   `json:"old,omitempty"`   // the plugin's first options, with which it sends tokens without "Bearer "
	HTTP2    bool   `json:"http2,omitempty"` // it posts by HTTP/2
}

func startConnector(t *testing.T, options connectorOptions) *connector {
	t.Helper()
	var c connector
	c.peer = startPeer(t, "connector.js", options, &c)
	return &c
}

// delivered says how much money the gateway has fulfilled so far, in its base units, and in how many packets.
func (c *connector) delivered() (sum uint64, packets int) {
	c.t.Helper()
	var answer struct {
		Packets int
		Amount  uint64 `json:",string"`
	}
	c.ask("delivered", &answer)
	return answer.Amount, answer.Packets
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}
