package store

// This file is how changes get into groups, and how their makers learn the outcome.

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
)

var (
	// ErrClosed says that the store is closed or closing; nothing was changed.
	ErrClosed = errors.New("the store is closed")
	// ErrPoisoned says that a group could not be made durable, so the store takes nothing more and must be opened anew. From a
	// Ticket it means that the outcome is unknown: the changes may or may not be there then. From Join nothing was changed.
	ErrPoisoned = errors.New("the store has failed")
)

// Ticket stands for the group that a join went into.
type Ticket struct{ group *outcome }

// Sequence is the number of the group.
func (t Ticket) Sequence() uint64 { return t.group.sequence }

// Done is closed when the outcome is known; Wait then returns at once.
func (t Ticket) Done() <-chan struct{} { return t.group.done }

// Wait returns nil when the group is durable and its callbacks have run, ErrPoisoned when its outcome is unknown, or ctx's error when
// ctx ends first; the group goes on without the one who waited.
func (t Ticket) Wait(ctx context.Context) error {
	if ctx.Done() == nil {
		<-t.group.done // much cheaper than a select
		return t.group.err
	}
	select {
	case <-t.group.done:
		return t.group.err
	default:
	}
	select {
	case <-t.group.done:
		return t.group.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Join calls f once with the group that is being gathered and returns a Ticket for it; if it returns an error, f was not called:
// ErrNoSpace, ErrClosed or ErrPoisoned.
//
// Joins happen one at a time and never wait for the disk. What a join does to a key comes after what every join before it did, in the
// same group or an earlier one: callers that change a key under a lock of theirs and join under it too get their order. f must be
// quick, must not call the store, and may take only locks under which nobody joins. If f panics, the store is poisoned.
func (s *Store) Join(f func(g *Group)) (Ticket, error) {
	if err := s.space.check(); err != nil {
		return Ticket{}, err
	}
	return s.join(f, false)
}

// FollowUp is Join for an AfterCommit callback that has to complete what an earlier group began: it is not refused when the disk
// is nearly full or the store is closing.
func (s *Store) FollowUp(f func(g *Group)) (Ticket, error) { return s.join(f, true) }

func (s *Store) join(f func(g *Group), followUp bool) (Ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return Ticket{}, s.failure
	}
	if s.closing && !followUp {
		return Ticket{}, ErrClosed
	}
	if s.gathering.full() {
		s.sealed = append(s.sealed, s.seal())
	}
	g := s.gathering
	s.run(g, f)
	if s.tail != nil {
		if err := s.tail.append(g, s.durable.Load()); err != nil {
			s.failLocked(fmt.Errorf("writing the tail: %w", err))
			return Ticket{}, s.failure
		}
	}
	if g.joined == 1 {
		s.wake.Signal()
	}
	s.joinCompany(g.stand)
	return Ticket{g.outcome}, nil
}

// BeforeCommit has f called with each group before it is committed, after all its joins, to put what sums them up. With Options.Tail
// it is called with each join instead, at its end, for the tail has to have it too. The same holds for f as for that of
// Join. There is one f, to be set before the first Join.
func (s *Store) BeforeCommit(f func(g *Group)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// seal ends the gathering of a group and begins that of the next one.
func (s *Store) seal() *Group {
	g := s.gathering
	if s.before != nil && s.tail == nil {
		s.run(g, nil)
	}
	if n := len(s.spare); n > 0 {
		s.gathering, s.spare = s.spare[n-1], s.spare[:n-1]
		s.gathering.renew(g.sequence + 1)
	} else {
		s.gathering = newGroup(g.sequence + 1)
	}
	s.backlog.Add(1)
	return g
}

// run calls f, and what is to be called before a commit where that comes with each join; a nil f stands for the latter alone.
// A panic leaves the group half changed, so nothing of it may reach the disk.
func (s *Store) run(g *Group, f func(g *Group)) {
	g.firstEntries, g.firstSize = len(g.entries), g.size
	g.track, g.touched = s.tail != nil, g.touched[:0]
	finished := false
	defer func() {
		if !finished {
			s.failLocked(errors.New("a change to the store panicked"))
		}
	}()
	if f != nil {
		g.joined++
		g.stand++
		f(g)
	}
	if s.before != nil && (f == nil || s.tail != nil) {
		s.before(g)
	}
	finished = true
}

// Fail poisons the store. It is for those who find that what is in it cannot be right, before they build on it.
func (s *Store) Fail(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(cause)
}

// failLocked poisons the store: the first error stays, the operator is told it, and all who wait learn that there was one.
func (s *Store) failLocked(cause error) {
	if s.failure != nil {
		return
	}
	s.failure = fmt.Errorf("%w: %w", ErrPoisoned, cause)
	s.refusal.Store(&s.failure)
	waiting := append(s.sealed, s.gathering)
	if s.committing != nil {
		waiting = append([]*Group{s.committing}, waiting...)
	}
	for _, g := range waiting {
		g.err = s.failure
		close(g.done)
	}
	s.sealed = nil
	close(s.failed)
	s.wake.Signal()
	told := []zap.Field{zap.String("directory", s.dir), zap.Error(cause)}
	if p, ok := errors.AsType[*panicked](cause); ok {
		told = append(told, zap.ByteString("stack", p.stack))
	}
	s.log.Error("the store has failed and takes nothing more until it is opened again", told...)
}
