package balances

// This file is charging: an amount is reserved before there is anything to pay for, and settled or released after.

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/internal/failpoint"
	"github.com/paydoor/paydoor/store"
)

var (
	// ErrOvercharge says that a Settle asks for more than was reserved. The reservation stays open.
	ErrOvercharge = errors.New("the charge is more than what was reserved")
	// ErrDone says that a reservation was settled or released before.
	ErrDone = errors.New("the reservation is already settled or released")
)

// Insufficient is the error of a Reserve that asks for too much. It wraps ErrInsufficient.
type Insufficient struct {
	Balance amount.Amount // what could have been reserved
}

func (e *Insufficient) Error() string {
	return fmt.Sprintf("%v: %d is spendable", ErrInsufficient, e.Balance)
}

func (e *Insufficient) Unwrap() error { return ErrInsufficient }

// Reservation is an amount that only its holder can spend. It lives in memory: a crash releases it. Whoever has one must end it, by
// Settle or Release.
type Reservation struct {
	ledger  *Ledger
	account Account
	price   amount.Amount
	left    amount.Amount
	done    atomic.Bool
}

// Reserve takes price off what the account may spend, in memory only. An account that does not have it, or is unknown, gets
// *Insufficient, and nothing is remembered of an unknown one. A price of 0 is always there. Other errors: ErrBusy, ErrUnavailable, or that
// ctx ended; nothing is reserved then.
func (l *Ledger) Reserve(ctx context.Context, a Account, price amount.Amount) (*Reservation, error) {
	if err := l.ready(); err != nil {
		return nil, err
	}
	r := &Reservation{ledger: l, account: a, price: price}
	if price == 0 {
		return r, nil
	}
	err := l.accounts.update(ctx, a, false, func(e *entry) error {
		if e.spendable() < price {
			return &Insufficient{Balance: e.spendable()}
		}
		e.reserved += price
		e.open++
		l.store.Expect(1)
		r.left = e.spendable()
		return nil
	})
	if err == errUnknown {
		err = &Insufficient{}
	}
	if err != nil {
		return nil, l.explain(err)
	}
	return r, nil
}

// Price is what was reserved.
func (r *Reservation) Price() amount.Amount { return r.price }

// Left is what the account could spend beside the reservation when that was made; 0 for one of nothing.
func (r *Reservation) Left() amount.Amount { return r.left }

// Settle charges the account and releases the rest of the reservation. It returns what the account may spend afterwards, when
// the charge is as durable as Options.Durability asks for. A charge of 0 releases everything and writes nothing.
//
// Errors: ErrOvercharge (charge is above the reserved price) changes nothing; ErrDone. ErrUnavailable: if it wraps store.ErrPoisoned, or the
// error of ctx, which ended while the charge was on its way to the disk, then the charge may or may not be made (it is, after ctx
// ended, unless the store fails); else it is not made, and the reservation is released.
func (r *Reservation) Settle(ctx context.Context, charge amount.Amount) (balance amount.Amount, err error) {
	if charge > r.price {
		return 0, ErrOvercharge
	}
	if !r.done.CompareAndSwap(false, true) {
		return 0, ErrDone
	}
	if charge == 0 {
		return r.giveBack(), nil
	}
	l := r.ledger
	now := uint32(l.now().Unix())
	var ticket store.Ticket
	err = l.accounts.update(ctx, r.account, false, func(e *entry) error {
		e.reserved -= r.price
		e.open--
		var err error
		l.store.Expect(-1)
		ticket, err = l.store.Join(func(g *store.Group) {
			l.charge(g, r.account, e, charge, now)
		})
		balance = e.spendable()
		return err
	})
	if err != nil {
		return balance, l.explain(err)
	}
	failpoint.Hit("balances/charge-joined")
	defer l.foldSome()
	if l.durability == Process && l.store.Backlog() <= waitBacklog {
		return balance, nil
	}
	if err := ticket.Wait(ctx); err != nil {
		return balance, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return balance, nil
}

// Release gives the reserved amount back, and returns what the account may spend then. It may be called at any time and more than once;
// after Settle it changes nothing.
func (r *Reservation) Release() (balance amount.Amount) {
	if r.done.CompareAndSwap(false, true) {
		return r.giveBack()
	}
	b, err := r.ledger.Balance(context.Background(), r.account)
	if err != nil {
		return 0 // the ledger is closed or has failed: nothing can be spent
	}
	return b.Spendable
}

// giveBack ends the reservation without a charge. The entry is in memory as long as the reservation is open.
func (r *Reservation) giveBack() (balance amount.Amount) {
	err := r.ledger.accounts.update(context.Background(), r.account, false, func(e *entry) error {
		if r.price > 0 {
			e.reserved -= r.price
			e.open--
			r.ledger.store.Expect(-1)
		}
		balance = e.spendable()
		return nil
	})
	if err != nil { // only without a reserve: an unknown account, or a closed store
		return 0
	}
	return balance
}
