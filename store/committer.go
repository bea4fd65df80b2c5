package store

// This file is the one goroutine that makes groups durable. There is no timer: it commits what gathered while the last sync ran.

import (
	"errors"
	"fmt"

	"github.com/paydoor/paydoor/internal/failpoint"
)

// spareGroups is how many groups are kept to be used again: as many as there are while the committer keeps up.
const spareGroups = 2

// sink is where a group goes: a transaction, and beside it the sidecar's slot. Each returns when its part is on disk.
type sink interface {
	commit(entries []entry, h head) error
	mark(s slot) error
}

// commitGroups runs until the store is closing and all groups are written, or until it fails.
func (s *Store) commitGroups() {
	defer close(s.stopped)
	for {
		g := s.nextGroup()
		if g == nil {
			return
		}
		after, err := s.commit(g)
		if err != nil {
			s.Fail(fmt.Errorf("group %d: %w", g.sequence, err))
			return
		}
		s.last = after
		s.release(g)
	}
}

// nextGroup waits for a group with changes; nil says that there is nothing left to do.
func (s *Store) nextGroup() *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.failure != nil:
			return nil
		case len(s.sealed) > 0:
			s.committing = s.sealed[0]
			s.sealed = s.sealed[1:]
			return s.committing
		case s.gathering.joined > 0:
			s.committing = s.seal()
			return s.committing
		case s.closing:
			return nil
		}
		s.wake.Wait()
	}
}

// commit has the group and the slot that announces it synced at the same time.
func (s *Store) commit(g *Group) (head, error) {
	after := s.last.next(g.entries, s.now())
	marked := make(chan error, 1)
	go func() {
		marked <- s.sink.mark(slot{
			acknowledged: s.last.sequence, acknowledgedHash: s.last.hash,
			intended: after.sequence, intendedHash: after.hash,
			identity: s.identity,
		})
		failpoint.Hit("store/marked")
	}()
	failpoint.Hit("store/before-commit")
	err := s.sink.commit(g.entries, after)
	failpoint.Hit("store/committed")
	if markErr := <-marked; markErr != nil && err == nil {
		err = fmt.Errorf("sidecar: %w", markErr)
	}
	if err == nil && s.fault != nil {
		err = s.fault(BeforeRelease, g.sequence)
	}
	return after, err
}

// release runs the callbacks and tells those who wait.
func (s *Store) release(g *Group) {
	failpoint.Hit("store/before-release")
	s.durable.Store(g.sequence)
	if errors.Is(s.Err(), ErrPoisoned) { // by a join, meanwhile
		return
	}
	for _, f := range g.callbacks {
		f()
	}
	failpoint.Hit("store/callbacks")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committing = nil
	s.backlog.Add(-1)
	if s.failure != nil {
		return
	}
	close(g.done)
	if len(s.spare) < spareGroups {
		s.spare = append(s.spare, g)
	}
}

// faulty is a sink that fails where a test wants it to.
type faulty struct {
	sink
	fault func(at Point, sequence uint64) error
}

func (f faulty) commit(entries []entry, h head) error {
	if err := f.fault(BeforeCommit, h.sequence); err != nil {
		return err
	}
	if err := f.sink.commit(entries, h); err != nil {
		return err
	}
	return f.fault(AfterCommit, h.sequence)
}

func (f faulty) mark(s slot) error {
	if err := f.fault(BeforeSidecar, s.intended); err != nil {
		return err
	}
	return f.sink.mark(s)
}
