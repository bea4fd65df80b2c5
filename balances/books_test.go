package balances

// This file tests what the ledger keeps beside balances: asset, history, adjustments and the audit.

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

func TestAssetIsPinnedByTheFirstCredit(t *testing.T) {
	b := newBench(t, Options{})
	is(t, b.PinAsset("EUR", 2), nil) // nothing is final yet
	is(t, b.PinAsset("", 2), ErrAsset)
	b.reopen() // asks for USD 9, and may
	b.give(account(1), 1)
	is(t, b.PinAsset("USD", 9), nil)
	is(t, b.PinAsset("USD", 2), ErrAsset)
	is(t, b.PinAsset("EUR", 9), ErrAsset)
	b.reopen()
	is(t, b.PinAsset("EUR", 9), ErrAsset)
	if got, pinned := b.Asset(); !pinned || got != (Asset{"USD", 9}) {
		t.Fatalf("%+v, %v", got, pinned)
	}
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "other"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := Open(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Credit(ctx, Credit{Amount: 1})
	is(t, err, ErrAsset)
}

func TestAdjustAndHistory(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	_, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 1, Lower: true})
	is(t, err, ErrInsufficient)
	_, err = b.Adjust(ctx, Adjustment{Account: a, Amount: 11, Max: 10})
	is(t, err, ErrMaxBalance)
	if got, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 10, Max: 10, Note: "a gift"}); got != 10 || err != nil {
		t.Fatal(got, err)
	}
	r := b.reserve(a, 4)
	_, err = b.Adjust(ctx, Adjustment{Account: a, Amount: 7, Lower: true})
	is(t, err, ErrInsufficient)
	if got, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 5, Lower: true, Note: "taken back"}); got != 1 || err != nil {
		t.Fatal(got, err)
	}
	if _, err := r.Settle(ctx, 4); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 1, Note: string(make([]byte, MaxNote+1))}); err == nil {
		t.Fatal("a long note")
	}
	b.give(account(2), 3)
	var got []string
	err = b.History(ctx, a, func(e Event) error {
		got = append(got, fmt.Sprintf("%c %d %q %d %v", e.Kind, e.Amount, e.Note, e.Count, e.Charges))
		return nil
	})
	want := []string{`+ 10 "a gift" 0 0`, `- 5 "taken back" 0 0`, `S 0 "" 1 4`}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%v, %v; want %v", got, err, want)
	}
	total := Sum{}
	is(t, b.Each(ctx, func(_ Account, n amount.Amount) error { total = total.Plus(n); return nil }), nil)
	if r := b.audit(); r.Balances != total || total != (Sum{Lo: 4}) || r.Totals.Raised.Lo != 10 || r.Totals.Lowered.Lo != 5 {
		t.Fatalf("%+v, %v", r, total)
	}
}

// An audit must be able to fail: a balance, an event or a total that is off by one is found.
func TestP7AuditFindsDifferences(t *testing.T) {
	a := account(1)
	harm := map[string]func(g *store.Group){
		"balance":         func(g *store.Group) { putRecord(g, a, record{balance: 9}) },
		"no balance":      func(g *store.Group) { g.Delete(balanceKey(a)) },
		"unheard balance": func(g *store.Group) { putRecord(g, account(99), record{}) },
		"pending":         func(g *store.Group) { putRecord(g, a, record{10, pending{1, 1, 1}}) },
		"history":         func(g *store.Group) { g.Put(historyKey(a, 77, 1), Event{Kind: Credited, Amount: 1}.encode()) },
		"no history":      func(g *store.Group) { g.Delete(historyKey(a, 1, 1)) },
		"stray history":   func(g *store.Group) { g.Put(historyKey(account(98), 1, 1), Event{Kind: Credited}.encode()) },
		"totals":          func(g *store.Group) { g.Put([]byte(totalsKey), Totals{Credits: Sum{Lo: 10}, CreditCount: 2}.encode()) },
		"unreadable":      func(g *store.Group) { g.Put(balanceKey(a), []byte{3, 0}) },
	}
	for name, f := range harm {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{})
			b.give(a, 10)
			b.audit()
			ticket, err := b.store.Join(f)
			if err != nil || ticket.Wait(ctx) != nil {
				t.Fatal(err)
			}
			_, err = b.Audit(ctx)
			if !errors.Is(err, ErrAudit) && !errors.Is(err, ErrRecord) {
				t.Fatal(err)
			}
		})
	}
}

func putRecord(g *store.Group, a Account, r record) {
	value := r.encode()
	g.Put(balanceKey(a), value[:])
}
