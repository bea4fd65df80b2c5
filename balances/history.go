package balances

// This file is what is kept of an account's past: every credit, reversal and adjustment by itself, and charges summed up by group.

import (
	"context"
	"encoding/binary"
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
	Settled  EventKind = 'S' // Count charges of Charges together, between two syncs of the disk
)

// Event is one record of an account's history; which fields it has is said by its Kind.
type Event struct {
	Kind      EventKind
	Sequence  uint64 // of the group of changes
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

// History calls f for each durable event of the account, oldest first, until f returns an error, which it returns.
// f must not call the ledger.
func (l *Ledger) History(ctx context.Context, a Account, f func(Event) error) error {
	prefix := append([]byte(historyPrefix), a[:]...)
	err := l.store.Iterate(prefix, func(key, value []byte) error {
		e, err := readHistory(key, value)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		return f(e)
	})
	return l.explain(err)
}

func readHistory(key, value []byte) (Event, error) {
	if len(key) != len(historyPrefix)+32+8+4 {
		return Event{}, fmt.Errorf("%w: history key of %d bytes", ErrRecord, len(key))
	}
	e, err := decodeEvent(value)
	e.Sequence = binary.BigEndian.Uint64(key[len(historyPrefix)+32:])
	return e, err
}

// note adds an event other than a charge to the group. It is called in a join.
func (l *Ledger) note(g *store.Group, a Account, e Event) {
	if l.numbered != g.Sequence() {
		l.numbered, l.number = g.Sequence(), 0
	}
	l.number++
	e.At = l.now()
	g.Put(historyKey(a, g.Sequence(), l.number), e.encode())
}

// noteCharge adds a charge to those of the account in the group. It is called in a join.
func (l *Ledger) noteCharge(g *store.Group, a Account, charge amount.Amount) {
	b, fresh := g.Edit(historyKey(a, g.Sequence(), 0), settledSize)
	if fresh {
		Event{Kind: Settled, At: l.now()}.appendTo(b[:0])
	}
	count, charges := b[eventSize:], b[eventSize+8:]
	binary.BigEndian.PutUint64(count, binary.BigEndian.Uint64(count)+1)
	readSum(charges).Plus(charge).append(charges[:0])
}
