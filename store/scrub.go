package store

// This file finds damage while the store is in use. Badger takes a block that it cannot read for the end of a table, without an error, so
// tables are read again now and then; and what does show up as an error, a panic or a page that cannot be read poisons the store.

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
)

// scrubEvery is how long after one reading of all tables the next begins. One table is read per careEvery.
const scrubEvery = 10 * time.Minute

// scrub is where the reading of the tables stands.
type scrub struct {
	queue  []uint64
	next   time.Duration // since the store was opened
	memory []byte
}

// scrubOne reads the next table, if it is time for it.
func (s *Store) scrubOne(c *scrub) {
	s.open.RLock()
	defer s.open.RUnlock()
	if now := s.space.since(); len(c.queue) == 0 {
		if c.memory = nil; now >= c.next {
			c.queue, c.next = s.listed(), now+scrubEvery
		}
		return
	}
	id := c.queue[0]
	c.queue = c.queue[1:]
	s.scrubTable(id, &c.memory)
}

// scrubAll reads all tables; the caller holds s.open. Its error says that the store is poisoned.
func (s *Store) scrubAll() error {
	var memory []byte
	for _, id := range s.listed() {
		s.scrubTable(id, &memory)
		if err := s.Err(); errors.Is(err, ErrPoisoned) {
			return err
		}
	}
	return nil
}

// scrubTable poisons the store if a table is damaged that Badger has not removed meanwhile.
func (s *Store) scrubTable(id uint64, memory *[]byte) {
	_, damage, err := loadTable(table.NewFilename(id, filepath.Join(s.dir, databaseDir)), id, memory)
	if err == nil && damage != "" && slices.Contains(s.listed(), id) {
		s.Fail(fmt.Errorf("%w: %s", ErrLost, damage))
	}
}

// listed returns the tables that Badger uses; the caller holds s.open.
func (s *Store) listed() (ids []uint64) {
	if s.db == nil {
		return nil
	}
	for _, t := range s.db.Tables() {
		ids = append(ids, t.ID)
	}
	return ids
}

// unreadable poisons the store after an error of reading: what was read may not be what was written.
func (s *Store) unreadable(err error) error {
	s.Fail(fmt.Errorf("%w: reading the database: %s", ErrLost, oneLine(err)))
	return s.poison()
}

// poison returns what the store failed of.
func (s *Store) poison() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// faultsPanic has reading a page that is not there panic instead of ending the process, in this goroutine. It returns what undoes that.
func faultsPanic() func() {
	before := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(before) }
}

// lookUp is readValue that poisons the store if it goes wrong.
func (s *Store) lookUp(txn *badger.Txn, key string) (value []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			value, err = nil, s.unreadable(fmt.Errorf("%v", r))
		}
	}()
	if value, err = readValue(txn, key); err != nil {
		return nil, s.unreadable(err)
	}
	return value, nil
}

// step moves an iterator, to from if that is not nil, and returns what it is at; a nil key is the end. It too poisons the store.
func (s *Store) step(it *badger.Iterator, from []byte) (key, value []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			key, value, err = nil, nil, s.unreadable(fmt.Errorf("%v", r))
		}
	}()
	if from != nil {
		it.Seek(from)
	} else {
		it.Next()
	}
	if !it.Valid() {
		return nil, nil, nil
	}
	item := it.Item()
	if err := item.Value(func(v []byte) error { value = v; return nil }); err != nil {
		return nil, nil, s.unreadable(err)
	}
	return item.Key(), value, nil
}
