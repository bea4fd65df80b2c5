package caddymodule

// This file breaks the disk under a running server: what it then answers, to clients, neighbours and the operator.

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/payer"
	"github.com/paydoor/paydoor/store"
)

// readiness asks the endpoint, and wants that its status says the same as its body.
func (s *server) readiness(path string) readiness {
	s.t.Helper()
	a := s.ask(http.MethodGet, path)
	var said readiness
	if err := json.Unmarshal([]byte(a.body), &said); err != nil {
		s.t.Fatalf("%s: %q (%v)", path, a.body, err)
	}
	good := said.Ready
	if path == "/paydoor/alive" {
		good = said.Alive
	}
	if good != (a.StatusCode == http.StatusOK) || !good && (a.StatusCode != http.StatusServiceUnavailable || said.Problem == "") {
		s.t.Errorf("%s answers %s with %s", path, a.Status, a.body)
	}
	return said
}

// TestP10FailStop makes a sync fail while requests and payments come: from then on there is no paid answer, no 402 and no Fulfill, and
// the server says within a second that it is neither ready nor alive.
func TestP10FailStop(t *testing.T) {
	broken := new(atomic.Bool)
	fault = func(at store.Point, _ uint64) error {
		if at == store.AfterCommit && broken.Load() {
			return errors.New("injected: input/output error")
		}
		return nil
	}
	t.Cleanup(func() { fault = nil })
	s := newServer(t)
	s.options += "\naccount kid {\nrelation child\nbtp listen " + strong + "\n}"
	s.load()
	s.pay("100")
	if said := s.readiness("/paydoor/ready"); !said.Ready || !said.Alive {
		t.Fatalf("before: %+v", said)
	}
	kid := s.neighbour("/ilp/btp", "", strong, nil)
	eventually(t, "the link is up", kid.Up)
	quote := s.do(http.MethodOptions, "/").Header.Get("Pay")

	broken.Store(true)
	if a := s.do(http.MethodGet, "/"); a.StatusCode != http.StatusServiceUnavailable || a.body == "paid 10, left 90" {
		t.Errorf("the request whose charge failed gets %s: %s", a.Status, a.body)
	}
	failed := time.Now()
	said := s.readiness("/paydoor/ready")
	if took := time.Since(failed); said.Ready || said.Alive || took > time.Second {
		t.Errorf("%v after the failure: %+v", took, said)
	}
	if !strings.Contains(said.Problem, "input/output error") {
		t.Errorf("the problem is %q", said.Problem)
	}
	s.readiness("/paydoor/alive")
	broken.Store(false) // what has failed stays failed until a restart
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
		if a := s.do(method, "/"); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Pay") != "" {
			t.Errorf("%s gets %s with Pay %q", method, a.Status, a.Header.Get("Pay"))
		}
	}
	s.wantReject(kid, quote, ilpcore.T00)
	series, _ := s.scrape()
	if series["paydoor_ready"] != 0 || series[`paydoor_poisoned{data_dir="`+s.dataDir()+`"}`] != 1 {
		t.Errorf("the metrics say ready %v", series["paydoor_ready"])
	}
	if _, err := s.tokens("", "audit"); err == nil {
		t.Error("a ledger that has failed was audited")
	}
	if _, err := s.tokens(token, "credit", "5", "--reason", "x"); err == nil || !strings.Contains(err.Error(), "run the command again with --id") {
		t.Errorf("crediting by hand: %v", err)
	}
}

// TestReadyFollowsTheSpace fills the disk and frees it again. The server stays alive, and comes back without a restart.
func TestReadyFollowsTheSpace(t *testing.T) {
	free := new(atomic.Uint64)
	free.Store(1 << 40)
	freeSpace = func(string) (uint64, error) { return free.Load(), nil }
	t.Cleanup(func() { freeSpace = nil })
	s := newServer(t)
	s.load()
	s.pay("100")
	quote := s.do(http.MethodOptions, "/").Header.Get("Pay")

	free.Store(1 << 20)
	eventually(t, "not ready", func() bool { return !s.readiness("/paydoor/ready").Ready })
	said := s.readiness("/paydoor/alive")
	if !said.Alive || !strings.Contains(said.Problem, "1 MiB are free") {
		t.Errorf("with a full disk: %+v", said)
	}
	if a := s.do(http.MethodGet, "/"); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a request gets %s", a.Status)
	}
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "100") // reading goes on
	s.wantReject(s.local(), quote, ilpcore.T00)

	free.Store(1 << 40)
	eventually(t, "ready again", func() bool { return s.readiness("/paydoor/ready").Ready })
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "90")
}

// TestReadyBeforeTheFirstConfig asks while no config runs yet, and is not told that there is no node.
func TestReadyBeforeTheFirstConfig(t *testing.T) {
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	if said := runningReadiness(); said.Ready || !said.Alive || !strings.Contains(said.Problem, "still being loaded") {
		t.Errorf("before the first config: %+v", said)
	}
	refused, ok := errors.AsType[caddy.APIError](func() error { _, _, err := adminLease(); return err }())
	if !ok || refused.HTTPStatus != http.StatusServiceUnavailable {
		t.Errorf("the ledger is asked for: %+v", refused)
	}
}

func TestReadyWithoutANode(t *testing.T) {
	s := newServer(t)
	if err := s.tryLoad("{\nadmin " + s.admin + "\npersist_config off\n}"); err != nil {
		t.Fatal(err)
	}
	if said := s.readiness("/paydoor/ready"); said.Ready || !said.Alive || !strings.Contains(said.Problem, "no node is configured") {
		t.Errorf("without a node: %+v", said)
	}
	if a := s.ask(http.MethodGet, "/paydoor/audit"); a.StatusCode != http.StatusNotFound {
		t.Errorf("the audit of nothing gets %s", a.Status)
	}
	if a := s.ask(http.MethodPost, "/paydoor/ready"); a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET" {
		t.Errorf("POST gets %s", a.Status)
	}
}

// wantReject pays to a quote, and wants the payment to be rejected with code.
func (s *server) wantReject(link ilpcore.Handler, quote string, code ilpcore.Code) {
	s.t.Helper()
	ask, err := payer.ParsePay(quote)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = payer.PSK2{Link: link, Random: rand.Reader, Now: time.Now}.Pay(s.t.Context(), ask, 10, nil)
	var rejected *payer.RejectError
	if !errors.As(err, &rejected) || rejected.Code != code {
		s.t.Errorf("the payment ends with %v, and not with %s", err, code)
	}
}

// local is a party inside the node.
func (s *server) local() ilpcore.Handler {
	s.t.Helper()
	app, ok := activeApp()
	if !ok {
		s.t.Fatal("no app is running")
	}
	local, err := app.opened.Load().node.Local(sandboxAccount)
	if err != nil {
		s.t.Fatal(err)
	}
	return local
}
