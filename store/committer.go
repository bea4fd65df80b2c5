package store

// This file is the one goroutine that makes groups durable. No group waits for company: it commits what gathered while the last sync ran.

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/paydoor/paydoor/internal/failpoint"
)

// spareGroups is how many groups are kept to be used again: as many as there are while the committer keeps up.
const spareGroups = 2

// settleAfter is how long nothing is under way before the sidecar says that the last group is acknowledged.
const settleAfter = 20 * time.Millisecond

// sink is where a group goes: a transaction, and beside it the sidecar's slot. Each returns when its part is on disk.
type sink interface {
	commit(entries []entry, h head) error
	mark(s slot) error
}

// commitGroups runs until the store is closing and all groups are written, or until it fails.
func (s *Store) commitGroups() {
	defer close(s.stopped)
	for {
		g, more := s.nextGroup()
		if !more {
			return
		}
		if g == nil {
			if err := s.chore(); err != nil {
				s.Fail(err)
				return
			}
			continue
		}
		start := time.Now()
		after, err := s.commit(g)
		if err != nil {
			s.Fail(fmt.Errorf("group %d: %w", g.sequence, err))
			return
		}
		s.last = after
		done := Commit{Sequence: g.sequence, Joins: g.joined, Entries: len(g.entries), Bytes: g.size, Took: time.Since(start)}
		s.release(g)
		if s.observe != nil {
			s.observe(done)
		}
	}
}

// nextGroup waits for a group with changes; nil is a chore, and more=false that there is nothing left to do.
func (s *Store) nextGroup() (g *Group, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle.Stop()
	if s.last.sequence > s.settledAt {
		s.idle.Reset(settleAfter)
	}
	for {
		switch {
		case s.failure != nil:
			return nil, false
		case len(s.sealed) > 0:
			s.committing = s.sealed[0]
			s.sealed = s.sealed[1:]
			return s.committing, true
		case s.gathering.joined > 0:
			s.committing = s.seal()
			return s.committing, true
		case s.closing:
			return nil, false
		case s.settle || s.roomy:
			s.settle, s.roomy = false, false
			return nil, true
		}
		s.wake.Wait()
	}
}

func (s *Store) wakeToSettle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle = true
	s.wake.Signal()
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
	if err := callAll(g.callbacks); err != nil {
		s.Fail(err)
		return
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

// panicked is a panic of somebody else's code.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("a callback panicked: %v", p.value) }

// callAll calls all of them. A panic leaves what hangs on the group half told, so nothing may be built on it.
func callAll(callbacks []func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{r, debug.Stack()}
		}
	}()
	for _, f := range callbacks {
		f()
	}
	return nil
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
