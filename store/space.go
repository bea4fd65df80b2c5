package store

// This file is the space guard: no new change is taken while the disk is nearly full.
//
// Badger writes through sparse files that are mapped into memory: when the disk is full, the write is not an error but a SIGBUS that
// ends the process. So the guard must stop well before. What can still be written after a check is bounded: the groups under
// way, one memtable being flushed, and one log file of twice a memtable whose blocks are allocated as they are written.
// DefaultMinFree covers these for the memtables chosen in database.go.

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// DefaultMinFree is the space that must stay free for changes to be taken: 64 MiB.
const DefaultMinFree = 64 << 20

const spaceInterval = 100 * time.Millisecond

// ErrNoSpace says that the disk is nearly full; nothing was changed, reading works, and changes are taken again once there is space.
var ErrNoSpace = errors.New("the disk is nearly full")

// space remembers the last look at the file system.
type space struct {
	dir   string
	floor uint64
	free  func(dir string) (uint64, error)
	since func() time.Duration // monotonic

	looked atomic.Int64 // when, by since; 0 is never
	low    atomic.Pointer[error]
}

// checkToOpen returns an ErrNoSpace when even what Badger writes while it opens may not fit.
func (s *space) checkToOpen() error {
	s.look(s.floor / 2)
	if e := s.low.Load(); e != nil {
		return *e
	}
	s.look(s.floor)
	return nil
}

// check returns an ErrNoSpace when less than the floor was free at a look at most spaceInterval ago.
func (s *space) check() error {
	now := int64(s.since()) + 1
	last := s.looked.Load()
	if (last == 0 || now-last >= int64(spaceInterval)) && s.looked.CompareAndSwap(last, now) {
		s.look(s.floor)
	}
	if e := s.low.Load(); e != nil {
		return *e
	}
	return nil
}

func (s *space) look(floor uint64) {
	free, err := s.free(s.dir)
	switch {
	case err != nil:
		err = fmt.Errorf("%w: the space left in %s is unknown: %w", ErrNoSpace, s.dir, err)
	case free < floor:
		err = fmt.Errorf("%w: %d MiB are free in %s, and %d MiB are needed", ErrNoSpace, free>>20, s.dir, floor>>20)
	}
	if err == nil {
		s.low.Store(nil)
		return
	}
	s.low.Store(&err)
}
