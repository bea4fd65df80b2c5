package store

// This file is the one goroutine that makes groups durable: what gathered while the last sync ran, and, with a journal, a moment longer when
// many changes come (company.go).

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
		if err := s.commit(g); err != nil {
			s.Fail(fmt.Errorf("group %d: %w", g.sequence, err))
			return
		}
		done := Commit{Sequence: g.sequence, Joins: g.stand, Entries: len(g.entries), Bytes: g.size, Took: time.Since(start)}
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
	if s.journal == nil { // else the checkpointer does the chores
		s.idle.Stop()
		if s.last.sequence > s.settledAt {
			s.idle.Reset(settleAfter)
		}
	}
	waited := s.journal == nil
	for {
		switch {
		case s.failure != nil:
			return nil, false
		case len(s.sealed) > 0:
			s.committing = s.sealed[0]
			s.sealed = s.sealed[1:]
			return s.committing, true
		case s.gathering.joined > 0 && !waited && !s.closing:
			waited = true
			s.awaitCompany()
			continue
		case s.gathering.joined > 0:
			s.committing = s.seal()
			return s.committing, true
		case s.closing:
			return nil, false
		case s.journal == nil && (s.settle || s.roomy):
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

// commit returns when the group is on disk: in the journal, if there is one, else in Badger.
func (s *Store) commit(g *Group) (err error) {
	if s.journal == nil {
		s.last, err = s.write(g)
	} else {
		err = s.record(g)
	}
	if err == nil && s.fault != nil {
		err = s.fault(BeforeRelease, g.sequence)
	}
	return err
}

// record writes the group into the journal, and puts it on the shelf for Badger.
func (s *Store) record(g *Group) error {
	failpoint.Hit("store/before-commit")
	if s.fault != nil {
		if err := s.fault(BeforeCommit, g.sequence); err != nil {
			return err
		}
	}
	if err := s.journal.append(g, s.now(), s.awaitBadger); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	failpoint.Hit("store/committed")
	if s.fault != nil {
		if err := s.fault(AfterCommit, g.sequence); err != nil {
			return err
		}
	}
	if s.checkpoints.shelf.put(g) {
		s.checkpoints.ask()
	}
	return nil
}

// write has a transaction of Badger and the slot that announces it synced at the same time. It returns the head that Badger has then.
func (s *Store) write(g *Group) (head, error) {
	after := s.last.next(g.entries, g.sequence, s.now())
	marked := make(chan error, 1)
	go func() {
		err := s.sink.mark(slot{
			acknowledged: s.last.sequence, acknowledgedHash: s.last.hash,
			intended: after.sequence, intendedHash: after.hash,
			identity: s.identity, journal: s.journaled,
		})
		if err != nil {
			err = fmt.Errorf("sidecar: %w", err)
		}
		if err != nil && s.journal != nil {
			s.Fail(err) // groups become durable meanwhile, which must not go on until Badger has come with this one
		}
		marked <- err
		failpoint.Hit("store/marked")
	}()
	if s.journal == nil {
		failpoint.Hit("store/before-commit")
	} else {
		failpoint.Hit("store/before-checkpoint")
	}
	err := s.sink.commit(g.entries, after)
	if s.journal == nil {
		failpoint.Hit("store/committed")
	} else {
		failpoint.Hit("store/checkpointed")
	}
	if markErr := <-marked; markErr != nil && err == nil {
		err = markErr
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

// faulty is a sink that fails where a test wants it to. before and after are the points of its commits: with a journal, those of a checkpoint.
type faulty struct {
	sink
	fault         func(at Point, sequence uint64) error
	before, after Point
}

func (f faulty) commit(entries []entry, h head) error {
	if err := f.fault(f.before, h.sequence); err != nil {
		return err
	}
	if err := f.sink.commit(entries, h); err != nil {
		return err
	}
	return f.fault(f.after, h.sequence)
}

func (f faulty) mark(s slot) error {
	if err := f.fault(BeforeSidecar, s.intended); err != nil {
		return err
	}
	return f.sink.mark(s)
}
