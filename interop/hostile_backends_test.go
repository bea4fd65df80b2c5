package interop

// This file starts the four backends that hostile requests try to reach: Go's mux, Node, Python and nginx. Each forgives what it
// can, claims in every answer to be the gateway, and notes each request in a file of its own.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sighting is one request as a backend saw it.
type sighting struct {
	Variant  string            `json:"variant"` // X-Variant: which request of the test it is
	Method   string            `json:"method"`
	Target   string            `json:"target"`   // as it stood in the request line
	Resource string            `json:"resource"` // what the backend serves for it; see pricedAt
	Body     int               `json:"body"`     // its length
	Headers  map[string]string `json:"headers"`  // Pay*, Paydoor*, upgrades and method overrides; names in lower case with hyphens
	Trailers map[string]string `json:"trailers"`
}

// hostileBackend is a running backend and how much of its notes has been read.
type hostileBackend struct {
	name    string
	address string
	notes   string // a file of one sighting per line
	read    int64
	barrier int
}

// startHostileBackends starts all four; they end with the test.
func startHostileBackends(t *testing.T) []*hostileBackend {
	t.Helper()
	if testing.Short() || !required() {
		t.Skip("runs the binary against Node, Python and nginx; set PAYDOOR_INTEROP=1 (and not -short) to run it")
	}
	dir, err := os.MkdirTemp(work, "hostile-")
	if err != nil {
		t.Fatal(err)
	}
	backends := []*hostileBackend{startMux(t, dir)}
	for _, script := range [][]string{{"node", "peers/hostile-backend.js"}, {"python3", "peers/hostile_backend.py"}} {
		b := newHostileBackend(t, dir, script[0])
		options := fmt.Sprintf(`{"port":%s,"log":%q}`, portOf(b.address), b.notes)
		b.run(t, exec.Command(lookPath(t, script[0]), append(script[1:], options)...))
		backends = append(backends, b)
	}
	return append(backends, startNginx(t, dir))
}

func newHostileBackend(t *testing.T, dir, name string) *hostileBackend {
	t.Helper()
	b := &hostileBackend{name: name, address: fmt.Sprintf("127.0.0.1:%d", freePort(t)), notes: filepath.Join(dir, name+".notes")}
	if err := os.WriteFile(b.notes, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// run starts a backend that ends when its stdin closes or it gets SIGTERM, and waits until it answers.
func (b *hostileBackend) run(t *testing.T, command *exec.Cmd) {
	t.Helper()
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		command.Process.Signal(syscall.SIGTERM) // fails only when it has ended already
		timer := time.AfterFunc(10*time.Second, func() { command.Process.Kill() })
		defer timer.Stop()
		command.Wait() // the status of a backend that was told to end says nothing
		if t.Failed() {
			t.Logf("what %s printed:\n%.3000s", b.name, said.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", b.address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v", b.name, err)
		}
	}
}

// seen returns what has arrived since the last call. A request made straight to the backend, which is noted after all that came
// through the gateway, shows that the notes are complete.
func (b *hostileBackend) seen(t *testing.T) []sighting {
	t.Helper()
	b.barrier++
	last := fmt.Sprint("barrier-", b.barrier)
	request, err := http.NewRequest(http.MethodGet, "http://"+b.address+"/barrier", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Variant", last)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", b.name, err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if found, complete := b.readUntil(t, last); complete {
			return found
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not note a request that it answered", b.name)
		}
	}
}

func (b *hostileBackend) readUntil(t *testing.T, last string) (found []sighting, complete bool) {
	t.Helper()
	file, err := os.Open(b.notes)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, b.read, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.LastIndexByte(text, '\n') + 1
	for line := range bytes.Lines(text[:end]) {
		var s sighting
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatalf("%s noted %q: %v", b.name, line, err)
		}
		switch {
		case s.Variant == last:
			b.read += int64(end)
			return found, true
		case !strings.HasPrefix(s.Variant, "barrier-"):
			found = append(found, s)
		}
	}
	return nil, false
}

// startMux serves Go's own mux in this process, with handlers that do not look at the method.
func startMux(t *testing.T, dir string) *hostileBackend {
	t.Helper()
	b := newHostileBackend(t, dir, "go")
	notes, err := os.OpenFile(b.notes, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, resource := range map[string]string{
		"/health": "health", "/open/": "open", "/paid/": "paid", "/paid/secret": "secret", "/book": "book", "/": "other",
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { muxAnswer(w, r, notes, resource) })
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		<-served
		notes.Close()
	})
	return b
}

func muxAnswer(w http.ResponseWriter, r *http.Request, notes io.Writer, resource string) {
	body, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // like the other backends, which wait for whole requests
	}
	line, _ := json.Marshal(sighting{r.Header.Get("X-Variant"), r.Method, r.RequestURI, resource, int(body),
		interesting(r.Header), interesting(r.Trailer)})
	notes.Write(append(line, '\n'))
	h := w.Header()
	for _, name := range []string{"Pay", "Pay-Balance", "Pay-Token", "PAY-X", "Pay_Balance", "Paydoor-Account"} {
		h[name] = []string{"forged"}
	}
	if strings.HasSuffix(r.RequestURI, "?hints") {
		w.WriteHeader(http.StatusEarlyHints)
	}
	h.Set("X-Echo", r.Header.Get("X-Variant"))
	h.Set("Cache-Control", "public")
	h.Set("Trailer", "Pay-Balance, X-Sum")
	switch {
	case strings.HasSuffix(r.RequestURI, "?402"):
		w.WriteHeader(http.StatusPaymentRequired)
	case resource == "other":
		w.WriteHeader(http.StatusNotFound)
	}
	io.WriteString(w, content(resource))
	h.Set("Pay-Balance", "forged")
	h.Set("X-Sum", "1")
	h.Set(http.TrailerPrefix+"Pay", "forged")
}

// content is what the backends answer: nobody shall read pricedContent without paying.
func content(resource string) string {
	if _, priced := hostilePrices[resource]; priced {
		return pricedContent
	}
	return resource
}

const pricedContent = "PRICED CONTENT"

// interesting picks what a backend notes of the headers of a request.
func interesting(h http.Header) map[string]string {
	picked := map[string]string{}
	for name, values := range h {
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
		if name == "pay" || strings.HasPrefix(name, "pay-") || strings.HasPrefix(name, "paydoor") || name == "upgrade" ||
			name == "http2-settings" || strings.HasPrefix(name, "x-") && strings.Contains(name, "method") {
			picked[name] = strings.Join(values, ", ")
		}
	}
	return picked
}

func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// lookPath finds a program; Debian keeps nginx where only root's PATH leads.
func lookPath(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatalf("PAYDOOR_INTEROP=1, but %s is missing; .ci/run install installs it", name)
	return ""
}
