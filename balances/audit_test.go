package balances

// This file tests the audit at Open and while money moves.

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// A ledger whose balances are not what its totals say does not open, and says what both make.
func TestP7P10OpenRefusesWhatDoesNotAddUp(t *testing.T) {
	a := account(1)
	cases := map[string]struct {
		harm func(g *store.Group)
		says string
	}{
		"too much":     {func(g *store.Group) { putRecord(g, a, record{balance: 61}) }, "balances make 62, and its totals of credits, charges and adjustments make 61"},
		"too little":   {func(g *store.Group) { putRecord(g, a, record{balance: 59}) }, "balances make 60, and its totals of credits, charges and adjustments make 61"},
		"a stranger":   {func(g *store.Group) { putRecord(g, account(3), record{balance: amount.Max}) }, "balances make 18446744073709551676, and"},
		"lost account": {func(g *store.Group) { g.Delete(balanceKey(a)) }, "its 1 balances make 1, and"},
		"no totals":    {func(g *store.Group) { g.Delete([]byte(totalsKey)) }, "balances make 61, and its totals of credits, charges and adjustments make 0"},
		"negative":     {func(g *store.Group) { g.Put([]byte(totalsKey), Totals{Charges: Sum{Hi: 1}}.encode()) }, "make -18446744073709551616"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{})
			b.give(a, 100)
			b.give(account(2), 1)
			b.charge(a, 40)
			ticket, err := b.store.Join(c.harm)
			if err != nil || ticket.Wait(ctx) != nil {
				t.Fatal(err)
			}
			is(t, b.store.Close(), nil)
			s, err := store.Open(ctx, b.dir, b.so)
			is(t, err, nil)
			_, err = Open(s, b.o)
			is(t, err, ErrAudit)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
			is(t, s.Close(), nil)
			b.o.SkipAudit = true
			b.open()
			if _, err := b.Audit(ctx); err == nil || b.store.Ready() != nil {
				t.Errorf("audit: %v, ready: %v", err, b.store.Ready())
			}
		})
	}
}

// What an audit finds wrong stops the ledger.
func TestP10FailedAuditStopsTheLedger(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	ticket, err := b.store.Join(func(g *store.Group) { putRecord(g, account(2), record{}) })
	if err != nil || ticket.Wait(ctx) != nil {
		t.Fatal(err)
	}
	_, err = b.Audit(ctx)
	is(t, err, ErrAudit)
	_, err = b.Reserve(ctx, a, 1)
	is(t, err, ErrUnavailable)
	is(t, err, ErrAudit)
}

// pausing is a context that does something when it is asked whether it has ended: in the middle of an audit.
type pausing struct {
	context.Context
	do func()
}

func (p *pausing) Err() error {
	if f := p.do; f != nil {
		p.do = nil
		f()
	}
	return nil
}

func TestChargesGoOnDuringAuditAndEach(t *testing.T) {
	b := newBench(t, Options{})
	for n := range 100 {
		b.give(account(n), 10)
	}
	change := func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for n := range 100 {
				r, err := b.Reserve(ctx, account(n), 2)
				if err == nil {
					_, err = r.Settle(ctx, 2)
				}
				if err != nil {
					t.Error(err)
				}
			}
			if _, err := b.Credit(ctx, Credit{Account: account(100), Amount: 5, Condition: condition(100)}); err != nil {
				t.Error(err)
			}
		}()
		<-done
	}
	r, err := b.Audit(&pausing{ctx, change})
	if err != nil || r.Accounts != 100 || r.Balances != (Sum{Lo: 1000}) || r.Totals.ChargeCount != 0 {
		t.Fatalf("%+v, %v: not the moment when it began", r, err)
	}
	var seen Sum
	is(t, b.Each(&pausing{ctx, func() { b.charge(account(0), 1) }}, func(_ Account, n amount.Amount) error {
		seen = seen.Plus(n)
		return nil
	}), nil)
	if seen != (Sum{Lo: 805}) {
		t.Errorf("%v", seen)
	}
	if r := b.audit(); r.Balances != (Sum{Lo: 804}) || r.Totals.ChargeCount != 101 {
		t.Errorf("%+v", r)
	}
	goleak.VerifyNone(t, goleak.IgnoreCurrent())
}

// Sums go beyond 64 bits, and stay exact there.
func TestP7AuditIsExactBeyond64Bits(t *testing.T) {
	b := newBench(t, Options{})
	for n := range 5 {
		b.give(account(n), amount.Max)
	}
	b.charge(account(0), amount.Max)
	b.give(account(0), amount.Max-3)
	b.reopen()
	r := b.audit()
	if want := "92233720368547758072"; r.Balances.String() != want || r.Totals.Balance().String() != want {
		t.Errorf("%v, %v, want %v", r.Balances, r.Totals.Balance(), want)
	}
}
