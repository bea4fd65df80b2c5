package balances

// This file tests charges on their way into the history: how they are summed up, and when they become events.

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// events lists the account's history, without conditions.
func (b *bench) events(a Account) (list []string) {
	b.t.Helper()
	begin := b.clock.now().Truncate(time.Hour)
	err := b.History(ctx, a, func(e Event) error {
		switch at := e.At.Sub(begin); e.Kind {
		case Settled:
			list = append(list, fmt.Sprintf("%v S %d of %v", at, e.Count, e.Charges))
		default:
			list = append(list, fmt.Sprintf("%v %c %d", at, e.Kind, e.Amount))
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func (b *bench) wantEvents(a Account, want ...string) {
	b.t.Helper()
	if got := b.events(a); fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Fatalf("%q, want %q", got, want)
	}
}

func (b *bench) charge(a Account, n amount.Amount) {
	b.t.Helper()
	if _, err := b.reserve(a, n).Settle(ctx, n); err != nil {
		b.t.Fatal(err)
	}
}

// keys counts the records under a prefix.
func (b *bench) keys(prefix string) (n int) {
	is(b.t, b.store.Iterate([]byte(prefix), func(_, _ []byte) error { n++; return nil }), nil)
	return n
}

// Charges of a minute are one event, whatever restarts come between, and until the minute is over they are no record of their own.
func TestP7ChargesAreSummedUpByTheMinute(t *testing.T) {
	for _, durability := range []Durability{Group, Process} {
		b := newBench(t, Options{Durability: durability})
		a := account(1)
		b.give(a, 1000)
		before := b.keys(historyPrefix)
		b.clock.pass(10 * time.Second)
		b.charge(a, 1)
		b.charge(a, 2)
		b.reopen()
		b.wantEvents(a, "0s C 1000", "10s S 2 of 3")
		b.clock.pass(49 * time.Second)
		b.charge(a, 3)
		b.reopen()
		b.wantEvents(a, "0s C 1000", "10s S 3 of 6")
		if n := b.keys(historyPrefix); n != before {
			t.Errorf("%d records of history, %d before the charges", n, before)
		}
		b.audit()
		b.clock.pass(time.Second)
		b.charge(a, 4)
		b.clock.pass(time.Hour - time.Minute)
		b.clock.jump(-time.Hour + 2*time.Second) // the same minute as that of 4, and later
		b.charge(a, 5)
		b.charge(a, 6)
		b.reopen()
		b.wantEvents(a, "0s C 1000", "10s S 3 of 6", "1m0s S 1 of 4", "2s S 2 of 11")
		if r := b.audit(); r.Totals.ChargeCount != 6 || r.Totals.Charges.Lo != 21 || r.Events != 4 {
			t.Errorf("%+v", r)
		}
	}
}

// A change of another kind comes after the charges before it, also in the history.
func TestEventsAreInOrder(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 100)
	b.charge(a, 1)
	b.give(a, 200)
	b.charge(a, 2)
	_, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 300})
	is(t, err, nil)
	b.charge(a, 3)
	_, err = b.Adjust(ctx, Adjustment{Account: a, Amount: 4, Lower: true})
	is(t, err, nil)
	b.charge(a, 5)
	b.wantEvents(a, "0s C 100", "0s S 1 of 1", "0s C 200", "0s S 1 of 2", "0s + 300", "0s S 1 of 3", "0s - 4", "0s S 1 of 5")
	b.audit()
}

// However many charges a group has of an account, with a credit in between: each is counted once.
func TestChargesOfOneGroup(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 100)
	reservations := make([]*Reservation, 20)
	for i := range reservations {
		reservations[i] = b.reserve(a, 2)
	}
	release := b.holdCommits()
	done := make(chan error)
	settle := func(some []*Reservation, left amount.Amount) {
		for _, r := range some {
			go func() { _, err := r.Settle(ctx, 2); done <- err }()
		}
		for b.balanceInMemory(a) != left {
			runtime.Gosched()
		}
	}
	settle(reservations[:10], 80)
	go func() {
		_, err := b.Credit(ctx, Credit{Account: a, Amount: 7, Condition: condition(1)})
		done <- err
	}()
	for b.balanceInMemory(a) != 87 {
		runtime.Gosched()
	}
	b.clock.pass(time.Minute)
	settle(reservations[10:], 67)
	release()
	for range 21 {
		is(t, <-done, nil)
	}
	b.reopen()
	b.wantEvents(a, "0s C 100", "0s S 10 of 20", "0s C 7", "1m0s S 10 of 20")
	b.audit()
}

func TestPendingTakes(t *testing.T) {
	const noon = 1_800_000_000
	p := pending{}.with(5, noon+59)
	cases := []struct {
		p      pending
		charge amount.Amount
		now    uint32
		want   bool
	}{
		{pending{}, amount.Max, 0, true},
		{p, 1, noon, true},
		{p, 1, noon + 60, false},
		{p, 1, noon - 1, false},
		{p, amount.Max - 5, noon, true},
		{p, amount.Max - 4, noon, false},
		{pending{1, 1<<32 - 2, noon}, 1, noon, true},
		{pending{1, 1<<32 - 1, noon}, 1, noon, false},
	}
	for _, c := range cases {
		if got := c.p.takes(c.charge, c.now); got != c.want {
			t.Errorf("%+v takes %d at %d: %v", c.p, c.charge, c.now, got)
		}
	}
	if p != (pending{5, 1, noon + 59}) || p.with(6, noon) != (pending{11, 2, noon + 59}) {
		t.Errorf("%+v", p)
	}
}

func TestChargeThatFailsToJoinLeavesNothing(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	r := b.reserve(a, 4)
	b.free.Store(1)
	for b.store.Ready() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	_, err := r.Settle(ctx, 4)
	is(t, err, store.ErrNoSpace)
	b.free.Store(1 << 40)
	for b.store.Ready() != nil {
		time.Sleep(10 * time.Millisecond)
	}
	b.charge(a, 3)
	b.wantEvents(a, "0s C 10", "0s S 1 of 3")
	b.audit()
}
