package balances

// This file is crediting: once per condition, spendable when durable, and taken back when that was too late.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/internal/failpoint"
	"github.com/paydoor/paydoor/store"
)

var (
	errEnough = errors.New("enough")
	// errNotThis ends a flight that changed nothing, for those who waited for it: they look for themselves.
	errNotThis = errors.New("not credited")
)

// Credit is an amount that came with a packet.
type Credit struct {
	Account   Account
	Amount    amount.Amount
	Condition [32]byte      // the packet's execution condition: it is credited at most once
	Digest    [32]byte      // of what else must be the same in a repetition
	Deadline  time.Time     // when the credit must be durable by Options.Now; zero: any time
	Max       amount.Amount // what the balance may be afterwards; 0: no maximum
	Along     Along         // what stands or falls with the credit; nil: nothing
}

// Along is a record of somebody else in the group of a credit. Its methods are called with locks of the ledger held, by whoever joins or commits:
// they are quick, and use neither the ledger nor the store by other means than g. A credit that adds nothing calls none of them.
type Along interface {
	Put(g *store.Group)  // the credit is joining
	Keep()               // it is durable in time, and stands; nobody has been told yet
	Undo(g *store.Group) // it is durable too late, and its reversal is joining
}

// Credit adds the amount to the account, and returns when that is durable and can be spent. repeated says that it was credited before,
// with the same account, amount and digest: fulfil again, nothing was added. A condition is remembered for ten minutes of
// operation, across restarts, whenever its packet expires.
//
// Errors: ErrMismatch (the condition is known with other content), ErrMaxBalance, ErrBusy, ErrAsset (PinAsset was never called), and
// ErrTooLate: nothing was added. ErrTooLate can also come after the credit was durable, but past its deadline; it was never spendable
// then, and is durably taken back. ErrUnavailable wrapping store.ErrPoisoned: the outcome is unknown until the store is
// opened again; wrapping the error of ctx: the credit goes on without the caller, becomes spendable if it is durable in time,
// and a repetition learns that; otherwise: nothing was added. An error of ctx alone: nothing was added.
//
// An amount of 0 adds nothing and is not remembered.
func (l *Ledger) Credit(ctx context.Context, c Credit) (repeated bool, err error) {
	if err := l.store.Err(); err != nil {
		return false, l.explain(err)
	}
	for {
		f, mine := l.known.begin(c)
		if mine {
			return l.credit(ctx, f)
		}
		switch err := l.await(ctx, f); {
		case err == nil && !same(c, f.credit.Account, f.credit.Amount, f.credit.Digest):
			return false, ErrMismatch
		case err == nil:
			return true, nil
		case errors.Is(err, ErrUnavailable):
			return false, err
		}
	}
}

func same(c Credit, a Account, amount amount.Amount, digest [32]byte) bool {
	return c.Account == a && c.Amount == amount && c.Digest == digest
}

// credit is Credit for the one caller per condition that does the work.
func (l *Ledger) credit(ctx context.Context, f *flight) (repeated bool, err error) {
	repeated, err = l.repeats(f.credit)
	if repeated || err != nil || f.credit.Amount == 0 {
		l.known.end(f, errNotThis, false)
		return repeated, err
	}
	if err = l.admit(f.credit); err == nil {
		err = l.joinCredit(ctx, f)
	}
	if err != nil {
		l.known.end(f, errNotThis, false)
		return false, err
	}
	return false, l.await(ctx, f)
}

// repeats looks for an earlier credit of the condition.
func (l *Ledger) repeats(c Credit) (bool, error) {
	earlier, found, err := l.earlier(c.Condition)
	if err != nil || !found {
		return false, err
	}
	if !same(c, earlier.account, earlier.amount, earlier.digest) {
		return false, ErrMismatch
	}
	return true, nil
}

