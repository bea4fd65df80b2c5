package balances

// This file makes a ledger add up again that has lost something, for an operator who has accepted that: the difference of each account
// becomes an event of its history, so that it is seen for ever what was given up, and to whom.

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math/big"
	"strings"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// difference is between what an account has and what its history makes.
type difference struct {
	account Account
	missing bool          // there is no balance
	balance amount.Amount // that it will have
	by      *big.Int      // how much more that is than what the history makes
}

// Reconcile makes histories and totals what the balances are: each difference is written down as an adjustment with the note. An account that
// has lost its balance gets the one that its history makes. Call it on a ledger that nobody uses, opened with Options.SkipAudit; it
// returns when all is durable. If it is broken off, call it again.
func (l *Ledger) Reconcile(ctx context.Context, note string) error {
	if len(note) > MaxNote {
		note = strings.ToValidUTF8(note[:MaxNote], "")
	}
	var found []difference
	var all Totals
	err := l.store.View(func(v *store.View) (err error) {
		found, all, err = differences(ctx, v)
		return err
	})
	if err != nil {
		return l.explain(err)
	}
	for _, d := range found {
		events := d.events(note)
		for _, e := range events {
			all.count(e)
		}
		_, err := l.store.Join(func(g *store.Group) {
			switch {
			case d.missing:
				value := record{balance: d.balance}.encode()
				g.Put(balanceKey(d.account), value[:])
			case len(events) == 0: // nothing, with no history
				g.Delete(balanceKey(d.account))
			}
			for _, e := range events {
				l.note(g, d.account, e)
			}
		})
		if err != nil {
			return l.explain(err)
		}
	}
	ticket, err := l.store.Join(func(*store.Group) { l.totals, l.unput = all, true })
	if err != nil {
		return l.explain(err)
	}
	return l.wait(ctx, ticket)
}

// events are the adjustments that explain the difference.
func (d *difference) events(note string) (events []Event) {
	kind, left := Raised, new(big.Int).Abs(d.by)
	if d.by.Sign() < 0 {
		kind = Lowered
	}
	for most := new(big.Int).SetUint64(uint64(amount.Max)); left.Sign() > 0; {
		part := most
		if left.Cmp(most) < 0 {
			part = left
		}
		events = append(events, Event{Kind: kind, Amount: amount.Amount(part.Uint64()), Note: note})
		left = new(big.Int).Sub(left, part)
	}
	return events
}

// differences walks through balances and histories side by side, and also returns what all histories make.
func differences(ctx context.Context, v *store.View) (found []difference, all Totals, err error) {
	var failed error
	next, stop := iter.Pull2(balancesIn(v, &failed))
	defer stop()
	account, held, more := next()
	compare := func(a Account, history Totals, hasHistory bool) {
		d := difference{account: a, missing: !more || account != a}
		if !d.missing {
			if held.pending.count > 0 {
				history.count(held.pending.event())
			}
			d.balance = held.balance
			account, held, more = next()
		} else if made := history.Balance(); made.IsUint64() {
			d.balance = amount.Amount(made.Uint64())
		}
		all.add(history)
		d.by = new(big.Int).Sub(new(big.Int).SetUint64(uint64(d.balance)), history.Balance())
		if d.missing || !hasHistory || d.by.Sign() != 0 {
			found = append(found, d)
		}
	}
	// Those before a with a balance have no history.
	upTo := func(a *Account) {
		for more && (a == nil || bytes.Compare(account[:], a[:]) < 0) {
			compare(account, Totals{}, false)
		}
	}
	var current *Account
	var history Totals
	err = v.Iterate([]byte(historyPrefix), nil, func(key, value []byte) error {
		e, err := readHistory(key, value)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if a := Account(key[len(historyPrefix):]); current == nil || a != *current {
			if current != nil {
				compare(*current, history, true)
			}
			upTo(&a)
			current, history = &a, Totals{}
		}
		history.count(e)
		return nil
	})
	if err == nil && current != nil {
		compare(*current, history, true)
	}
	if err == nil {
		upTo(nil)
	}
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, Totals{}, fmt.Errorf("reading what is left of the ledger: %w", err)
	}
	return found, all, nil
}
