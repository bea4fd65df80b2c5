//go:build linux

package main

// This file reads the books of a ledger from a copy of its directory, with the same packages that the gateway is made of.

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/store"
)

// credit is one that stands in the history.
type credit struct {
	account balances.Account
	amount  amount.Amount
}

// books are what a ledger holds.
type books struct {
	sequence uint64
	report   balances.Report
	balances map[balances.Account]amount.Amount
	credits  map[[32]byte][]credit // those that were not taken back
	charges  map[balances.Account]sum
	wrong    []violation
}

func newBooks() *books {
	return &books{
		balances: make(map[balances.Account]amount.Amount), credits: make(map[[32]byte][]credit), charges: make(map[balances.Account]sum),
	}
}

// readBooks opens the ledger in dir, which is changed by it as by any opening, audits it and reads it all. An error means that it could not
// be opened; what is wrong in it is in wrong.
func readBooks(ctx context.Context, dir string) (b *books, err error) {
	defer func() {
		if v := recover(); v != nil { // Badger panics on some damaged files
			b, err = nil, fmt.Errorf("reading the ledger panics: %v", v)
		}
	}()
	s, err := store.Open(ctx, dir, store.Options{MinFree: 1})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := balances.Open(s, balances.Options{})
	if err != nil {
		return nil, err
	}
	b = newBooks()
	if b.report, err = l.Audit(ctx); err != nil {
		b.wrong = append(b.wrong, violation(err.Error()))
	}
	b.sequence = b.report.Sequence
	if err := l.Each(ctx, func(a balances.Account, balance amount.Amount) error {
		b.balances[a] = balance
		return nil
	}); err != nil {
		return nil, err
	}
	for a := range b.balances {
		if err := b.read(ctx, l, a); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// read adds the history of one account.
func (b *books) read(ctx context.Context, l *balances.Ledger, a balances.Account) error {
	in, out := uint64(0), uint64(0)
	err := l.History(ctx, a, func(e balances.Event) error { return b.event(a, e, &in, &out) })
	if err == nil && in-out != uint64(b.balances[a]) {
		b.wrong = append(b.wrong, violation(fmt.Sprintf("account %x has %d, and its history makes %d", a[:6], b.balances[a], in-out)))
	}
	return err
}

// event adds an event to the sums of the account. The history is in its order, so what was spent is never above what had come.
func (b *books) event(a balances.Account, e balances.Event, in, out *uint64) error {
	switch e.Kind {
	case balances.Credited:
		b.credits[e.Condition] = append(b.credits[e.Condition], credit{a, e.Amount})
		*in += uint64(e.Amount)
	case balances.Reversed:
		n := len(b.credits[e.Condition])
		if n == 0 {
			return fmt.Errorf("a credit of %x is taken back and was never made", e.Condition[:6])
		}
		b.credits[e.Condition] = b.credits[e.Condition][:n-1]
		*in -= uint64(e.Amount)
	case balances.Settled:
		b.charges[a] = b.charges[a].and(sum{e.Count, e.Charges.Lo})
		*out += e.Charges.Lo
	default:
		return fmt.Errorf("account %x has a record of kind %q, and nobody adjusts here", a[:6], e.Kind)
	}
	if *out > *in {
		b.wrong = append(b.wrong, violation(fmt.Sprintf("NEGATIVE: account %x was %d below zero after group %d", a[:6], *out-*in, e.Sequence)))
	}
	return nil
}

// same says whether two ledgers hold the same.
func (b *books) same(o *books) bool {
	return b.report.Totals == o.report.Totals && b.report.Events == o.report.Events && reflect.DeepEqual(b.balances, o.balances) &&
		reflect.DeepEqual(b.credits, o.credits) && reflect.DeepEqual(b.charges, o.charges)
}
