package balances

// This file is the audit at Open: all balances together must be what the totals say. It is as quick as reading the balances can be; the
// history, account by account, is for Audit.

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/paydoor/paydoor/store"
)

// checkSums compares the balances in the store with the totals. Nothing may change meanwhile.
func (l *Ledger) checkSums() error {
	start := time.Now()
	parts := make([]part, min(runtime.GOMAXPROCS(0), 8))
	var group errgroup.Group
	for i := range parts {
		p := &parts[i]
		p.first, p.end = 256*i/len(parts), 256*(i+1)/len(parts)
		group.Go(func() error { return l.store.View(p.add) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var all part
	for _, p := range parts {
		all.accounts += p.accounts
		all.sum = all.sum.PlusSum(p.sum)
	}
	if want := l.totals.Balance(); want.Cmp(all.sum.big()) != 0 {
		return fmt.Errorf("%w: its %d balances make %v, and its totals of credits, charges and adjustments make %v; restore it from a backup",
			ErrAudit, all.accounts, all.sum, want)
	}
	l.log.Info("the balances add up to the totals", zap.Uint64("accounts", all.accounts), zap.Duration("took", time.Since(start)))
	return nil
}

// part is the balances of the accounts whose first byte is in a range.
type part struct {
	first, end int
	accounts   uint64
	sum        Sum
}

func (p *part) add(v *store.View) error {
	from := append([]byte(balancePrefix), byte(p.first))
	if p.first == 0 {
		from = nil // so that a key too short for an account is met
	}
	end := append([]byte(balancePrefix), byte(p.end))
	err := v.Iterate([]byte(balancePrefix), from, func(key, value []byte) error {
		if p.end < 256 && slices.Compare(key, end) >= 0 {
			return errEnough
		}
		if _, err := readAccountKey(key, balancePrefix); err != nil {
			return err
		}
		r, err := decodeBalance(value)
		p.accounts++
		p.sum = p.sum.Plus(r.balance)
		return err
	})
	if err == errEnough {
		return nil
	}
	return err
}
