package balances

// This file is walking through all accounts in pieces, for readers that must not keep a view of the store open.

import (
	"context"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// EachAfter is Each for the accounts after the given one; nil is before all of them.
func (l *Ledger) EachAfter(ctx context.Context, after *Account, f func(a Account, balance amount.Amount) error) error {
	var from []byte
	if after != nil {
		from = append(balanceKey(*after), 0) // the first key behind it
	}
	err := l.store.View(func(v *store.View) error {
		return v.Iterate([]byte(balancePrefix), from, func(key, value []byte) error {
			a, err := readAccountKey(key, balancePrefix)
			if err != nil {
				return err
			}
			r, err := decodeBalance(value)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			return f(a, r.balance)
		})
	})
	return l.explain(err)
}
