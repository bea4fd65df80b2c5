package store

// This file is what a store does by itself now and then: look at the free space and at the tables, make the ballast again, and come back to
// normal after it was opened on a nearly full disk.

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// care runs until the committer has ended.
func (s *Store) care() {
	defer close(s.cared)
	c := scrub{next: scrubEvery}
	tick := time.NewTicker(careEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stopped:
			return
		case <-s.idle.C:
			s.wakeToSettle()
			continue
		case <-tick.C:
		}
		if s.Err() != nil {
			continue
		}
		s.space.look()
		s.careForSpace()
		s.scrubOne(&c)
	}
}

func (s *Store) careForSpace() {
	if s.space.cramped.Load() && s.space.measure(s.space.floor) == nil {
		s.mu.Lock()
		s.roomy = true
		s.wake.Signal()
		s.mu.Unlock()
		if s.checkpoints != nil {
			s.checkpoints.ask()
		}
	}
	if b := s.ballast; b.there() != uint64(b.size) && s.space.measure(s.space.floor+uint64(b.size)) == nil {
		if err := b.make(); err != nil {
			s.log.Warn("the ballast file cannot be made", zap.String("file", b.path), zap.Error(err))
		}
	}
}

// chore is what is done between groups, by the checkpointer if there is one, else by the committer: it opens Badger anew, with compaction, or says in the sidecar that nothing is under way.
func (s *Store) chore() error {
	if s.space.cramped.Load() && s.space.measure(s.space.floor) == nil {
		return s.reopenDatabase()
	}
	if err := s.sink.mark(s.settled()); err != nil {
		return fmt.Errorf("sidecar: %w", err)
	}
	s.settledAt = s.last.sequence
	return nil
}

// reopenDatabase ends what began on a nearly full disk, at a moment in which nobody reads; care asks for it until there is one. It does not
// queue for the lock: behind it all other readers would wait for one that takes long, such as a backup.
func (s *Store) reopenDatabase() error {
	if !s.open.TryLock() {
		return nil
	}
	defer s.open.Unlock()
	if err := s.closeDatabase(); err != nil {
		return fmt.Errorf("closing the database to open it with more space: %w", err)
	}
	db, err := openDatabase(s.dir, s.log, false, s.Fail)
	if err != nil {
		s.db = nil
		return err
	}
	s.db, s.disk.db = db, db
	if err := s.disk.logs.begin(); err != nil {
		return err
	}
	if err := s.disk.mark(s.settled()); err != nil {
		return err
	}
	s.space.cramped.Store(false)
	s.space.look()
	return nil
}

// waitForRoom returns when Badger may begin another log, flush one, and compact; or when the store is to be closed.
func (s *Store) waitForRoom() error {
	for {
		err := s.space.measure(s.space.floor / 2)
		if s.checkpoints != nil {
			s.checkpoints.shelf.room(err)
		}
		if err == nil {
			return nil
		}
		s.space.look()
		s.mu.Lock()
		over := s.closing || s.failure != nil
		s.mu.Unlock()
		if over {
			return errors.Join(errors.New("closed while changes waited for space"), err)
		}
		time.Sleep(careEvery / 5)
	}
}
