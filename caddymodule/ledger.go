package caddymodule

// This file lends the ledger to the paywall: each operation holds a lease on the open books, and a reservation holds it until it is
// settled or released, however long the request outlives its config.

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/paywall"
	"github.com/paydoor/paydoor/receiver"
)

// ledger is the paywall's Ledger.
type ledger struct{ app *App }

func (l *ledger) Balance(ctx context.Context, account balances.Account) (amount.Amount, error) {
	b, held, err := l.app.lease()
	if err != nil {
		return 0, err
	}
	defer held.end()
	balance, err := b.ledger.Balance(ctx, account)
	return balance.Spendable, err
}

func (l *ledger) Reserve(ctx context.Context, account balances.Account, price amount.Amount) (paywall.Reservation, error) {
	b, held, err := l.app.lease()
	if err != nil {
		return nil, err
	}
	reserved, err := b.ledger.Reserve(ctx, account, price)
	if err != nil {
		held.end()
		return nil, err
	}
	return &reservation{Reservation: reserved, held: held}, nil
}

// lease opens the app if need be; see running.lease.
func (a *App) lease() (*books, lease, error) {
	r, err := a.open()
	if err != nil {
		return nil, lease{}, err
	}
	return r.lease()
}

// reservation ends its lease with whichever comes first; the paywall may release after a settle that failed.
type reservation struct {
	*balances.Reservation
	held  lease
	ended atomic.Bool
}

func (r *reservation) end() {
	if r.ended.CompareAndSwap(false, true) {
		r.held.end()
	}
}

func (r *reservation) Settle(ctx context.Context, charge amount.Amount) (amount.Amount, error) {
	balance, err := r.Reservation.Settle(ctx, charge)
	if err == nil {
		if t := r.held.running.books.tally.Load(); t != nil && charge > 0 {
			t.charged.add(charge)
		}
		r.end()
	}
	return balance, err
}

func (r *reservation) Release() amount.Amount {
	defer r.end()
	return r.Reservation.Release()
}

// quoter is the paywall's Quoter.
type quoter struct{ app *App }

func (q *quoter) Quote(request paywall.QuoteRequest) (paywall.Quote, error) {
	r, err := q.app.open()
	if err != nil {
		return paywall.Quote{}, err
	}
	node, _, _ := r.node.Address()
	if request.Paid {
		if quote, ok := r.quotes.find(request.Account, request.Price, string(node)); ok {
			return quote, nil
		}
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
	made := paywall.Quote{Address: quote.Address, Secret: base64.RawURLEncoding.EncodeToString(quote.SharedSecret[:])}
	if request.Paid && strings.HasPrefix(made.Address, string(node)+".") { // the address may have changed just now
		r.quotes.keep(request.Account, request.Price, string(node), made)
	}
	return made, nil
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
