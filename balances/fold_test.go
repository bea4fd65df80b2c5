package balances

// This file tests forgetting: old events become sums, a few at a time, and the money stays what it was.

import (
	"fmt"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

const retention = 30 * 24 * time.Hour

// foldAll lets time pass and the ledger work until it has walked through the whole history.
func (b *bench) foldAll() {
	b.t.Helper()
	for range 1000 {
		b.clock.pass(time.Second)
		b.foldSome()
		b.settleStore()
		b.folder.mu.Lock()
		done := b.folder.cursor == nil
		b.folder.mu.Unlock()
		if done {
			return
		}
	}
	b.t.Fatal("the walk through the history does not end")
}

// settleStore waits until everything that has joined is durable.
func (b *bench) settleStore() {
	ticket, err := b.store.Join(func(g *store.Group) { g.Put([]byte("x/settled"), nil) })
	if err != nil || ticket.Wait(ctx) != nil {
		b.t.Fatal(err)
	}
}

func TestP7OldEventsBecomeSums(t *testing.T) {
	b := newBench(t, Options{Retention: retention})
	a, other := account(1), account(2)
	once := Adjustment{Account: a, Amount: 7, ID: "once", Note: "a gift"}
	for range 2 {
		b.give(a, 100)
		b.charge(a, 10)
		b.clock.pass(time.Minute)
		b.charge(a, 20)
		b.clock.pass(time.Minute)
	}
	if _, err := b.Adjust(ctx, once); err != nil {
		t.Fatal(err)
	}
	b.give(other, 5)
	before := b.audit()
	b.clock.pass(retention + time.Hour)
	b.charge(a, 1)
	b.give(other, 6)
	b.foldAll()
	if n := b.keys(historyPrefix); n != 3 {
		t.Errorf("%d events are left", n)
	}
	sums := func() (list []Event) {
		is(t, b.History(ctx, a, func(e Event) error { list = append(list, e); return nil }), nil)
		return list
	}
	events := sums()
	want := Totals{Credits: Sum{Lo: 200}, Charges: Sum{Lo: 60}, Raised: Sum{Lo: 7}, CreditCount: 2, ChargeCount: 4}
	if len(events) != 2 || events[0].Kind != Folded || events[0].Sums != want || events[1].Kind != Settled || events[1].Count != 1 {
		t.Fatalf("%+v", events)
	}
	if at := b.clock.now().Sub(events[0].At); at < retention || at > retention+2*time.Hour {
		t.Errorf("the last event was %v ago", at)
	}
	b.reopen()
	after := b.audit()
	if after.Totals.Credits.Lo != before.Totals.Credits.Lo+6 || after.Totals.ChargeCount != before.Totals.ChargeCount+1 {
		t.Errorf("%+v", after)
	}
	b.want(a, 146, 0)

	// Once more: what was forgotten is added to what was before. The ID went with its event.
	b.clock.pass(retention + 2*time.Hour)
	if got, err := b.Adjust(ctx, once); got != 153 || err != nil {
		t.Fatal(got, err)
	}
	b.foldAll()
	want.Charges, want.ChargeCount = Sum{Lo: 61}, 5
	events = sums()
	if len(events) != 2 || events[0].Sums != want || events[1].ID != "once" {
		t.Fatalf("%+v", events)
	}
	b.audit()
}

func TestNothingIsForgottenWithoutRetention(t *testing.T) {
	b := newBench(t, Options{})
	b.give(account(1), 100)
	b.clock.pass(50 * 365 * 24 * time.Hour)
	b.charge(account(1), 1)
	b.foldSome()
	b.settleStore()
	b.wantEvents(account(1), fmt.Sprintf("%v C 100", -50*365*24*time.Hour), "0s S 1 of 1")
}

// A group takes only so many events out, and none for a while after that: charges are not held up.
func TestForgettingGoesInSmallSteps(t *testing.T) {
	b := newBench(t, Options{Retention: retention})
	const events = 3*foldEvents + 5
	for n := range events {
		b.give(account(n%2), 1)
	}
	b.clock.pass(2 * retention)
	for left := events + 2; left > 2; {
		was := b.keys(historyPrefix)
		b.foldSome()
		b.foldSome() // it is not time for another step
		b.settleStore()
		is := b.keys(historyPrefix)
		if was-is > foldEvents || was == is {
			t.Fatalf("%d events in a step", was-is)
		}
		b.audit()
		left = is
		b.clock.pass(foldPause)
	}
	for n := range 2 {
		b.want(account(n), amount.Amount((events+1-n)/2), 0)
	}
}

// A crash between any two groups leaves a ledger that adds up, and goes on with it.
func TestP7CrashWhileForgetting(t *testing.T) {
	b := newBench(t, Options{Retention: retention})
	for n := range 2 * foldEvents {
		b.give(account(n%3), 1)
		b.charge(account(n%3), 1)
	}
	b.clock.pass(2 * retention)
	for fresh := range 5 {
		b.foldSome()
		b.give(account(0), 1)
		c := b.crash()
		c.audit()
		c.foldAll()
		c.audit()
		if n := c.keys(historyPrefix); n > 3+fresh+1 {
			t.Errorf("%d events are left", n)
		}
		b.clock.pass(foldPause)
	}
}
