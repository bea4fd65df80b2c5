package balances

// This file is more of what the model does: adjustments, forgetting, restarts, failures of the store, and what must hold after each.

import (
	"errors"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

const modelRetention = 20 * time.Minute

// modelCheck is what holds at all times: every balance, the sums of everything that ever happened, and that they explain each other.
func (b *bench) modelCheck(rt *rapid.T, m *model) {
	if now := b.clock.now(); now.After(m.latest) {
		m.latest = now
	}
	total := Sum{}
	for n := range 4 {
		b.want(account(n), m.spendable(account(n)), m.reserved[account(n)])
		total = total.Plus(m.balance[account(n)])
	}
	if r := b.audit(); r.Balances != total || r.Totals != m.totals {
		rt.Fatalf("%+v, want balances of %v and %+v", r, total, m.totals)
	}
}

func (b *bench) modelRestart(rt *rapid.T, m *model) {
	if rapid.Bool().Draw(rt, "crash") {
		old := b.store
		b.dir = b.crash().dirAfterClosing()
		if err := old.Close(); err != nil {
			rt.Fatal(err)
		}
		b.open()
	} else {
		b.reopen()
	}
	m.forgetReservations()
	m.before = m.kept - b.clock.since()
}

func (b *bench) modelForget(rt *rapid.T, m *model) {
	b.clock.pass(time.Duration(rapid.IntRange(0, 2).Draw(rt, "hours")) * time.Hour)
	for range rapid.IntRange(1, 3).Draw(rt, "steps") {
		b.foldSome()
		b.settleStore()
		b.clock.pass(foldPause)
	}
}

func (b *bench) modelAdjust(rt *rapid.T, m *model) {
	x := Adjustment{
		Account: account(rapid.IntRange(0, 3).Draw(rt, "account")),
		Amount:  amount.Amount(drawAmount.Draw(rt, "amount")),
		Lower:   rapid.Bool().Draw(rt, "lower"),
		Note:    rapid.SampledFrom([]string{"", "note"}).Draw(rt, "note"),
		ID:      rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(rt, "ID"),
	}
	earlier, known := m.adjusted[x.ID]
	if known && rapid.Bool().Draw(rt, "again") {
		x = earlier.Adjustment
	}
	known = known && x.Amount > 0 && !b.forgotten(m, earlier)
	got, err := b.Adjust(ctx, x)
	after, fits := m.balance[x.Account].Add(x.Amount)
	switch {
	case known && earlier.Adjustment != x:
		is(b.t, err, ErrConflict)
		return
	case known:
		is(b.t, err, nil)
	case x.Lower && m.spendable(x.Account) < x.Amount:
		is(b.t, err, ErrInsufficient)
		return
	case !x.Lower && !fits:
		is(b.t, err, ErrMaxBalance)
		return
	default:
		is(b.t, err, nil)
		m.adjust(x, after, b.clock.now())
	}
	if got != m.spendable(x.Account) {
		rt.Fatalf("%d after %+v, want %d", got, x, m.spendable(x.Account))
	}
}

// forgotten says whether the ledger no longer knows the ID. It may forget it when the event is old, and not before.
func (b *bench) forgotten(m *model, x adjustedAt) bool {
	_, err := b.store.Get(adjustmentKey(x.ID))
	if err == nil {
		return false
	}
	is(b.t, err, store.ErrNotFound)
	if now := b.clock.now(); now.After(m.latest) {
		m.latest = now
	}
	if !x.at.Before(m.latest.Add(-modelRetention)) {
		b.t.Fatalf("ID %q was forgotten early", x.ID)
	}
	return true
}

func (m *model) adjust(x Adjustment, after amount.Amount, now time.Time) {
	if x.Amount == 0 {
		return
	}
	if x.Lower {
		m.balance[x.Account] -= x.Amount
	} else {
		m.balance[x.Account] = after
	}
	m.totals.count(Event{Kind: x.kind(), Amount: x.Amount})
	if x.ID != "" {
		m.adjusted[x.ID] = adjustedAt{x, now}
	}
}

// modelFailure has the store fail during a change, which is then there when the store is opened again if it came that far.
func (b *bench) modelFailure(rt *rapid.T, m *model) {
	a := account(rapid.IntRange(0, 3).Draw(rt, "account"))
	n := amount.Amount(rapid.Uint64Range(1, 9).Draw(rt, "amount"))
	points := []store.Point{store.BeforeCommit, store.AfterCommit, store.BeforeRelease}
	if !b.so.Journal { // with one, the sidecar is no part of the commit
		points = append(points, store.BeforeSidecar)
	}
	at := rapid.SampledFrom(points).Draw(rt, "point")
	made := at != store.BeforeCommit
	mark := fmt.Sprint("failure ", b.store.Durable())
	what := rapid.SampledFrom([]string{"credit", "charge", "raise", "lower"}).Draw(rt, "what")
	after, fits := m.balance[a].Add(n)
	taking := what == "charge" || what == "lower"
	if taking && m.spendable(a) < n || !taking && !fits {
		rt.Skip("not possible")
	}
	b.foldSome() // so that it is not this that fails
	b.settleStore()
	var err error
	var change func()
	switch what {
	case "credit":
		c := Credit{Account: a, Amount: n, Condition: digest(mark)}
		change = func() { m.credit(c, m.before+b.clock.since()) }
		b.failAt(at, b.store.Durable()+1)
		_, err = b.Credit(ctx, c)
	case "charge":
		r := b.reserve(a, n)
		change = func() { m.charge(a, n) }
		b.failAt(at, b.store.Durable()+1)
		_, err = r.Settle(ctx, n)
	default:
		x := Adjustment{Account: a, Amount: n, Lower: what == "lower", ID: mark}
		change = func() { m.adjust(x, after, b.clock.now()) }
		b.failAt(at, b.store.Durable()+1)
		_, err = b.Adjust(ctx, x)
	}
	b.fault.Store(nil)
	is(b.t, err, ErrUnavailable)
	is(b.t, err, store.ErrPoisoned)
	if made {
		change()
	}
	if err := b.store.Close(); err != nil && !errors.Is(err, store.ErrPoisoned) {
		rt.Fatal(err)
	}
	b.open()
	m.forgetReservations()
	m.before = m.kept - b.clock.since()
}
