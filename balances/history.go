package balances

// This file is what is kept of an account's past: every credit, reversal and adjustment by itself, and charges summed up by the minute.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/paydoor/paydoor/store"
)

// History calls f for each durable event of the account, oldest first, until f returns an error, which it returns. The last one may
// be of charges that are still summed up. f must not call the ledger.
func (l *Ledger) History(ctx context.Context, a Account, f func(Event) error) error {
	prefix := append([]byte(historyPrefix), a[:]...)
	err := l.store.View(func(v *store.View) error {
		err := v.Iterate(prefix, nil, func(key, value []byte) error {
			e, err := readHistory(key, value)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			return f(e)
		})
		if err != nil {
			return err
		}
		last, err := lastEvent(v, a)
		if err != nil || last.Count == 0 {
			return err
		}
		return f(last)
	})
	return l.explain(err)
}

// lastEvent is the charges of the account that are not in its history yet.
func lastEvent(v *store.View, a Account) (e Event, err error) {
	b, err := v.Get(balanceKey(a))
	if errors.Is(err, store.ErrNotFound) {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	r, err := decodeBalance(b)
	if err != nil {
		return e, err
	}
	e = r.pending.event()
	e.Sequence, err = v.Sequence()
	return e, err
}

func readHistory(key, value []byte) (Event, error) {
	if len(key) != len(historyPrefix)+32+8+4 {
		return Event{}, fmt.Errorf("%w: history key of %d bytes", ErrRecord, len(key))
	}
	e, err := decodeEvent(value)
	e.Sequence = binary.BigEndian.Uint64(key[len(historyPrefix)+32:])
	return e, err
}

// note adds an event of now to the group. It is called in a join.
func (l *Ledger) note(g *store.Group, a Account, e Event) {
	e.At = l.now()
	l.append(g, a, e)
}

func (l *Ledger) append(g *store.Group, a Account, e Event) {
	if l.numbered != g.Sequence() {
		l.numbered, l.number = g.Sequence(), 0
	}
	l.number++
	g.Put(historyKey(a, g.Sequence(), l.number), e.encode())
}
