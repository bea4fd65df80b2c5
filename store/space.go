package store

// This file is the space guard: no new change is taken while the disk is nearly full.
//
// Badger writes through sparse files that are mapped into memory: when the disk is full, the write is not an error but a SIGBUS that
// ends the process. So the guard must stop well before. With the settings in database.go, what can still be written after a
// check, before anything is deleted for it, is about
//
//	18 MiB  groups under way and the joins of spaceInterval, into a log that has its blocks, and the blocks of the next log
//	16 MiB  the log file that is being flushed, as a table of level 0
//	70 MiB  compactor 0: the tables of level 0, at most 3 of a memtable's size, merged with what is in the level below, about 20 MiB
//	25 MiB  compactor 1: a table of 2 MiB merged with about 10 of the next level, which may be some more where keys are unevenly spread
//
// and an Audit keeps tables that were compacted away until it ends. DefaultMinFree is twice the sum. A group that may need a new log waits
// until half of it is free. So we never fill the disk. Another program that fills it within the second that a flush or a compaction takes
// can still end the process; nothing acknowledged is lost then.

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// DefaultMinFree is the space that must stay free for changes to be taken: 256 MiB.
const DefaultMinFree = 256 << 20

const spaceInterval = 100 * time.Millisecond

// ErrNoSpace says that the disk is nearly full; nothing was changed, reading works (but see Store.View), and changes are taken again once there is
// space.
var ErrNoSpace = errors.New("the disk is nearly full")

// space remembers the last look at the file system.
type space struct {
	dir   string
	log   *zap.Logger
	floor uint64
	free  func(dir string) (uint64, error)
	since func() time.Duration // monotonic

	cramped atomic.Bool // Badger was opened without compaction, and takes nothing

	looked atomic.Int64 // when, by since; 0 is never
	low    atomic.Pointer[error]
}

// check returns an ErrNoSpace when less than the floor was free at a look at most spaceInterval ago.
func (s *space) check() error {
	now := int64(s.since()) + 1
	last := s.looked.Load()
	if (last == 0 || now-last >= int64(spaceInterval)) && s.looked.CompareAndSwap(last, now) {
		s.look()
	}
	if e := s.low.Load(); e != nil {
		return *e
	}
	return nil
}

// look closes or opens the guard, and tells the operator when that is a change.
func (s *space) look() {
	err := s.measure(s.floor)
	if err == nil && s.cramped.Load() {
		err = fmt.Errorf("%w: %s was opened on a full disk and is being opened anew", ErrNoSpace, s.dir)
	}
	if err != nil {
		if s.low.Swap(&err) == nil {
			s.log.Warn("no changes are taken", zap.Error(err))
		}
		return
	}
	if s.low.Swap(nil) != nil {
		s.log.Info("changes are taken again: there is enough space", zap.String("directory", s.dir))
	}
}

// measure returns an ErrNoSpace when less than needed is free.
func (s *space) measure(needed uint64) error {
	free, err := s.free(s.dir)
	switch {
	case err != nil:
		return fmt.Errorf("%w: the space left in the file system of %s is unknown: %w", ErrNoSpace, s.dir, err)
	case free < needed:
		return fmt.Errorf("%w: %d MiB are free in the file system of %s, and at least %d MiB are needed; free %d MiB there, or move the directory to a larger disk",
			ErrNoSpace, free>>20, s.dir, mebibytes(needed), mebibytes(needed-free))
	}
	return nil
}

// Space returns how many bytes are free in the file system of the store, and below how many no changes are taken.
func (s *Store) Space() (free, floor uint64, err error) {
	free, err = s.space.free(s.dir)
	return free, s.space.floor, err
}

// mebibytes rounds up.
func mebibytes(bytes uint64) uint64 { return (bytes + 1<<20 - 1) >> 20 }
