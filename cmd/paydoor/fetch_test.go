package main

// This file pays a real gateway with paydoor fetch: as two processes at once, interrupted, and killed.

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// market is a gateway that asks 10, and the node before it.
type market struct {
	*process
	site, node string
}

func newMarket(t *testing.T) *market {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs a server")
	}
	m := &market{site: freeAddress(t), node: freeAddress(t)}
	m.process = newProcess(t, "PAYDOOR_NODE=http://"+m.node)
	m.write("Caddyfile", fmt.Sprintf(`{
	admin off
	persist_config off
	auto_https off
	grace_period 1s
	ilp {
		data_dir data
		sandbox
	}
}
http://%s {
	bind 127.0.0.1
	paywall {
		price 10
	}
	respond "worth 10"
}
http://%s {
	bind 127.0.0.1
	ilp_node
}
`, m.site, m.node))
	m.start("http://"+m.site, "run", "--config", "Caddyfile")
	return m
}

// ends runs a command and returns what it printed, and its exit status.
func (m *market) ends(arguments ...string) (stdout, stderr string, status int) {
	m.t.Helper()
	var out, said bytes.Buffer
	command := m.prepare(arguments...)
	command.Stdout, command.Stderr = &out, &said
	if err := command.Run(); err != nil && command.ProcessState == nil {
		m.t.Fatal(err)
	}
	return out.String(), said.String(), command.ProcessState.ExitCode()
}

func TestFetchPays(t *testing.T) {
	m := newMarket(t)
	url := "http://" + m.site + "/x"
	steps := []struct {
		args         string
		status       int
		stdout, said string
	}{
		{"fetch URL", 4, "", "say with --max"},
		{"fetch --max 9 URL", 4, "", "the cap per request of 9"},
		{"fetch -s --max 9 URL", 4, "", ""},
		{"fetch --max 10 URL", 0, "worth 10", "paid 10 to 127.0.0.1, where 0 are left"},
		{"fetch --method psk2 URL URL", 0, "worth 10worth 10", "paid 10"},
		{"wallet export --format csv", 0, ",paid,", ""},
		{"fetch --nonsense", 1, "", "unknown flag: --nonsense"},
	}
	for _, step := range steps {
		stdout, said, status := m.ends(strings.Fields(strings.ReplaceAll(step.args, "URL", url))...)
		if status != step.status || !strings.Contains(stdout, step.stdout) || !strings.Contains(said, step.said) || step.said == "" && said != "" {
			t.Errorf("%s: status %d, %q, %q", step.args, status, stdout, said)
		}
	}
	if spent, _, _ := m.ends("wallet", "spending"); strings.Count(spent, "  10 ") != 3 {
		t.Errorf("the wallet has\n%s", spent)
	}
}

// TestFetchesShareCaps runs processes at once, which may spend 45 together: four of eight are paid.
func TestFetchesShareCaps(t *testing.T) {
	m := newMarket(t)
	m.write("config.json", `{"max_per_request": 10, "max_per_day": 45}`)
	commands := make([]*exec.Cmd, 8)
	for i := range commands {
		commands[i] = m.prepare("fetch", "-s", "--wallet", m.dir, "http://"+m.site+"/")
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	ended := map[int]int{}
	for _, command := range commands {
		_ = command.Wait() // its status is looked at
		ended[command.ProcessState.ExitCode()]++
	}
	spent, _, _ := m.ends("wallet", "spending", "--wallet", m.dir)
	if n := strings.Count(spent, "  10  "); n != 4 || strings.Count(spent, "paid") != 4 || ended[0] != 4 || ended[0]+ended[4]+ended[5] != 8 {
		t.Errorf("they ended with %v, and the wallet has\n%s", ended, spent)
	}
}

// holdUp is a node whose answer to the payment, a packet of 10, comes to nobody: the money arrives. asked is closed when it did.
func (m *market) holdUp() (node *httptest.Server, asked chan struct{}) {
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: m.node})
	direct := behind.Director
	behind.Director = func(r *http.Request) {
		direct(r)
		r.Host = m.node
		r.Header["X-Forwarded-For"] = nil // which the sandbox refuses
	}
	asked = make(chan struct{})
	var held atomic.Bool
	node = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if packet, err := ilpcore.DecodePrepare(body); err != nil || packet.Amount != 10 || held.Swap(true) {
			behind.ServeHTTP(w, r)
			return
		}
		behind.ServeHTTP(httptest.NewRecorder(), r)
		close(asked)
		<-r.Context().Done()
	}))
	m.t.Cleanup(node.Close)
	return node, asked
}

// TestFetchIsEnded interrupts a payment, and kills one: it is in the wallet, and what arrived is used, not paid again.
func TestFetchIsEnded(t *testing.T) {
	for _, test := range []struct {
		name   string
		signal syscall.Signal
		status int // of the process; -1: it was killed
		state  string
	}{
		{"interrupted", syscall.SIGINT, 6, "paid"},
		{"killed", syscall.SIGKILL, -1, "open"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMarket(t)
			node, asked := m.holdUp()
			command := m.prepare("fetch", "--max", "10", "--method", "psk2", "http://"+m.site+"/")
			command.Env = append(command.Env, "PAYDOOR_NODE="+node.URL)
			var said bytes.Buffer
			command.Stderr = &said
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-asked:
			case <-time.After(20 * time.Second):
				t.Error("there was no payment")
			}
			began := time.Now()
			if err := command.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			_ = command.Wait() // its status is looked at
			if status := command.ProcessState.ExitCode(); status != test.status || time.Since(began) > 8*time.Second {
				t.Errorf("it ended with %d after %s: %s", status, time.Since(began), &said)
			}
			if spent, _, _ := m.ends("wallet", "spending"); strings.Count(spent, "127.0.0.1  10      "+test.state) != 1 {
				t.Errorf("the wallet has\n%s", spent)
			}
			stdout, stderr, status := m.ends("fetch", "http://"+m.site+"/")
			if status != 0 || stdout != "worth 10" || stderr != "" {
				t.Errorf("then it ended with %d: %q, %q", status, stdout, stderr)
			}
			if spent, _, _ := m.ends("wallet", "spending"); strings.Count(spent, "127.0.0.1") != 1 {
				t.Errorf("at the end the wallet has\n%s", spent)
			}
		})
	}
}
