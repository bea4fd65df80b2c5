package balances

// This file is the audit: balances, history and totals must say the same, account by account and over all.

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/big"

	"github.com/paydoor/paydoor/store"
)

// ErrAudit says that the ledger contradicts itself.
var ErrAudit = errors.New("the ledger does not add up")

// Report is what an Audit has found.
type Report struct {
	Sequence uint64 // the group of changes after which it was made
	Accounts uint64
	Events   uint64
	Balances Sum
	Totals   Totals
}

// Audit adds up, in one unchanging view of what is durable, all balances and the whole history, and compares them with each other and
// with the totals: credits - reversals - charges + raised - lowered must be the balance, of every account and of all. It reads
// everything, in little memory; changes go on meanwhile. Open compares no more than all balances with the totals.
//
// A difference is ErrAudit, with the account. It stops the ledger: the store is poisoned then, unless Options.SkipAudit is set.
func (l *Ledger) Audit(ctx context.Context) (Report, error) {
	var r Report
	err := l.store.View(func(v *store.View) (err error) {
		if r.Sequence, err = v.Sequence(); err != nil {
			return err
		}
		b, err := v.Get([]byte(totalsKey))
		if err == nil {
			r.Totals, err = decodeTotals(b)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return r.audit(ctx, v)
	})
	if errors.Is(err, ErrAudit) && !l.skipAudit {
		l.store.Fail(err)
	}
	return r, l.explain(err)
}

// audit walks through balances and history side by side; both are in the order of the accounts.
func (r *Report) audit(ctx context.Context, v *store.View) error {
	var failed error
	next, stop := iter.Pull2(balancesIn(v, &failed))
	defer stop()
	var all Totals
	var current Account
	var history Totals
	begun := false
	compare := func() error {
		if !begun {
			return nil
		}
		a, record, ok := next()
		if failed != nil || !ok || a != current {
			return errors.Join(failed, fmt.Errorf("%w: account %x has a history and no balance, or %x a balance and no history", ErrAudit, current, a))
		}
		r.Accounts++
		r.Balances = r.Balances.Plus(record.balance)
		if record.pending.count > 0 {
			r.Events++
			history.count(record.pending.event())
		}
		all.add(history)
		return history.explains(Sum{Lo: uint64(record.balance)}, fmt.Sprintf("account %x", current))
	}
	err := v.Iterate([]byte(historyPrefix), nil, func(key, value []byte) error {
		e, err := readHistory(key, value)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if a := Account(key[len(historyPrefix):]); !begun || a != current {
			if err := compare(); err != nil {
				return err
			}
			begun, current, history = true, a, Totals{}
		}
		r.Events++
		history.count(e)
		return nil
	})
	if err == nil {
		err = compare()
	}
	if err != nil {
		return err
	}
	if a, _, ok := next(); ok || failed != nil {
		return errors.Join(failed, fmt.Errorf("%w: account %x has a balance and no history", ErrAudit, a))
	}
	if all != r.Totals {
		return fmt.Errorf("%w: the history adds up to %+v, and the totals are %+v", ErrAudit, all, r.Totals)
	}
	return r.Totals.explains(r.Balances, "all accounts")
}

func balancesIn(v *store.View, failed *error) iter.Seq2[Account, record] {
	return func(yield func(Account, record) bool) {
		err := v.Iterate([]byte(balancePrefix), nil, func(key, value []byte) error {
			a, err := readAccountKey(key, balancePrefix)
			if err != nil {
				return err
			}
			r, err := decodeBalance(value)
			if err == nil && !yield(a, r) {
				err = errEnough
			}
			return err
		})
		if err != errEnough {
			*failed = err
		}
	}
}

// count adds an event.
func (t *Totals) count(e Event) {
	switch e.Kind {
	case Credited:
		t.Credits = t.Credits.Plus(e.Amount)
		t.CreditCount++
	case Reversed:
		t.Reversals = t.Reversals.Plus(e.Amount)
	case Raised:
		t.Raised = t.Raised.Plus(e.Amount)
	case Lowered:
		t.Lowered = t.Lowered.Plus(e.Amount)
	case Settled:
		t.Charges = t.Charges.PlusSum(e.Charges)
		t.ChargeCount += e.Count
	case Folded:
		t.add(e.Sums)
	}
}

func (t *Totals) add(o Totals) {
	t.Credits = t.Credits.PlusSum(o.Credits)
	t.Reversals = t.Reversals.PlusSum(o.Reversals)
	t.Charges = t.Charges.PlusSum(o.Charges)
	t.Raised = t.Raised.PlusSum(o.Raised)
	t.Lowered = t.Lowered.PlusSum(o.Lowered)
	t.CreditCount += o.CreditCount
	t.ChargeCount += o.ChargeCount
}

// Balance is what the balances must be: credits - reversals - charges + raised - lowered, exactly. It is negative only in a ledger that
// does not add up.
func (t Totals) Balance() *big.Int {
	n := t.Credits.PlusSum(t.Raised).big()
	return n.Sub(n, t.Reversals.PlusSum(t.Charges).PlusSum(t.Lowered).big())
}

// explains says whether what came in is what went out and what is there.
func (t Totals) explains(balance Sum, whose string) error {
	if want := t.Balance(); want.Cmp(balance.big()) != 0 {
		return fmt.Errorf("%w: %s: credits %v - reversals %v - charges %v + raised %v - lowered %v make %v, and the balance is %v",
			ErrAudit, whose, t.Credits, t.Reversals, t.Charges, t.Raised, t.Lowered, want, balance)
	}
	return nil
}
