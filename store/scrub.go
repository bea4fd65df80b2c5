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

// walk leads an iterator through many keys. What goes wrong in Badger poisons the store too; what goes wrong in the function that is called with
// each key does not.
type walk struct {
	store  *Store
	it     *badger.Iterator
	value  []byte
	take   func(value []byte) error // puts a value into value; made once, for a closure for each key would cost as much as the key
	callee bool                     // the function is running, not Badger
}

func (w *walk) run(from []byte, f func(key, value []byte) error) (err error) {
	defer func() {
		if w.callee {
			return // a panic goes on
		}
		if r := recover(); r != nil {
			err = w.store.unreadable(fmt.Errorf("%v", r))
		}
	}()
	for w.it.Seek(from); w.it.Valid(); w.it.Next() {
		item := w.it.Item()
		if err := item.Value(w.take); err != nil {
			return w.store.unreadable(err)
		}
		w.callee = true
		if err := f(item.Key(), w.value); err != nil {
			return err
		}
		w.callee = false
	}
	return nil
}
