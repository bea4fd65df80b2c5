package balances

// This file is adjusting: the operator raises or lowers a balance by hand.

import (
	"context"
	"fmt"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// Adjustment is a change of a balance that no packet or request has made.
type Adjustment struct {
	Account Account
	Amount  amount.Amount
	Lower   bool          // take the amount away instead of adding it
	Max     amount.Amount // what the balance may be after raising; 0: no maximum
	Note    string        // at most MaxNote bytes, kept in the history
}

// Adjust raises or lowers a balance, and returns what may be spent afterwards when that is durable. Only what is spendable can be taken
// away: more is *Insufficient. Other errors: ErrMaxBalance, ErrAsset, ErrBusy, and ErrUnavailable as for Settle. It is not
// idempotent: after an unknown outcome look at the history first.
func (l *Ledger) Adjust(ctx context.Context, a Adjustment) (balance amount.Amount, err error) {
	if len(a.Note) > MaxNote {
		return 0, fmt.Errorf("a note has at most %d bytes, not %d", MaxNote, len(a.Note))
	}
	if err := l.ready(); err != nil {
		return 0, err
	}
	if asset, _ := l.Asset(); asset.Code == "" {
		return 0, fmt.Errorf("%w: none, because PinAsset was not called", ErrAsset)
	}
	if a.Amount == 0 {
		b, err := l.Balance(ctx, a.Account)
		return b.Spendable, err
	}
	join := l.joinRaise
	if a.Lower {
		join = l.joinLower
	}
	var ticket store.Ticket
	err = l.accounts.update(ctx, a.Account, !a.Lower, func(e *entry) error {
		ticket, err = join(a, e)
		return err
	})
	if err == errUnknown {
		err = &Insufficient{}
	}
	if err != nil {
		return 0, l.explain(err)
	}
	if err := ticket.Wait(ctx); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	b, err := l.Balance(ctx, a.Account)
	return b.Spendable, err
}

func (l *Ledger) joinLower(a Adjustment, e *entry) (store.Ticket, error) {
	if e.spendable() < a.Amount {
		return store.Ticket{}, &Insufficient{Balance: e.spendable()}
	}
	return l.store.Join(func(g *store.Group) {
		l.change(g, a.Account, e, e.balance-a.Amount)
		l.note(g, a.Account, Event{Kind: Lowered, Amount: a.Amount, Note: a.Note})
		l.totals.Lowered = l.totals.Lowered.Plus(a.Amount)
		l.unput = true
	})
}

// joinRaise adds the amount on hold: like a credit it can be spent once it is durable.
func (l *Ledger) joinRaise(a Adjustment, e *entry) (store.Ticket, error) {
	after, ok := e.balance.Add(a.Amount)
	if !ok || (a.Max != 0 && after > a.Max) {
		return store.Ticket{}, ErrMaxBalance
	}
	ticket, err := l.store.Join(func(g *store.Group) {
		l.change(g, a.Account, e, after)
		l.note(g, a.Account, Event{Kind: Raised, Amount: a.Amount, Note: a.Note})
		l.totals.Raised = l.totals.Raised.Plus(a.Amount)
		l.unput = true
		l.putAsset(g)
		g.AfterCommit(func() { l.raised(a) })
	})
	if err == nil {
		e.held += a.Amount
		e.open++
	}
	return ticket, err
}

// raised ends the hold. The entry is in memory as long as there is one, so this cannot fail.
func (l *Ledger) raised(a Adjustment) {
	_ = l.accounts.update(context.Background(), a.Account, false, func(e *entry) error {
		e.held -= a.Amount
		e.open--
		return nil
	})
}
