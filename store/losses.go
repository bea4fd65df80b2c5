package store

// This file is what a store remembers of changes that were given up: by an operator who chose to go on after a loss, or by going back
// to a backup. The records are in the groups' chain like everything else.
//
//	store/loss/<sequence u64> = kind u8 (0 accepted, 1 restored) | milliseconds since 1970 u64 | held u64 | acknowledged u64 | reason

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dgraph-io/badger/v4"
)

const (
	lossPrefix = reserved + "loss/"
	lossFixed  = 1 + 3*8
)

// Loss is one time that the store went on without something that had been acknowledged.
type Loss struct {
	Time         time.Time
	Held         uint64 // the last group of changes that was there
	Acknowledged uint64 // the last group that was acknowledged, as far as that was known; 0 if it was not
	Reason       string
	Restored     bool // a backup was restored: what was acknowledged after Held is not there
}

// Losses returns all that the store has given up since it was made, oldest first.
func (s *Store) Losses() (losses []Loss, err error) {
	err = s.Iterate([]byte(lossPrefix), func(key, value []byte) error {
		l, err := decodeLoss(value)
		if err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
		losses = append(losses, l)
		return nil
	})
	return losses, err
}

func (l Loss) encode() []byte {
	b := make([]byte, 1, lossFixed+len(l.Reason))
	if l.Restored {
		b[0] = 1
	}
	b = binary.BigEndian.AppendUint64(b, uint64(l.Time.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, l.Held)
	b = binary.BigEndian.AppendUint64(b, l.Acknowledged)
	return append(b, l.Reason...)
}

func decodeLoss(b []byte) (Loss, error) {
	if len(b) < lossFixed || b[0] > 1 {
		return Loss{}, fmt.Errorf("%w: a record of a loss is damaged", ErrFormat)
	}
	return Loss{
		Restored:     b[0] == 1,
		Time:         time.UnixMilli(int64(binary.BigEndian.Uint64(b[1:]))),
		Held:         binary.BigEndian.Uint64(b[9:]),
		Acknowledged: binary.BigEndian.Uint64(b[17:]),
		Reason:       string(b[lossFixed:]),
	}, nil
}

// recordLoss writes a group of its own with the record. Its number is higher than any that was given out, and it continues the
// group that is there.
func recordLoss(d *disk, last head, l Loss, atLeast uint64, now time.Time) (head, error) {
	last.sequence = max(last.sequence, atLeast)
	key := binary.BigEndian.AppendUint64([]byte(lossPrefix), last.sequence+1)
	entries := []entry{{key: key, value: l.encode()}}
	after := last.next(entries, last.sequence+1, now)
	if err := d.commit(entries, after); err != nil {
		return last, fmt.Errorf("recording what was given up: %w", err)
	}
	return after, nil
}

// goOn makes a store of what an operator who accepts a loss is left with.
func (s *Store) goOn(o Options, in *inspection) error {
	if err := s.keepIdentity(o.Random, in); err != nil {
		return fmt.Errorf("%s: %w", s.dir, err)
	}
	id, last, _, err := readIdentity(s.db)
	if err != nil {
		return fmt.Errorf("%s: %w", s.dir, err)
	}
	if last.sequence == 0 {
		last = genesis(id)
	}
	ours := in.said.identity == (identity{}) || in.said.identity == id
	held := last.sequence
	if ours {
		if held, err = s.salvageJournal(id, held); err != nil {
			return fmt.Errorf("taking what the journal has: %w", err)
		}
	}
	newest, err := s.salvageTail(held, ours)
	if err != nil {
		return fmt.Errorf("taking what the tail has: %w", err)
	}
	reason := in.reason()
	l := Loss{Time: o.Now(), Held: held, Acknowledged: max(in.said.acknowledged, in.reached), Reason: reason}
	if last, err = recordLoss(s.disk, last, l, max(in.said.intended, in.reached, held, newest), o.Now()); err != nil {
		return err
	}
	s.identity, s.last, s.journaled, in.journal = id, last, false, nil
	o.Logger.Sugar().Warnf("going on after a loss, as was asked for: %s holds %d groups of changes and %s acknowledged: %s",
		s.dir, l.Held, in.acknowledged(), reason)
	return s.startSidecar(in.said.generation, in.found && in.sidecar == "")
}

// keepIdentity writes the identity anew if its record is among what was lost: that of the sidecar, else a new one.
func (s *Store) keepIdentity(random io.Reader, in *inspection) error {
	_, _, known, err := readIdentity(s.db)
	ours := in.said.identity != (identity{}) || in.held.sequence > 0
	switch {
	case known, err != nil && !(ours && errors.Is(err, ErrFormat)):
		return err
	case in.said.identity != (identity{}):
		return writeIdentity(s.db, in.said.identity)
	}
	_, err = s.createIdentity(random)
	return err
}

func writeIdentity(db *badger.DB, id identity) error {
	return db.Update(func(txn *badger.Txn) error { return txn.Set([]byte(formatKey), encodeFormat(id)) })
}
