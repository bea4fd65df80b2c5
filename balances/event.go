package balances

// This file is one event of an account's past, and its record.

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// EventKind says what an Event is.
type EventKind byte

const (
	Credited EventKind = 'C' // Amount, Condition
	Reversed EventKind = 'R' // Amount, Condition: a credit that was durable too late was taken back
	Raised   EventKind = '+' // Amount, Note, ID
	Lowered  EventKind = '-' // Amount, Note, ID
	Settled  EventKind = 'S' // Count charges of Charges together, in the minute from At
	Folded   EventKind = 'F' // Sums of all that is older than Options.Retention; At is the time of the last of it
)

// Event is one record of an account's history; which fields it has is said by its Kind.
type Event struct {
	Kind EventKind
	// Sequence is of the group of changes that the event was written with; of charges that are still summed up, the last one there is;
	// 0 for Folded.
	Sequence  uint64
	At        time.Time
	Amount    amount.Amount
	Condition [32]byte
	Note      string
	ID        string // of the Adjustment, if it had one
	Count     uint64
	Charges   Sum
	Sums      Totals
}

func (e Event) encode() []byte {
	version := byte(recordVersion)
	if e.ID != "" {
		version = eventVersion
	}
	b := appendTime(append(make([]byte, 0, 64), version, byte(e.Kind)), e.At)
	switch e.Kind {
	case Credited, Reversed:
		return append(binary.BigEndian.AppendUint64(b, uint64(e.Amount)), e.Condition[:]...)
	case Settled:
		return e.Charges.append(binary.BigEndian.AppendUint64(b, e.Count))
	case Folded:
		return e.Sums.append(b)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(e.Amount))
	if e.ID != "" {
		b = append(append(b, byte(len(e.ID))), e.ID...)
	}
	return append(b, e.Note...)
}

func decodeEvent(b []byte) (e Event, err error) {
	version := byte(recordVersion)
	if len(b) > 0 && b[0] == eventVersion {
		version = eventVersion
	}
	if err := checkVersion("history", b, version, eventSize+8, true); err != nil {
		return e, err
	}
	e.Kind, e.At = EventKind(b[1]), readTime(b[2:])
	first, rest := binary.BigEndian.Uint64(b[eventSize:]), b[eventSize+8:]
	if version == eventVersion {
		if e.Kind != Raised && e.Kind != Lowered || len(rest) < 2 || rest[0] == 0 || len(rest) < 1+int(rest[0]) {
			return e, malformed(b)
		}
		e.ID, rest = string(rest[1:1+rest[0]]), rest[1+rest[0]:]
	}
	switch e.Kind {
	case Credited, Reversed:
		if len(rest) != 32 {
			return e, malformed(b)
		}
		e.Amount, e.Condition = amount.Amount(first), [32]byte(rest)
	case Settled:
		if len(rest) != 16 {
			return e, malformed(b)
		}
		e.Count, e.Charges = first, readSum(rest)
	case Folded:
		if len(b) != eventSize+sumsSize {
			return e, malformed(b)
		}
		e.Sums = readTotals(b[eventSize:])
	case Raised, Lowered:
		e.Amount, e.Note = amount.Amount(first), string(rest)
	default:
		return e, fmt.Errorf("%w: history of kind %q, which this program does not know", ErrRecord, b[1])
	}
	return e, nil
}

func malformed(b []byte) error { return fmt.Errorf("%w: history of %d bytes", ErrRecord, len(b)) }
