package receiver

// This file lends the real ledger, on a real store in a directory of the test, to the tests that count money.

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/store"
)

// handClock is a wall clock and a clock that never jumps, both moved by hand.
type handClock struct {
	mu      sync.Mutex
	wall    time.Time
	elapsed time.Duration
}

// newHandClock returns a clock of a process that has run for an hour.
func newHandClock() *handClock { return &handClock{wall: start, elapsed: time.Hour} }

func (c *handClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall
}

func (c *handClock) since() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.elapsed
}

func (c *handClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.elapsed = c.wall.Add(d), c.elapsed+d
}

// realLedger is a Crediter on balances and store, as the gateway has it.
type realLedger struct {
	*balances.Ledger
	max     amount.Amount
	credits atomic.Int64 // calls of Credit
}

// openLedger opens a ledger in a directory of t. A nil clock is the system's.
func openLedger(t testing.TB, clock *handClock, o balances.Options) *realLedger {
	t.Helper()
	if clock != nil {
		o.Now, o.Elapsed = clock.now, clock.since
	}
	s, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "ledger"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	ledger, err := balances.Open(s, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.PinAsset("USD", 9); err != nil {
		t.Fatal(err)
	}
	return &realLedger{Ledger: ledger}
}

func (l *realLedger) Credit(ctx context.Context, c Credit) (repeated bool, err error) {
	l.credits.Add(1)
	repeated, err = l.Ledger.Credit(ctx, balances.Credit{
		Account: c.Payee.ID, Amount: c.Amount, Condition: c.Condition, Digest: c.Digest,
		Deadline: c.Deadline, Max: l.max,
	})
	for _, pair := range []struct{ ours, theirs error }{
		{balances.ErrTooLate, ErrTooLate}, {balances.ErrMismatch, ErrMismatch}, {balances.ErrBusy, ErrBusy}, {balances.ErrMaxBalance, ErrMaxBalance},
	} {
		if errors.Is(err, pair.ours) {
			return repeated, pair.theirs
		}
	}
	return repeated, err
}

// wantBooks demands that exactly these accounts exist with exactly these balances, and that the ledger adds up.
func (l *realLedger) wantBooks(t testing.TB, want map[[32]byte]amount.Amount) {
	t.Helper()
	seen := 0
	err := l.Each(context.Background(), func(a balances.Account, balance amount.Amount) error {
		seen++
		if expected, ok := want[a]; !ok || balance != expected {
			t.Errorf("account %x has %s, want %s", a[:4], balance, expected)
		}
		return nil
	})
	if err != nil || seen != len(want) {
		t.Errorf("%d accounts have a balance, want %d; %v", seen, len(want), err)
	}
	if _, err := l.Audit(context.Background()); err != nil {
		t.Error(err)
	}
}
