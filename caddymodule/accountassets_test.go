package caddymodule

// This file tests that a balance of an account in the Caddyfile keeps its asset.

import (
	"net"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/connector"
)

func TestABalanceKeepsItsAsset(t *testing.T) {
	s := newServer(t)
	plain := s.options + "\nallow_weak_secrets\nrates {\n\tUSD 1\n\tEUR 1.1\n}\n"
	write := func(asset string) {
		s.options = plain + "account bob {\n\trelation peer\n" + asset + "\n\thttp http://" + s.node + "/ilp {\n\t\tincoming simple in\n\t\toutgoing simple out\n\t}\n}"
	}
	tryLoad := func(asset string) error {
		t.Helper()
		write(asset)
		return s.tryLoad(s.caddyfile())
	}
	if err := tryLoad("asset EUR 6"); err != nil {
		t.Fatal(err)
	}
	accounts := openedBooks(t, s).accounts
	credit := func(n int64) {
		t.Helper()
		var err error
		if n > 0 {
			_, err = accounts.Refund(t.Context(), "bob", 500, nil) // to the clearing balance
		} else {
			_, err = accounts.Payout(t.Context(), "bob", 1, 0, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	credit(500)
	for _, other := range []string{"asset USD 6", "asset EUR 9", ""} {
		err := tryLoad(other)
		if err == nil || !strings.Contains(err.Error(), "bob has a balance of 500 base units of EUR with scale 6") || !strings.Contains(err.Error(), "another name") {
			t.Errorf("with %q: %v", other, err)
		}
	}
	if err := tryLoad("asset EUR 6"); err != nil {
		t.Errorf("the same asset: %v", err)
	}
	credit(-500)
	if balance, _ := accounts.Balance("bob"); balance != (connector.Balance{}) {
		t.Fatalf("%+v is left", balance)
	}

	// A config that fails to start changes nothing.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	write("asset USD 6")
	if err := s.tryLoad(s.caddyfile() + "\nhttp://" + taken.Addr().String() + " {\n\tbind 127.0.0.1\n\trespond no\n}\n"); err == nil {
		t.Fatal("a config with a taken port was accepted")
	}
	credit(500)
	if err := tryLoad("asset USD 6"); err == nil {
		t.Error("the balance was counted in the asset of a config that had failed")
	}
	if err := tryLoad("asset EUR 6"); err != nil {
		t.Errorf("the same asset: %v", err)
	}
	credit(-500)
	if err := tryLoad("asset USD 6"); err != nil {
		t.Errorf("another asset for nothing: %v", err)
	}

	// Nor does a restart.
	credit(500)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := tryLoad("asset EUR 6"); err == nil || !strings.Contains(err.Error(), "500 base units of USD with scale 6") {
		t.Errorf("after a restart: %v", err)
	}
	if err := tryLoad("asset USD 6"); err != nil {
		t.Errorf("the same asset after a restart: %v", err)
	}
}
