package caddymodule

// This file starts a server on a directory that somebody else still has: it is to wait before it listens, and to say whom it waited for.

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/store"
)

// occupied opens the ledger of the server's directory as another process would.
func occupied(t *testing.T, s *server) *store.Store {
	t.Helper()
	other, err := store.Open(context.Background(), filepath.Join(s.dataDir(), ledgerDirectory), store.Options{Journal: true})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func TestListensOnceTheLedgerIsFree(t *testing.T) {
	s := newServer(t)
	other := occupied(t, s)
	loaded := make(chan error, 1)
	config := adapted(t, s.caddyfile())
	go func() { loaded <- caddy.Load(config, true) }()
	for range 30 { // as long as the other has it, nobody may be led here
		for _, address := range []string{s.gateway, s.node, s.admin} {
			if c, err := net.Dial("tcp", address); err == nil {
				_ = c.Close()
				t.Errorf("it listens on %s before it has its ledger", address)
			}
		}
		if t.Failed() {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-loaded; err != nil {
		t.Fatal(err)
	}
	s.pay("100")
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "90")
	s.load() // which waits for nobody
}

func TestSaysWhoHasTheLedger(t *testing.T) {
	s := newServer(t)
	other := occupied(t, s)
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	err := s.tryLoad(s.caddyfile())
	for _, part := range []string{s.dataDir(), "process " + strconv.Itoa(os.Getpid()), "stop that one first", "another data_dir"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}
