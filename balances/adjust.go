package balances

// This file is adjusting: the operator raises or lowers a balance by hand.

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// Adjustment is a change of a balance that no packet or request has made.
type Adjustment struct {
	Account Account
	Amount  amount.Amount
	Lower   bool          // take the amount away instead of adding it
	Max     amount.Amount // what the balance may be after raising; 0: no maximum
	Note    string        // why; at most MaxNote bytes, kept in the history
	ID      string        // at most MaxID bytes of UTF-8, by which a repetition is known; if empty there is none
}

// Adjust raises or lowers a balance, and returns what may be spent afterwards when that is durable. Only what is spendable can be taken
// away: more is *Insufficient. Other errors: ErrMaxBalance, ErrAsset, ErrBusy, ErrConflict, and ErrUnavailable as for Settle.
//
// With an ID it is done once: as long as its event is in the history (Options.Retention), a repetition with the same account, amount,
// direction and note changes nothing and returns the balance, one with another is ErrConflict. So after an unknown outcome, ask again with the
// same ID. Without one, look at the history first. An amount of 0 changes nothing and is not remembered.
func (l *Ledger) Adjust(ctx context.Context, a Adjustment) (balance amount.Amount, err error) {
	if err := a.check(); err != nil {
		return 0, err
	}
	if err := l.store.Err(); err != nil {
		return 0, l.explain(err)
	}
	switch {
	case a.Amount == 0:
	case a.ID == "":
		err = l.adjust(ctx, a)
	default:
		err = l.adjustOnce(ctx, a)
	}
	if err != nil {
		return 0, err
	}
	b, err := l.Balance(ctx, a.Account)
	return b.Spendable, err
}

func (a Adjustment) check() error {
	if len(a.Note) > MaxNote {
		return fmt.Errorf("a note has at most %d bytes, not %d", MaxNote, len(a.Note))
	}
	if len(a.ID) > MaxID || !utf8.ValidString(a.ID) {
		return fmt.Errorf("the ID of an adjustment is text of at most %d bytes", MaxID)
	}
	return nil
}

func (a Adjustment) kind() EventKind {
	if a.Lower {
		return Lowered
	}
	return Raised
}

// adjust makes the adjustment, once more if it was made before.
func (l *Ledger) adjust(ctx context.Context, a Adjustment) error {
	ticket, err := l.joinAdjustment(ctx, a, nil)
	if err != nil {
		return err
	}
	return l.wait(ctx, ticket)
}

func (l *Ledger) wait(ctx context.Context, t store.Ticket) error {
	if err := t.Wait(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// joinAdjustment puts the adjustment into the group that gathers. done, which may be nil, is called when that is durable; not if
// joinAdjustment returns an error.
func (l *Ledger) joinAdjustment(ctx context.Context, a Adjustment, done func()) (ticket store.Ticket, err error) {
	if err := l.ready(); err != nil {
		return ticket, err
	}
	if asset, _ := l.Asset(); asset.Code == "" {
		return ticket, fmt.Errorf("%w: none, because PinAsset was not called", ErrAsset)
	}
	join := l.joinRaise
	if a.Lower {
		join = l.joinLower
	}
	err = l.accounts.update(ctx, a.Account, !a.Lower, func(e *entry) error {
		ticket, err = join(a, e, done)
		return err
	})
	if err == errUnknown {
		err = &Insufficient{}
	}
	return ticket, l.explain(err)
}

func (l *Ledger) joinLower(a Adjustment, e *entry, done func()) (store.Ticket, error) {
	if e.spendable() < a.Amount {
		return store.Ticket{}, &Insufficient{Balance: e.spendable()}
	}
	return l.store.Join(func(g *store.Group) {
		l.change(g, a.Account, e, e.balance-a.Amount)
		l.noteAdjustment(g, a)
		l.totals.Lowered = l.totals.Lowered.Plus(a.Amount)
		l.unput = true
		if done != nil {
			g.AfterCommit(done)
		}
	})
}

// joinRaise adds the amount on hold: like a credit it can be spent once it is durable.
func (l *Ledger) joinRaise(a Adjustment, e *entry, done func()) (store.Ticket, error) {
	after, ok := e.balance.Add(a.Amount)
	if !ok || (a.Max != 0 && after > a.Max) {
		return store.Ticket{}, ErrMaxBalance
	}
	ticket, err := l.store.Join(func(g *store.Group) {
		l.change(g, a.Account, e, after)
		l.noteAdjustment(g, a)
		l.totals.Raised = l.totals.Raised.Plus(a.Amount)
		l.unput = true
		l.putAsset(g)
		g.AfterCommit(func() {
			l.raised(a)
			if done != nil {
				done()
			}
		})
	})
	if err == nil {
		e.held += a.Amount
		e.open++
	}
	return ticket, err
}

func (l *Ledger) noteAdjustment(g *store.Group, a Adjustment) {
	l.note(g, a.Account, Event{Kind: a.kind(), Amount: a.Amount, Note: a.Note, ID: a.ID})
	if a.ID != "" {
		g.Put(adjustmentKey(a.ID), adjusted{a.Account, a.kind(), a.Amount, a.Note}.encode())
	}
}

// raised ends the hold. The entry is in memory as long as there is one, so this cannot fail.
func (l *Ledger) raised(a Adjustment) {
	_ = l.accounts.update(context.Background(), a.Account, false, func(e *entry) error {
		e.held -= a.Amount
		e.open--
		return nil
	})
}
