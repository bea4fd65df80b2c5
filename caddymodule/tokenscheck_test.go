package caddymodule

// This file takes single records out of a ledger behind its back, and goes on all the same.

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/paywall"
	"github.com/paydoor/paydoor/store"
)

// TestP10ADifferenceIsRefusedUntilAccepted has a ledger that lost the balance of a token, with all of the store's own records in order.
func TestP10ADifferenceIsRefusedUntilAccepted(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("1000")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	loseBalance(t, s.dataDir())

	var refused []string
	Refused = func(line string) { refused = append(refused, line) }
	t.Cleanup(func() { Refused = nil })
	if err := s.tryLoad(s.caddyfile()); err == nil || !strings.Contains(err.Error(), balances.ErrAudit.Error()) {
		t.Errorf("the server starts with %v", err)
	}
	_, _, err := typed("", "check", "--dir", s.dataDir())
	var status exitStatus
	if !errors.As(err, &status) && (err == nil || !strings.Contains(err.Error(), "exiting with status 78")) {
		t.Errorf("the check ends with %v", err)
	}
	if len(refused) != 1 || !strings.Contains(refused[0], "tokens check --dir "+s.dataDir()+" --accept-loss") {
		t.Errorf("refused with %q", refused)
	}

	// Enough for a server with a smaller min_free, which the command does not know.
	freeSpace = func(string) (uint64, error) { return 100 << 20, nil }
	t.Cleanup(func() { freeSpace = nil })
	out, said, err := typed("", "check", "--dir", s.dataDir(), "--accept-loss")
	freeSpace = nil
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	wantLines(t, out, "accounts 1", "credits 1000", "= balances 1000", "accepted: the ledger does not add up", "The ledger adds up.")
	s.load()
	s.want(s.do("GET", "/"), 200, "990")
}

// loseBalance deletes the balance of the token from the store.
func loseBalance(t *testing.T, dir string) {
	t.Helper()
	account, err := paywall.AccountOf(token, "")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := store.Open(t.Context(), filepath.Join(dir, ledgerDirectory), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var balance []byte
	err = opened.Iterate(nil, func(key, _ []byte) error {
		if bytes.HasSuffix(key, account[:]) { // keys of the history go on behind it
			balance = bytes.Clone(key)
		}
		return nil
	})
	if err != nil || balance == nil {
		t.Fatal(balance, err)
	}
	ticket, err := opened.Join(func(g *store.Group) { g.Delete(balance) })
	if err == nil {
		err = ticket.Wait(t.Context())
	}
	if err := errors.Join(err, opened.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestALedgerOfANewerVersionIsRefused has one whose totals are of a version that this program does not know.
func TestALedgerOfANewerVersionIsRefused(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("1000")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	opened, err := store.Open(t.Context(), filepath.Join(s.dataDir(), ledgerDirectory), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := opened.Join(func(g *store.Group) { g.Put([]byte("led/totals"), []byte{9, 9, 9}) })
	if err == nil {
		err = ticket.Wait(t.Context())
	}
	if err := errors.Join(err, opened.Close()); err != nil {
		t.Fatal(err)
	}
	var refused []string
	Refused = func(line string) { refused = append(refused, line) }
	t.Cleanup(func() { Refused = nil })
	if err := s.tryLoad(s.caddyfile()); err == nil || !strings.Contains(err.Error(), balances.ErrRecord.Error()) {
		t.Errorf("the server starts with %v", err)
	}
	_, said, err := typed("", "check", "--dir", s.dataDir())
	var status exitStatus
	if !errors.As(err, &status) && (err == nil || !strings.Contains(err.Error(), "exiting with status 78")) {
		t.Errorf("the check ends with %v", err)
	}
	for _, line := range append(refused, said) {
		if !strings.Contains(line, s.dataDir()) || !strings.Contains(line, "version 9; run the newer program") {
			t.Errorf("refused with %q", line)
		}
	}
	if len(refused) != 1 {
		t.Errorf("refused with %q", refused)
	}
}

// TestCheckLeavesTheBallast has a store open as a check has it until it has looked after its ballast. That is the server's, which may want none.
func TestCheckLeavesTheBallast(t *testing.T) {
	for name, size := range map[string]int64{"off": 0, "of another size": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ballast := filepath.Join(dir, ledgerDirectory, "ballast")
			if err := os.Mkdir(filepath.Dir(ballast), 0o700); err != nil {
				t.Fatal(err)
			}
			if opened, err := store.Open(t.Context(), filepath.Dir(ballast), store.Options{Ballast: -1}); err != nil || opened.Close() != nil {
				t.Fatal(err)
			}
			if size > 0 {
				if err := os.WriteFile(ballast, make([]byte, size), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			looks := make(chan struct{}, 100)
			freeSpace = func(string) (uint64, error) {
				select {
				case looks <- struct{}{}:
				default:
				}
				return 1 << 40, nil
			}
			t.Cleanup(func() { freeSpace = nil })
			opened, err := store.Open(t.Context(), filepath.Dir(ballast), checkOptions(dir, false))
			if err != nil {
				t.Fatal(err)
			}
			for len(looks) > 0 {
				<-looks // of the opening
			}
			for range 4 { // each round has one look, and another one if the ballast is not what it should be
				<-looks
			}
			if err := opened.Close(); err != nil {
				t.Fatal(err)
			}
			found, err := os.Stat(ballast)
			if size == 0 && !errors.Is(err, os.ErrNotExist) || size > 0 && (err != nil || found.Size() != size) {
				t.Errorf("there is %v (%v)", found, err)
			}
		})
	}
}

func TestCheckMakesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, missing := range []string{dir, dir + "/none"} {
		if _, _, err := typed("", "check", "--dir", missing, "--accept-loss"); err == nil || !strings.Contains(err.Error(), "there is no ledger in") {
			t.Errorf("%s: %v", missing, err)
		}
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) > 0 {
		t.Errorf("the check made %v (%v)", found, err)
	}
	wiped := t.TempDir()
	if err := errors.Join(os.Mkdir(wiped+"/ledger", 0o700), write(wiped+"/ledger/lock", "")); err != nil {
		t.Fatal(err)
	}
	if out, _, err := typed("", "check", "--dir", wiped); err == nil || !strings.Contains(err.Error(), "there is no ledger in") {
		t.Errorf("of a ledger that was deleted: %v\n%s", err, out)
	}
	if _, _, err := typed("", "check"); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("without a directory: %v", err)
	}
	s := newServer(t)
	s.load()
	if _, _, err := typed("", "check", "--dir", s.dataDir()); err == nil || !strings.Contains(err.Error(), "a server uses") {
		t.Errorf("of a running server: %v", err)
	}
}
