package caddymodule

// This file has settlement engines talk to whole servers, and servers keep from engines on this machine.

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/payer"
)

// TestEngineSettlesOverReloads tells of one settlement before and after a reload.
func TestEngineSettlesOverReloads(t *testing.T) {
	s := newServer(t)
	s.load()
	s.make(s.kid("kid", strong))
	info, err := os.Stat(s.dataDir() + "/" + engineTokenFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the settlement token's file: %v, %v", info, err)
	}
	engineToken, err := readSecretFile(s.dataDir() + "/" + engineTokenFile)
	if err != nil {
		t.Fatal(err)
	}
	settle := func() answer {
		body := `{"amount":"1999","scale":10}`
		request, err := http.NewRequest(http.MethodPost, "http://"+s.node+"/accounts/"+uuidOf("kid")+"/settlements", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("settlement", engineToken)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", "one")
		return s.send(request)
	}
	first := settle()
	if first.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s", first.Status, first.body)
	}
	s.load()
	if again := settle(); again.StatusCode != first.StatusCode || again.body != first.body {
		t.Errorf("after a reload: %s %s", again.Status, again.body)
	}
	if got, _ := s.running().books.accounts.Balance("kid"); got != (connector.Balance{Prepaid: 199}) {
		t.Errorf("the balance is %+v", got)
	}
}

// TestEnginesOnThisMachineNeedAllowPrivate dials a server on a loopback address (T36).
func TestEnginesOnThisMachineNeedAllowPrivate(t *testing.T) {
	var calls atomic.Int64
	e := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer e.Close()
	for _, allow := range []bool{false, true} {
		calls.Store(0)
		transport := (&running{app: &App{allowPrivate: allow}, settings: new(settings)}).engineTransport()
		answer, err := (&http.Client{Transport: transport}).Get(e.URL)
		if err == nil {
			_ = answer.Body.Close()
		} else if !strings.Contains(err.Error(), payer.ErrPrivateAddress.Error()) {
			t.Errorf("allow_private %v: %v", allow, err)
		}
		transport.CloseIdleConnections()
		if (err == nil) != allow || (calls.Load() == 1) != allow {
			t.Errorf("allow_private %v: %d calls, %v", allow, calls.Load(), err)
		}
	}
}
