package caddymodule

// This file starts and stops whole servers in this process, and types what their clients would.

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"go.uber.org/goleak"

	"github.com/paydoor/paydoor/internal/testport"
)

func TestMain(m *testing.M) {
	// Nothing of these tests belongs into the home of whoever runs them.
	home, err := os.MkdirTemp("", "paydoor-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = os.Setenv("XDG_DATA_HOME", home)
	_ = os.Setenv("XDG_CONFIG_HOME", home)
	goleak.VerifyTestMain(m,
		goleak.Cleanup(func(code int) {
			_ = os.RemoveAll(home)
			os.Exit(code)
		}),
		// Kept by Caddy, and by what it writes logs and locks with, until the process ends.
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"),
		goleak.IgnoreAnyFunction("github.com/DeRuina/timberjack.(*Logger).millRun"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/caddy/v2.replaceLocalAdminServer.func2"),
	)
}

// server is the one Caddy of this process, on ports of its own.
type server struct {
	t                    *testing.T
	gateway, node, admin string // host and port
	options, site        string // what goes into the ilp block and into the paid site
	global               string // what else is among the global options
	backend              *httptest.Server
	handler              http.HandlerFunc
	client               *http.Client
}

const token = "dG9rZW4tdG9rZW4tdG9rZW4"

// newServer prepares a server whose paid site is a paywall before an httptest backend. Load starts it.
func newServer(t *testing.T) *server {
	s := &server{t: t, gateway: freePort(t), node: freePort(t), admin: freePort(t)}
	s.handler = func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "paid %s, left %s", r.Header.Get("Paydoor-Price"), r.Header.Get("Paydoor-Balance"))
	}
	s.backend = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler(w, r) }))
	s.options = "data_dir " + t.TempDir() + "/data\nsandbox"
	s.site = "paywall 10\nreverse_proxy " + s.backend.Listener.Addr().String()
	transport := &http.Transport{DisableKeepAlives: true}
	s.client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
		s.backend.Close()
		transport.CloseIdleConnections()
		if n, ok := booksPool.References(s.dataDir()); ok {
			t.Errorf("%d references to the books are left", n)
		}
	})
	return s
}

func (s *server) dataDir() string {
	line, _, _ := strings.Cut(s.options, "\n")
	dir, err := canonicalDirectory(strings.TrimPrefix(line, "data_dir "))
	if err != nil {
		s.t.Fatal(err)
	}
	return dir
}

func (s *server) caddyfile() string {
	return fmt.Sprintf(`
{
	admin %s
	persist_config off
	auto_https off
	grace_period 1s
	log {
		output discard
	}
	%s
	ilp {
		%s
	}
}
http://%s {
	bind 127.0.0.1
	%s
}
http://%s {
	bind 127.0.0.1
	ilp_node
}
`, s.admin, s.global, s.options, s.gateway, s.site, s.node)
}

func (s *server) load() {
	s.t.Helper()
	if err := s.tryLoad(s.caddyfile()); err != nil {
		s.t.Fatalf("loading: %v", err)
	}
}

func (s *server) tryLoad(caddyfile string) error {
	s.t.Helper()
	return caddy.Load(adapted(s.t, caddyfile), true)
}

func adapted(t *testing.T, caddyfile string) []byte {
	t.Helper()
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatalf("adapting: %v", err)
	}
	return config
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

func (s *server) do(method, path string, headers ...string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, "http://"+s.gateway+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Pay-Token", token)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return s.send(request)
}

// send returns the answer to request. Plain Caddy resets connections that arrive while a reload hands the port over, before anybody
// has read from them, so a connection that breaks is tried again; a request that was served twice would show in the balance.
func (s *server) send(request *http.Request) answer {
	s.t.Helper()
	response, err := s.client.Do(request)
	for again := 0; err != nil && again < 5; again++ {
		if request.GetBody != nil {
			request.Body, _ = request.GetBody()
		}
		response, err = s.client.Do(request)
	}
	if err != nil {
		s.t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("%s %s: reading: %v", request.Method, request.URL, err)
	}
	return answer{response, string(body)}
}

// pay pays n to the token with the sandbox wallet.
func (s *server) pay(n string) {
	s.t.Helper()
	s.payTo(s.do(http.MethodOptions, "/").Header.Get("Pay"), n)
}

// payTo pays n to a quote: the value of a Pay header.
func (s *server) payTo(quote, n string) {
	s.t.Helper()
	form := url.Values{"pay": {quote}, "amount": {n}, "token": {token}}
	request, err := http.NewRequest(http.MethodPost, "http://"+s.node+"/sandbox/pay", strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if paid := s.send(request); paid.StatusCode != http.StatusOK {
		s.t.Fatalf("paying: %s %s", paid.Status, paid.body)
	}
}

// want checks status and Pay-Balance.
func (s *server) want(a answer, status int, balance string) {
	s.t.Helper()
	if a.StatusCode != status || a.Header.Get("Pay-Balance") != balance {
		s.t.Fatalf("got %d with Pay-Balance %q, want %d with %q: %s", a.StatusCode, a.Header.Get("Pay-Balance"), status, balance, a.body)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := testport.Next()
	if err != nil {
		t.Fatal(err)
	}
	return port.String()
}