// admit says whether a new credit is taken at all.
func (l *Ledger) admit(c Credit) error {
	if err := l.ready(); err != nil {
		return err
	}
	if !c.Deadline.IsZero() && l.now().After(c.Deadline) {
		return ErrTooLate
	}
	if asset, _ := l.Asset(); asset.Code == "" {
		return fmt.Errorf("%w: none, because PinAsset was not called", ErrAsset)
	}
	if l.known.full() {
		return fmt.Errorf("%w: too many credits in the last minutes", ErrBusy)
	}
	l.foldSome()
	if err := l.known.sweep(l.store); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// late says whether the deadline has passed, by the wall clock or, which counts when the wall clock is set back meanwhile, by the one
// that never jumps.
func (l *Ledger) late(f *flight) bool {
	d := f.credit.Deadline
	return !d.IsZero() && (l.now().After(d) || l.known.elapsed() > f.latest)
}

// distant is a deadline so far ahead that it need not be watched more exactly; sums with it do not overflow.
const distant = 24 * time.Hour

// joinCredit puts the credit into the group that gathers, on hold.
func (l *Ledger) joinCredit(ctx context.Context, f *flight) error {
	c := f.credit
	err := l.accounts.update(ctx, c.Account, true, func(e *entry) error {
		after, ok := e.balance.Add(c.Amount)
		if !ok || (c.Max != 0 && after > c.Max) {
			return ErrMaxBalance
		}
		now := l.now()
		f.minute = l.known.forgetAt()
		f.latest = l.known.elapsed() + min(c.Deadline.Sub(now), distant)
		_, err := l.store.Join(func(g *store.Group) {
			l.change(g, c.Account, e, after)
			g.Put(creditKey(f.minute, c.Condition), credited{c.Account, c.Amount, c.Digest, now}.encode())
			g.Put([]byte(clockKey), encodeClock(l.known.now()))
			l.note(g, c.Account, Event{Kind: Credited, Amount: c.Amount, Condition: c.Condition})
			l.totals.Credits = l.totals.Credits.Plus(c.Amount)
			l.totals.CreditCount++
			l.unput = true
			l.putAsset(g)
			l.known.remove(g)
			if c.Along != nil {
				c.Along.Put(g)
			}
			g.AfterCommit(func() { l.creditDurable(f) })
		})
		if err == nil {
			e.held += c.Amount
			e.open++
			failpoint.Hit("balances/credit-joined")
		}
		return err
	})
	return l.explain(err)
}

// putAsset pins the asset with the first money of the ledger. It is called in a join.
func (l *Ledger) putAsset(g *store.Group) {
	l.assetMu.Lock()
	defer l.assetMu.Unlock()
	if !l.pinned {
		l.pinned = true
		g.Put([]byte(assetKey), l.asset.encode())
	}
}

// creditDurable ends the hold on a credit whose group is on disk. It runs on the goroutine that commits, before anybody is told.
func (l *Ledger) creditDurable(f *flight) {
	c := f.credit
	tooLate := l.late(f)
	err := l.accounts.update(context.Background(), c.Account, false, func(e *entry) error {
		if tooLate {
			return l.reverse(f, e)
		}
		e.held -= c.Amount
		e.open--
		return nil
	})
	switch {
	case err != nil: // the store has failed: those who wait learn it from there, and the amount stays on hold
		l.log.Error("a late credit could not be taken back", zap.Error(err))
	case !tooLate:
		if c.Along != nil {
			c.Along.Keep()
		}
		l.known.end(f, nil, true)
	}
}

// reverse takes a late credit back in a later group. It stays on hold until it is gone, so nobody could spend it.
func (l *Ledger) reverse(f *flight, e *entry) error {
	c := f.credit
	failpoint.Hit("balances/reversing")
	_, err := l.store.FollowUp(func(g *store.Group) {
		l.change(g, c.Account, e, e.balance-c.Amount)
		g.Delete(creditKey(f.minute, c.Condition))
		l.note(g, c.Account, Event{Kind: Reversed, Amount: c.Amount, Condition: c.Condition})
		l.totals.Reversals = l.totals.Reversals.Plus(c.Amount)
		l.unput = true
		if c.Along != nil {
			c.Along.Undo(g)
		}
		g.AfterCommit(func() { l.known.end(f, ErrTooLate, false) })
	})
	if err == nil {
		e.held -= c.Amount
		e.open--
		failpoint.Hit("balances/reversed")
	}
	return err
}

// await returns how the flight ended, or ErrUnavailable when that cannot be known now.
func (l *Ledger) await(ctx context.Context, f *flight) error {
	select {
	case <-f.done:
		return f.err
	default:
	}
	select {
	case <-f.done:
		return f.err
	case <-l.store.Failed():
		select {
		case <-f.done:
			return f.err
		default:
			return l.explain(l.store.Err())
		}
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}
