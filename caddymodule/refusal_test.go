package caddymodule

// This file wants one line for the operator of each reason not to start, and none of other errors.

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/store"
)

func TestRefusalNamesTheWayOut(t *testing.T) {
	const way = "paydoor tokens check --dir /data --accept-loss"
	for _, c := range []struct {
		err  error
		ok   bool
		ways int
	}{
		{fmt.Errorf("%w: /data/ledger holds 5 groups, and 9 were acknowledged; restore it", store.ErrLost), true, 1},
		{fmt.Errorf("%w: /data/ledger holds 5; go on: paydoor tokens check --dir /data/ledger --accept-loss", store.ErrLost), true, 1},
		{fmt.Errorf("%w: /data/ledger holds 0; nothing in it can be read, so only a backup helps", store.ErrLost), true, 0},
		{fmt.Errorf("opening: %w", errors.Join(balances.ErrAudit, errors.New("closing"))), true, 1},
		{fmt.Errorf("%w: version 9", store.ErrFormat), true, 0},
		{fmt.Errorf("%w: totals of version 9; run the newer program that wrote it", balances.ErrRecord), true, 0},
		{fmt.Errorf("account x: %w", connector.ErrBooks), true, 0},
		{store.ErrLocked, false, 0},
		{store.ErrNoSpace, false, 0},
		{errors.New("other"), false, 0},
	} {
		line, ok := refusalOf(c.err, "/data")
		if ok != c.ok || strings.Count(line, way) != c.ways || strings.Count(line, "accept-loss") != c.ways || strings.Contains(line, "\n") {
			t.Errorf("%v: %q, %v", c.err, line, ok)
		}
		if newer := strings.Count(line, "run "); errors.Is(c.err, balances.ErrRecord) || errors.Is(c.err, connector.ErrBooks) {
			if newer != 1 {
				t.Errorf("%v: %q", c.err, line)
			}
		}
	}
}

// TestOnlyTheFirstConfigEndsTheProcess has a server that runs already.
func TestOnlyTheFirstConfigEndsTheProcess(t *testing.T) {
	s := newServer(t)
	var lines []string
	Refused = func(line string) { lines = append(lines, line) }
	t.Cleanup(func() { Refused = nil })
	for _, err := range []error{store.ErrLost, store.ErrLocked} { // nothing runs
		if got := refuse(err, "/data"); !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	s.load()
	err := refuse(fmt.Errorf("%w: paydoor tokens check --dir /data/ledger --accept-loss", store.ErrLost), "/data")
	if !errors.Is(err, store.ErrLost) || strings.Contains(err.Error(), "/data/ledger") {
		t.Errorf("a reload is told %v", err)
	}
	if len(lines) != 1 {
		t.Errorf("the process was ended by %q", lines)
	}
}
