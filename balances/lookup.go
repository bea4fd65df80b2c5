package balances

// This file is asking for an earlier credit without making one.

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydoor/paydoor/store"
)

// Lookup returns the digest of the credit that was made for the condition, if it is still remembered (see Credit). A credit that is
// under way is not found yet; Credit waits for it. Nearly every condition is new, and costs no more than a look into memory.
// Errors: ErrUnavailable, or that ctx ended.
func (l *Ledger) Lookup(ctx context.Context, condition [32]byte) (digest [32]byte, found bool, err error) {
	if err := l.store.Err(); err != nil {
		return digest, false, l.explain(err)
	}
	if err := ctx.Err(); err != nil {
		return digest, false, err
	}
	earlier, found, err := l.earlier(condition)
	return earlier.digest, found, err
}

// earlier finds the record of the condition's credit.
func (l *Ledger) earlier(condition [32]byte) (record credited, found bool, err error) {
	for _, minute := range l.known.find(condition) {
		b, err := l.store.Get(creditKey(minute, condition))
		if errors.Is(err, store.ErrNotFound) {
			continue // another condition with the same fingerprint
		}
		if err == nil {
			record, err = decodeCredited(b)
		}
		if err != nil {
			return credited{}, false, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return record, true, nil
	}
	return credited{}, false, nil
}
