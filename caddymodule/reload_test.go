package caddymodule

// This file reloads configs under a ledger in use (D9).

import (
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func (s *server) references() int {
	n, _ := booksPool.References(s.dataDir())
	return n
}

func TestReloadKeepsTheLedgerOpen(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("100")
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "90")
	before := openedBooks(t, s)
	s.site = strings.Replace(s.site, "paywall 10", "paywall 20", 1)
	s.load()
	paid := s.do(http.MethodGet, "/")
	if strings.HasPrefix(paid.body, "paid 10") { // Caddy says that the reload is done just before the old server stops listening
		s.want(paid, http.StatusOK, "80")
		time.Sleep(100 * time.Millisecond)
		s.want(s.do(http.MethodGet, "/"), http.StatusOK, "60")
	} else {
		s.want(paid, http.StatusOK, "70")
	}
	if openedBooks(t, s) != before {
		t.Error("the reload opened the ledger again")
	}
	if n := s.references(); n != 1 {
		t.Errorf("after the reload %d references are held", n)
	}
}

// openedBooks returns the books of the running config.
func openedBooks(t *testing.T, s *server) *books {
	t.Helper()
	b, err := joinBooks(s.dataDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := releaseBooks(s.dataDir()); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFailedReloadChangesNothing(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("100")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for range 3 {
		if err := s.tryLoad(s.caddyfile() + "\nhttp://" + taken.Addr().String() + " {\n\tbind 127.0.0.1\n\trespond no\n}\n"); err == nil {
			t.Fatal("a config with a taken port was accepted")
		}
	}
	if n := s.references(); n != 1 {
		t.Errorf("after failed reloads %d references are held", n)
	}
	s.pay("5")
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "95")
}

func TestSettingsOfOpenBooksCannotChange(t *testing.T) {
	s := newServer(t)
	s.load()
	changed := strings.Replace(s.caddyfile(), "sandbox", "sandbox\ncache_size 7", 1)
	if err := s.tryLoad(changed); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("changing cache_size by a reload gives %v", err)
	}
	if n := s.references(); n != 1 {
		t.Errorf("%d references are held", n)
	}
}

func TestRestartKeepsBalances(t *testing.T) {
	s := newServer(t)
	s.load()
	quote := s.do(http.MethodOptions, "/").Header.Get("Pay")
	s.pay("100")
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "90")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	if n := s.references(); n != 0 {
		t.Errorf("after the stop %d references are held", n)
	}
	s.load()
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "80")
	if again := s.do(http.MethodOptions, "/").Header.Get("Pay"); again != quote {
		t.Error("the generated secret changed with the restart")
	}
}

// TestMovingTheLedgerUnderARequest ends a request on the ledger that it began with.
func TestMovingTheLedgerUnderARequest(t *testing.T) {
	s := newServer(t)
	arrived, leave := make(chan struct{}, 1), make(chan struct{})
	letGo := sync.OnceFunc(func() { close(leave) })
	t.Cleanup(letGo)
	s.handler = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			arrived <- struct{}{}
			<-leave
			panic(http.ErrAbortHandler)
		}
	}
	s.load()
	s.pay("100")
	ended := make(chan answer, 1)
	go func() { ended <- s.do(http.MethodGet, "/slow") }()
	<-arrived
	first := s.options
	s.options = strings.Replace(first, "/data", "/elsewhere", 1)
	s.load()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && s.do(http.MethodOptions, "/").Header.Get("Pay-Balance") != "0"; {
		time.Sleep(time.Millisecond) // a connection that came in between is still the old server's
	}
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "0")
	letGo()
	s.want(<-ended, http.StatusBadGateway, "100")
	s.options = first
	s.load()
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "100")
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "90")
}

// TestValidateTouchesNothing validates beside a running server, and for a directory that does not exist.
func TestValidateTouchesNothing(t *testing.T) {
	s := newServer(t)
	s.load()
	validate := func(caddyfile string) error {
		var config caddy.Config
		if err := caddy.StrictUnmarshalJSON(adapted(t, caddyfile), &config); err != nil {
			t.Fatal(err)
		}
		return caddy.Validate(&config)
	}
	if err := validate(s.caddyfile()); err != nil {
		t.Errorf("validating the running config: %v", err)
	}
	if n := s.references(); n != 1 {
		t.Errorf("after validating %d references are held", n)
	}
	missing := t.TempDir() + "/new"
	if err := validate("{\n ilp {\n sandbox\n data_dir " + missing + "\n }\n}\n:80 {\n paywall 10\n}\n"); err != nil {
		t.Errorf("validating: %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("validating made the data directory")
	}
}

func TestGeneratedSecretIsPrivate(t *testing.T) {
	s := newServer(t)
	s.load()
	info, err := os.Stat(s.dataDir() + "/" + receiverSecretFile)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the secret has mode %v", info.Mode())
	}
	dir, err := os.Stat(s.dataDir())
	if err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v (%v)", dir.Mode(), err)
	}
}
