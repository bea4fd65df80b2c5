package caddymodule

// This file lends the ledger to the paywall: each operation holds a lease on the open books, and a reservation holds it until it is
// settled or released, however long the request outlives its config.

import (
	"context"
	"encoding/base64"
	"errors"
	"sync"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/paywall"
	"github.com/paydoor/paydoor/receiver"
)

// ledger is the paywall's Ledger.
type ledger struct{ app *App }

func (l *ledger) Balance(ctx context.Context, account balances.Account) (amount.Amount, error) {
	b, end, err := l.app.lease()
	if err != nil {
		return 0, err
	}
	defer end()
	balance, err := b.ledger.Balance(ctx, account)
	return balance.Spendable, err
}

func (l *ledger) Reserve(ctx context.Context, account balances.Account, price amount.Amount) (paywall.Reservation, error) {
	b, end, err := l.app.lease()
	if err != nil {
		return nil, err
	}
	reserved, err := b.ledger.Reserve(ctx, account, price)
	if err != nil {
		end()
		return nil, err
	}
	return &reservation{Reservation: reserved, books: b, end: end}, nil
}

// lease opens the app if need be; see running.lease.
func (a *App) lease() (*books, func(), error) {
	r, err := a.open()
	if err != nil {
		return nil, nil, err
	}
	return r.lease()
}

// reservation ends its lease with whichever comes first; the paywall may release after a settle that failed.
type reservation struct {
	*balances.Reservation
	books *books
	once  sync.Once
	end   func()
}

func (r *reservation) Settle(ctx context.Context, charge amount.Amount) (amount.Amount, error) {
	balance, err := r.Reservation.Settle(ctx, charge)
	if err == nil {
		if t := r.books.tally.Load(); t != nil && charge > 0 {
			t.charged.add(charge)
		}
		r.once.Do(r.end)
	}
	return balance, err
}

func (r *reservation) Release() amount.Amount {
	defer r.once.Do(r.end)
	return r.Reservation.Release()
}

// quoter is the paywall's Quoter.
type quoter struct{ app *App }

func (q *quoter) Quote(request paywall.QuoteRequest) (paywall.Quote, error) {
	r, err := q.app.open()
	if err != nil {
		return paywall.Quote{}, err
	}
	due := request.Price
	if request.OneTime {
		due = request.Shortfall
	}
	quote, err := r.receiver.Quote(receiver.QuoteRequest{
		Payee: receiver.TokenPayee(request.Account), Token: request.Token, Due: due, Capped: request.OneTime,
	})
	if errors.Is(err, receiver.ErrNoAddress) {
		return paywall.Quote{}, paywall.ErrNoAddress
	}
	if err != nil {
		return paywall.Quote{}, err
	}
	return paywall.Quote{Address: quote.Address, Secret: base64.RawURLEncoding.EncodeToString(quote.SharedSecret[:])}, nil
}

// asset is what prices count, once the node knows.
func (a *App) asset() (paywall.Asset, bool) {
	r, err := a.open()
	if err != nil {
		return paywall.Asset{}, false
	}
	_, asset, ok := r.node.Address()
	return paywall.Asset(asset), ok
}

var (
	_ paywall.Ledger      = (*ledger)(nil)
	_ paywall.Reservation = (*reservation)(nil)
	_ paywall.Quoter      = (*quoter)(nil)
)
