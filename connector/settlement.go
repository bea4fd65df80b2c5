package connector

// This file is what settlement needs of the books: money that came in beside the packets, and money that goes out so.

import (
	"context"
	"fmt"
	"math"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// Credit takes in a settlement of y base units from the account's holder: it first pays a negative clearing balance, and the rest becomes
// prepaid. It returns the balance after it, durable. along, if not nil, puts records of the caller into the same group: both are
// durable or neither, so that a settlement that is told twice can be recognised; without a store it is not called. The error is ErrRange,
// the store's, or ctx's, which leaves the credit standing.
func (b *Books) Credit(ctx context.Context, id ilpcore.AccountID, y amount.Amount, along func(*store.Group)) (Balance, error) {
	n, ok := signed(y)
	if !ok {
		return Balance{}, fmt.Errorf("account %q: %w", id, ErrRange)
	}
	return b.change(ctx, id, along, func(e *entry) error {
		debt := int64(0)
		if e.Clearing < 0 {
			debt = n
			if e.Clearing > -n {
				debt = -e.Clearing
			}
		}
		prepaid, ok := sum(e.Prepaid, n-debt)
		if !ok || !fits(e.Clearing+debt, prepaid, e.expected) {
			return ErrRange
		}
		e.Clearing += debt
		e.Prepaid = prepaid
		return nil
	})
}

// Payout is what the node has to pay now: where the clearing balance, without what packets under way have taken, is threshold or more and more than to,
// it is lowered to that, durably, and the difference returned; else 0. Whoever pays does so after this, and calls Refund if it
// fails. along, if not nil, puts records of the caller about what is due into the same group, so that it is paid even if the process dies; without a
// store, and where nothing is due, it is not called. The error is ErrRange, the store's, or ctx's, which leaves the balance lowered.
func (b *Books) Payout(ctx context.Context, id ilpcore.AccountID, threshold, to int64, along func(g *store.Group, due amount.Amount)) (due amount.Amount, err error) {
	with := func(g *store.Group) {
		if along != nil {
			along(g, due)
		}
	}
	_, err = b.change(ctx, id, with, func(e *entry) error {
		due = 0
		free := e.Clearing - e.held.Clearing
		if free < threshold || free <= to {
			return errUnchanged
		}
		n, ok := difference(free, to)
		if !ok {
			return ErrRange
		}
		e.Clearing -= n
		due = amount.Amount(n)
		return nil
	})
	return due, err
}

// Refund adds back what Payout took when it could not be paid. along is as of Credit. The error is ErrRange, the store's, or ctx's, which leaves the refund standing.
func (b *Books) Refund(ctx context.Context, id ilpcore.AccountID, y amount.Amount, along func(*store.Group)) (Balance, error) {
	n, ok := signed(y)
	if !ok {
		return Balance{}, fmt.Errorf("account %q: %w", id, ErrRange)
	}
	return b.change(ctx, id, along, func(e *entry) error {
		clearing, ok := sum(e.Clearing, n)
		if !ok || !fits(clearing, e.Prepaid, e.expected) {
			return ErrRange
		}
		e.Clearing = clearing
		return nil
	})
}

// errUnchanged ends a change that has nothing to do.
var errUnchanged = fmt.Errorf("nothing to change")

// change makes f's change to an account durable. f leaves the entry alone when it returns an error. It is called twice: with a copy of the entry,
// so that what changes nothing writes nothing, and in the join.
func (b *Books) change(ctx context.Context, id ilpcore.AccountID, along func(*store.Group), f func(*entry) error) (after Balance, err error) {
	b.mu.Lock()
	tried := *b.entry(id)
	b.mu.Unlock()
	if err := f(&tried); err != nil {
		return unchanged(tried, err)
	}
	var made entry
	wait, failed := b.join(func(g *store.Group) {
		e := b.entry(id)
		if err = f(e); err == nil && g != nil {
			putBalance(g, e)
			if along != nil {
				along(g)
			}
		}
		made = *e
	})
	switch {
	case failed != nil:
		return Balance{}, failed
	case err != nil:
		return unchanged(made, err)
	}
	return made.Balance, wait(ctx)
}

func unchanged(e entry, err error) (Balance, error) {
	if err == errUnchanged {
		return e.Balance, nil
	}
	return Balance{}, fmt.Errorf("account %q: %w", e.id, err)
}

// difference returns a - b, which is positive; ok is false when it does not fit.
func difference(a, b int64) (n int64, ok bool) {
	d := uint64(a) - uint64(b)
	return int64(d), d <= math.MaxInt64
}
