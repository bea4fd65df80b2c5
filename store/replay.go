package store

// This file reads the journal: the groups that are durable and not in Badger, as far as they go on without a gap, and what is wrong with it.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// journaled is one group as it stands in the journal.
type journaled struct {
	sequence uint64
	sum      uint32 // the record's own
	previous uint32
	at       time.Time
	entries  []entry // point into the file's bytes
}

// decodeJournaled reads the record that b begins with, and its length; n is 0 where there is none.
func decodeJournaled(b []byte, id identity) (r journaled, n int) {
	if len(b) < journalHeader+journalFixed || string(b[:4]) != journalMagic {
		return r, 0
	}
	length := int64(binary.BigEndian.Uint32(b[8:]))
	if length < journalFixed || length > int64(len(b)-journalHeader) {
		return r, 0
	}
	n = journalHeader + int(length)
	r.sum = binary.BigEndian.Uint32(b[4:])
	if crc32.Checksum(b[8:n], castagnoli) != r.sum || !bytes.Equal(b[journalHeader:journalHeader+8], id[:8]) {
		return r, 0
	}
	r.sequence = binary.BigEndian.Uint64(b[20:])
	r.previous = binary.BigEndian.Uint32(b[28:])
	r.at = time.UnixMilli(int64(binary.BigEndian.Uint64(b[32:])))
	entries, ok := decodeEntries(b[journalHeader+journalFixed : n])
	if !ok {
		return r, 0
	}
	r.entries = entries
	return r, n
}

// readRun returns the records that a file begins with, each continuing the one before, and the highest number of the records behind them. Those
// are of an earlier turn, and lower, unless the file is damaged.
func readRun(b []byte, id identity) (run []journaled, behind uint64) {
	for {
		r, n := decodeJournaled(b, id)
		if n == 0 || len(run) > 0 && (r.sequence != run[len(run)-1].sequence+1 || r.previous != run[len(run)-1].sum) {
			break
		}
		run, b = append(run, r), b[n:]
	}
	for at := bytes.Index(b, []byte(journalMagic)); at >= 0; at = bytes.Index(b, []byte(journalMagic)) {
		b = b[at:]
		r, n := decodeJournaled(b, id)
		behind = max(behind, r.sequence)
		b = b[max(n, 1):]
	}
	return run, behind
}

// readJournal returns the groups after the given one: next are those that continue it without a gap, and later those behind a gap, which is
// damage, as is all else that damage says.
func readJournal(dir string, id identity, after uint64) (next, later []journaled, damage []string, err error) {
	var runs [2][]journaled
	var behind [2]uint64
	for i := range runs {
		b, err := os.ReadFile(journalPath(dir, i))
		if errors.Is(err, fs.ErrNotExist) {
			continue // if anything of it is missed, the file reached says so
		}
		what, err := damaged(journalPath(dir, i), err)
		if err != nil {
			return nil, nil, nil, err
		}
		if what != "" {
			damage = append(damage, what)
		}
		runs[i], behind[i] = readRun(b, id)
	}
	newest := max(after, lastOf(runs[0]), lastOf(runs[1]))
	for i := range runs {
		if behind[i] > newest {
			damage = append(damage, fmt.Sprintf("%s is damaged before group %d", journalPath(dir, i), behind[i]))
		}
	}
	if len(runs[0]) == 0 || len(runs[1]) > 0 && runs[1][0].sequence < runs[0][0].sequence {
		runs[0], runs[1] = runs[1], runs[0]
	}
	for _, r := range append(runs[0], runs[1]...) {
		switch {
		case r.sequence <= after:
		case r.sequence == after+1 && len(later) == 0:
			next, after = append(next, r), r.sequence
		default:
			if len(later) == 0 {
				damage = append(damage, fmt.Sprintf("the journal in %s has no group between %d and %d", dir, after, r.sequence))
			}
			later = append(later, r)
		}
	}
	return next, later, damage, nil
}

func lastOf(run []journaled) uint64 {
	if len(run) == 0 {
		return 0
	}
	return run[len(run)-1].sequence
}

// recoverJournal commits what the journal holds that Badger does not.
func (s *Store) recoverJournal(groups []journaled) error {
	shelf := newShelf(s.last.sequence)
	for _, r := range groups {
		shelf.put(r.group())
	}
	for box := shelf.oldest(); box != nil; box = shelf.oldest() {
		after, err := s.write(box)
		if err != nil {
			return fmt.Errorf("replaying the journal: %w", err)
		}
		s.last = after
		shelf.takeOff()
	}
	s.journaled = false
	return s.disk.mark(s.settled())
}

// salvageJournal takes, after a loss, what the journal still has, also of what Badger had, since what that has lost may be older than what it
// has. Groups that end in a gap before held are left: they would bring back what later ones have replaced. It returns the last group that the
// journal knows of.
func (s *Store) salvageJournal(id identity, held uint64) (last uint64, err error) {
	next, later, _, err := readJournal(s.dir, id, 0)
	if err != nil {
		return held, err
	}
	last = held
	for groups := append(next, later...); len(groups) > 0; {
		n := 1
		for n < len(groups) && groups[n].sequence == groups[n-1].sequence+1 {
			n++
		}
		if end := groups[n-1].sequence; end >= held {
			for _, r := range groups[:n] {
				if err := s.disk.write(r.entries, nil); err != nil {
					return last, err
				}
			}
			last = end
		}
		groups = groups[n:]
	}
	return last, nil
}

// group is the group that was written.
func (r journaled) group() *Group {
	return &Group{outcome: &outcome{sequence: r.sequence}, entries: r.entries}
}

// startJournal makes an empty journal: Badger has all there is.
func (s *Store) startJournal(o Options) (err error) {
	j, err := openJournal(s.dir, s.identity, s.last.sequence, journalSize(o.MinFree))
	if errors.Is(err, syscall.ENOSPC) {
		s.log.Warn("there is no space for a journal: the store goes on without it, more slowly", zap.Error(err))
		return removeJournal(s.dir)
	}
	if err != nil {
		return err
	}
	s.journal, s.checkpoints, s.journaled = j, newCheckpointer(s.last.sequence), true
	return errors.Join(s.disk.mark(s.settled()), s.disk.mark(s.settled())) // in both slots: damage of one must not hide the journal
}
