package balances

// This file is knowing adjustments by their IDs: which are under way, and which were made.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// ErrConflict says that the ID of an adjustment was used before, for another one.
var ErrConflict = errors.New("another adjustment has this ID")

// adjusting is the adjustments under way that have an ID. Each has a channel that is closed when the store shows how it ended; when the
// store fails instead, it stays.
type adjusting struct {
	mu  sync.Mutex
	ids map[string]chan struct{}
}

// begin enters the ID; mine says that the caller has to end it. Else ended is closed when the one who does has.
func (j *adjusting) begin(id string) (ended <-chan struct{}, mine bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c, ok := j.ids[id]; ok {
		return c, false
	}
	if j.ids == nil {
		j.ids = make(map[string]chan struct{})
	}
	j.ids[id] = make(chan struct{})
	return nil, true
}

func (j *adjusting) end(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.ids[id])
	delete(j.ids, id)
}

// adjustOnce makes the adjustment unless it was made before.
func (l *Ledger) adjustOnce(ctx context.Context, a Adjustment) error {
	for {
		ended, mine := l.adjusting.begin(a.ID)
		if mine {
			break
		}
		select {
		case <-ended:
		case <-l.store.Failed():
			return l.explain(l.store.Err())
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
	joined := false
	defer func() {
		if !joined {
			l.adjusting.end(a.ID)
		}
	}()
	if made, err := l.made(a); made || err != nil {
		return err
	}
	ticket, err := l.joinAdjustment(ctx, a, func() { l.adjusting.end(a.ID) })
	if err != nil {
		return err
	}
	joined = true
	return l.wait(ctx, ticket)
}

// made says whether the adjustment was made before.
func (l *Ledger) made(a Adjustment) (bool, error) {
	b, err := l.store.Get(adjustmentKey(a.ID))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	var earlier adjusted
	if err == nil {
		earlier, err = decodeAdjusted(b)
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if earlier != (adjusted{a.Account, a.kind(), a.Amount, a.Note}) {
		return false, fmt.Errorf("%w: %q is %s; repeat just that, or give this change an ID of its own", ErrConflict, a.ID, earlier)
	}
	return true, nil
}

// adjusted is what is kept of an adjustment to know its repetitions.
type adjusted struct {
	account Account
	kind    EventKind
	amount  amount.Amount
	note    string
}

// String says what was done, for who has to tell two adjustments apart.
func (a adjusted) String() string {
	direction := "a credit"
	if a.kind == Lowered {
		direction = "a debit"
	}
	return fmt.Sprintf("%s of %v, account %x, reason %q", direction, a.amount, a.account[:], a.note)
}

func (a adjusted) encode() []byte {
	b := append(append(make([]byte, 0, adjustedSize+len(a.note)), recordVersion), a.account[:]...)
	return append(binary.BigEndian.AppendUint64(append(b, byte(a.kind)), uint64(a.amount)), a.note...)
}

func decodeAdjusted(b []byte) (adjusted, error) {
	if err := checkRecord("adjustment", b, adjustedSize, true); err != nil {
		return adjusted{}, err
	}
	return adjusted{Account(b[1:]), EventKind(b[33]), amount.Amount(binary.BigEndian.Uint64(b[34:])), string(b[adjustedSize:])}, nil
}
