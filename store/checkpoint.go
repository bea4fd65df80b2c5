package store

// This file is the checkpointer: the one goroutine that writes to Badger when there is a journal. What it writes is durable already; it makes
// room in the journal, and lets those who read many keys see the groups.

import (
	"errors"
	"fmt"
	"time"
)

// checkpointAfter is how long a group lies on the shelf at most while others come; when none come for settleAfter, it goes at once.
const checkpointAfter = 250 * time.Millisecond

// checkpointer is how the goroutine is asked to look at the shelf.
type checkpointer struct {
	shelf *shelf
	asked chan struct{} // has room for one
	ended chan struct{} // closed when the goroutine has ended
}

func newCheckpointer(applied uint64) *checkpointer {
	return &checkpointer{shelf: newShelf(applied), asked: make(chan struct{}, 1), ended: make(chan struct{})}
}

func (c *checkpointer) ask() {
	select {
	case c.asked <- struct{}{}:
	default:
	}
}

// await returns when Badger has all groups up to sequence; see shelf.wait for the errors.
func (c *checkpointer) await(sequence uint64, patient bool) error {
	if !c.shelf.want(sequence) {
		return nil
	}
	c.ask()
	return c.shelf.wait(sequence, patient)
}

// checkpoint runs until the committer has ended and the shelf is empty, or until the store fails.
func (s *Store) checkpoint() {
	c := s.checkpoints
	defer close(c.ended)
	defer c.shelf.end()
	tick := time.NewTimer(settleAfter)
	defer tick.Stop()
	var lay uint64      // groups that had been put on the shelf at the last tick
	var since time.Time // when the first of those that lie there was seen
	for {
		over, idle := false, false
		select {
		case <-s.failed:
			return
		case <-s.stopped:
			over = true
		case <-c.asked:
		case <-tick.C:
			puts := c.shelf.count()
			idle, lay = puts == lay, puts
		}
		empty, urgent := c.shelf.state()
		if since.IsZero() && !empty {
			since = time.Now()
		}
		if over || idle || urgent || s.space.cramped.Load() || !empty && time.Since(since) >= checkpointAfter {
			if err := s.emptyShelf(idle || over); err != nil {
				s.Fail(err)
				return
			}
			empty, since = true, time.Time{}
		}
		if over {
			return
		}
		if !empty || s.last.sequence > s.settledAt {
			tick.Reset(settleAfter)
		}
	}
}

// emptyShelf writes to Badger what lies on the shelf; if settle, the sidecar then says that nothing is under way.
func (s *Store) emptyShelf(settle bool) error {
	shelf := s.checkpoints.shelf
	for box := shelf.oldest(); box != nil; box = shelf.oldest() {
		after, err := s.write(box)
		if err != nil {
			return fmt.Errorf("checkpoint at group %d: %w", box.sequence, err)
		}
		s.last = after
		shelf.takeOff()
	}
	if s.space.cramped.Load() || settle && s.last.sequence > s.settledAt {
		return s.chore()
	}
	return nil
}

// awaitBadger returns when Badger has all groups up to sequence, however long there is no room for them.
func (s *Store) awaitBadger(sequence uint64) error {
	return s.notOver(s.checkpoints.await(sequence, true))
}

// readable returns when Badger has all groups that are durable now; it is an ErrNoSpace if there is no room for them.
func (s *Store) readable() error {
	return s.notOver(s.checkpoints.await(s.durable.Load(), false))
}

// notOver says why it is over, if it is.
func (s *Store) notOver(err error) error {
	if !errors.Is(err, errOver) {
		return err
	}
	if err := s.poison(); err != nil {
		return err
	}
	return ErrClosed
}
