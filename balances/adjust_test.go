package balances

// This file tests that an adjustment with an ID is made once, whoever asks how often, and whatever happens in between.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/store"
)

func TestAdjustmentWithAnIDIsMadeOnce(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	raise := Adjustment{Account: a, Amount: 10, Max: 10, Note: "a gift", ID: "ticket 1"}
	lower := Adjustment{Account: a, Amount: 3, Lower: true, Note: "a fine", ID: "ticket 2"}
	for range 2 {
		for range 2 {
			if got, err := b.Adjust(ctx, raise); err != nil || got != 10 && got != 7 {
				t.Fatal(got, err)
			}
		}
		for range 2 {
			if got, err := b.Adjust(ctx, lower); got != 7 || err != nil {
				t.Fatal(got, err)
			}
		}
		b.reopen()
	}
	others := map[string]func(x *Adjustment){
		"account":   func(x *Adjustment) { x.Account = account(2) },
		"amount":    func(x *Adjustment) { x.Amount++ },
		"direction": func(x *Adjustment) { x.Lower = !x.Lower },
		"note":      func(x *Adjustment) { x.Note += "!" },
	}
	said := fmt.Sprintf(`"ticket 1" is a credit of %v, account %x, reason "a gift"; repeat just that, or give this change an ID of its own`, raise.Amount, a[:])
	for name, change := range others {
		x := raise
		change(&x)
		if _, err := b.Adjust(ctx, x); !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), said) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	b.want(a, 7, 0)
	var events []Event
	is(t, b.History(ctx, a, func(e Event) error { events = append(events, e); return nil }), nil)
	if len(events) != 2 || events[0].ID != "ticket 1" || events[0].Note != "a gift" || events[1].ID != "ticket 2" || events[1].Note != "a fine" {
		t.Errorf("%+v", events)
	}
	if r := b.audit(); r.Totals.Raised.Lo != 10 || r.Totals.Lowered.Lo != 3 {
		t.Errorf("%+v", r)
	}
	for _, id := range []string{strings.Repeat("x", MaxID+1), "\xff"} {
		if _, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 1, ID: id}); err == nil {
			t.Errorf("ID %q was taken", id)
		}
	}
}

// What was refused was not made: the ID is free for when it can be.
func TestRefusedAdjustmentMayBeAskedForAgain(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	x := Adjustment{Account: a, Amount: 5, Lower: true, ID: "again"}
	for range 2 {
		_, err := b.Adjust(ctx, x)
		is(t, err, ErrInsufficient)
	}
	b.give(a, 6)
	for range 2 {
		if got, err := b.Adjust(ctx, x); got != 1 || err != nil {
			t.Fatal(got, err)
		}
	}
	_, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 5, Max: 2, ID: "too much"})
	is(t, err, ErrMaxBalance)
	if _, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 1, Max: 2, ID: "too much"}); err != nil {
		t.Fatal(err)
	}
	b.want(a, 2, 0)
	b.audit()
}

func TestAdjustmentsAtOnce(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	var wg sync.WaitGroup
	for range 4 {
		for range 16 {
			wg.Go(func() {
				if _, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 10, ID: "raise"}); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				_, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 4, Lower: true, ID: "lower"})
				if err != nil && !errors.Is(err, ErrInsufficient) {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 1}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if got, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 4, Lower: true, ID: "lower"}); got != 10-4+64 || err != nil {
		t.Fatal(got, err) // also if all of those came before there was enough
	}
	if r := b.audit(); r.Totals.Raised.Lo != 74 || r.Totals.Lowered.Lo != 4 {
		t.Errorf("%+v", r)
	}
}

// Whoever does not learn the outcome asks again: the one whose wait has ended, and after a restart the one whose store has failed.
func TestAdjustmentOfUnknownOutcomeIsSafeToRepeat(t *testing.T) {
	for _, at := range []store.Point{store.BeforeCommit, store.AfterCommit, store.BeforeSidecar, store.BeforeRelease} {
		b := newBench(t, Options{})
		if b.so.Journal && at == store.BeforeSidecar {
			continue // it comes later then, and nobody waits for it
		}
		a := account(1)
		b.give(a, 100)
		x := Adjustment{Account: a, Amount: 10, ID: "once"}

		release := b.holdCommits()
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		for range 2 {
			_, err := b.Adjust(short, x)
			is(t, err, ErrUnavailable)
			is(t, err, context.DeadlineExceeded)
		}
		cancel()
		release()
		if got, err := b.Adjust(ctx, x); got != 110 || err != nil {
			t.Fatal(got, err)
		}

		y := Adjustment{Account: a, Amount: 20, Lower: true, ID: "twice"}
		b.onFault(func(point store.Point, _ uint64) error {
			if point == at {
				return errors.New("input/output error")
			}
			return nil
		})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := b.Adjust(ctx, y); !errors.Is(err, ErrUnavailable) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b.fault.Store(nil)
		b.reopen()
		for range 2 {
			if got, err := b.Adjust(ctx, y); got != 90 || err != nil {
				t.Fatalf("failed at %v: %d, %v", at, got, err)
			}
		}
		b.audit()
	}
}
