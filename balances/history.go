package balances

// This file is what is kept of an account's past: every credit, reversal and adjustment by itself, and charges summed up by the minute.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// EventKind says what an Event is.
type EventKind byte

const (
	Credited EventKind = 'C' // Amount, Condition
	Reversed EventKind = 'R' // Amount, Condition: a credit that was durable too late was taken back
	Raised   EventKind = '+' // Amount, Note
	Lowered  EventKind = '-' // Amount, Note
	Settled  EventKind = 'S' // Count charges of Charges together, in the minute from At
)

// Event is one record of an account's history; which fields it has is said by its Kind.
type Event struct {
	Kind      EventKind
	Sequence  uint64 // of the group of changes that the event was written with, or of the last one for charges that are still summed up
	At        time.Time
	Amount    amount.Amount
	Condition [32]byte
	Note      string
	Count     uint64
	Charges   Sum
}

func (e Event) encode() []byte { return e.appendTo(nil) }

func (e Event) appendTo(b []byte) []byte {
	b = appendTime(append(b, recordVersion, byte(e.Kind)), e.At)
	switch e.Kind {
	case Credited, Reversed:
		return append(binary.BigEndian.AppendUint64(b, uint64(e.Amount)), e.Condition[:]...)
	case Settled:
		return e.Charges.append(binary.BigEndian.AppendUint64(b, e.Count))
	}
	return append(binary.BigEndian.AppendUint64(b, uint64(e.Amount)), e.Note...)
}

func decodeEvent(b []byte) (e Event, err error) {
	if err := checkRecord("history", b, eventSize+8, true); err != nil {
		return e, err
	}
	e.Kind, e.At = EventKind(b[1]), readTime(b[2:])
	first, rest := binary.BigEndian.Uint64(b[eventSize:]), b[eventSize+8:]
	switch e.Kind {
	case Credited, Reversed:
		if len(rest) != 32 {
			return e, fmt.Errorf("%w: history of %d bytes", ErrRecord, len(b))
		}
		e.Amount, e.Condition = amount.Amount(first), [32]byte(rest)
	case Settled:
		if len(rest) != 16 {
			return e, fmt.Errorf("%w: history of %d bytes", ErrRecord, len(b))
		}
		e.Count, e.Charges = first, readSum(rest)
	case Raised, Lowered:
		e.Amount, e.Note = amount.Amount(first), string(rest)
	default:
		return e, fmt.Errorf("%w: history of kind %q, which this program does not know", ErrRecord, b[1])
	}
	return e, nil
}

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
