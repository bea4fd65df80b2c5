package balances

// This file makes ledgers add up again after every kind of loss.

import (
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

func TestReconcileMakesTheLedgerAddUp(t *testing.T) {
	const whole, noBalance, noHistory, altered, spent, empty = 1, 2, 3, 4, 5, 6
	b := newBench(t, Options{SkipAudit: true})
	for n := range spent {
		b.give(account(n+1), amount.Amount(100*(n+1)))
	}
	for _, n := range []int{whole, altered, spent} {
		r, err := b.Reserve(ctx, account(n), 30)
		if err == nil {
			_, err = r.Settle(ctx, 30)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var histories [][]byte
	err := b.store.Iterate([]byte(historyPrefix), func(key, _ []byte) error {
		if a := Account(key[len(historyPrefix):]); a == account(noHistory) || a == account(spent) {
			histories = append(histories, append([]byte(nil), key...))
		}
		return nil
	})
	if err != nil || len(histories) != 2 {
		t.Fatal(len(histories), err)
	}
	ticket, err := b.store.Join(func(g *store.Group) {
		g.Delete(balanceKey(account(noBalance)))
		more := record{balance: amount.Max}.encode()
		g.Put(balanceKey(account(altered)), more[:])
		nothing := record{}.encode()
		g.Put(balanceKey(account(empty)), nothing[:])
		for _, key := range histories {
			g.Delete(key)
		}
		wrong := Totals{}.encode()
		g.Put([]byte(totalsKey), wrong)
	})
	if err != nil || ticket.Wait(ctx) != nil {
		t.Fatal(err)
	}
	b.reopen()
	_, err = b.Audit(ctx)
	is(t, err, ErrAudit)

	for range 2 { // the second time there is nothing to do
		if err := b.Reconcile(ctx, "accepted: "+strings.Repeat("x", 300)); err != nil {
			t.Fatal(err)
		}
		b.reopen()
		report, err := b.Audit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if report.Accounts != spent || report.Events > 12 {
			t.Errorf("%d accounts with %d events", report.Accounts, report.Events)
		}
	}
	for n, want := range map[int]amount.Amount{whole: 70, noBalance: 200, noHistory: 300, altered: amount.Max, spent: 470} {
		if got, err := b.Balance(ctx, account(n)); err != nil || got.Durable != want {
			t.Errorf("account %d has %v, not %v (%v)", n, got.Durable, want, err)
		}
	}
	var notes int
	err = b.History(ctx, account(noHistory), func(e Event) error {
		if e.Kind == Raised && e.Amount == 300 && strings.HasPrefix(e.Note, "accepted: x") && len(e.Note) == MaxNote {
			notes++
		}
		return nil
	})
	if err != nil || notes != 1 {
		t.Errorf("%d events say what was given up (%v)", notes, err)
	}
	b.o.SkipAudit = false
	b.reopen()
}
