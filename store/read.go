package store

// This file is reading: single keys, and many keys in one unchanging view.

import (
	"errors"

	"github.com/dgraph-io/badger/v4"
)

// ErrNotFound says that there is nothing under a key.
var ErrNotFound = errors.New("no such key")

// Get returns a copy of the value of key: what durable groups, or ones about to be, have put. Changes that still gather are not seen.
// ErrNotFound, ErrClosed or ErrPoisoned.
func (s *Store) Get(key []byte) (value []byte, err error) {
	if s.checkpoints != nil {
		if err := s.Err(); errors.Is(err, ErrPoisoned) {
			return nil, err
		}
		// What leaves the shelf is in Badger by then, so it has to be looked at first.
		if value, ok := s.checkpoints.shelf.get(key); ok && value != nil {
			return value, nil
		} else if ok {
			return nil, ErrNotFound
		}
	}
	err = s.view(func(v *View) error {
		value, err = v.Get(key)
		return err
	})
	return value, err
}

// Iterate calls f for each key that begins with prefix, in the order of their bytes; see View.Iterate.
func (s *Store) Iterate(prefix []byte, f func(key, value []byte) error) error {
	return s.View(func(v *View) error { return v.Iterate(prefix, nil, f) })
}

// Wrote says whether there is a key that begins with prefix in what Badger has got so far. Unlike Iterate it does not wait, with Options.Journal, for what
// is durable and not there yet. ErrClosed or ErrPoisoned.
func (s *Store) Wrote(prefix []byte) (found bool, err error) {
	errFound := errors.New("found")
	err = s.view(func(v *View) error {
		return v.Iterate(prefix, nil, func(_, _ []byte) error { return errFound })
	})
	if err == errFound {
		return true, nil
	}
	return false, err
}

// View calls f with a view of the store that shows whole groups and does not change. Close waits for f to return, and f must not
// read the store by other means than the view: it could then wait for a Close that waits for it. Errors: f's, ErrClosed, ErrPoisoned, and
// with Options.Journal ErrNoSpace, when there is no room to bring what is durable to where it is read from.
func (s *Store) View(f func(v *View) error) error {
	if s.checkpoints != nil {
		if err := s.readable(); err != nil {
			return err
		}
	}
	return s.view(f)
}

// view is View of what Badger has.
func (s *Store) view(f func(v *View) error) error {
	s.open.RLock()
	defer s.open.RUnlock()
	if s.db == nil {
		return ErrClosed
	}
	if err := s.Err(); errors.Is(err, ErrPoisoned) {
		return err
	}
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	return f(&View{txn, s})
}

// View is one moment of the store. It may be used by one goroutine, and only until the function it was given to returns.
type View struct {
	txn   *badger.Txn
	store *Store
}

// Get returns a copy of the value of key, or ErrNotFound. An error of the disk poisons the store.
func (v *View) Get(key []byte) ([]byte, error) {
	defer faultsPanic()()
	value, err := v.store.lookUp(v.txn, string(key))
	if err == nil && value == nil {
		err = ErrNotFound
	}
	return value, err
}

// Iterate calls f for each key that begins with prefix and is not below from (nil: the prefix), in the order of their bytes, until f
// returns an error, which it returns. The slices are valid until f returns. An error of the disk poisons the store.
func (v *View) Iterate(prefix, from []byte, f func(key, value []byte) error) error {
	defer faultsPanic()() // not in View: iter.Pull gives an iterator a goroutine of its own
	o := badger.DefaultIteratorOptions
	o.Prefix = prefix
	o.PrefetchValues = false // values lie beside their keys
	it := v.txn.NewIterator(o)
	defer it.Close()
	if from == nil {
		from = append([]byte{}, prefix...) // not nil
	}
	w := walk{store: v.store, it: it}
	w.take = func(value []byte) error { w.value = value; return nil }
	return w.run(from, f)
}

// Sequence is the number of the last group that this view shows.
func (v *View) Sequence() (uint64, error) {
	h, err := v.head()
	return h.sequence, err
}

func (v *View) head() (head, error) {
	b, err := v.Get([]byte(headKey))
	if errors.Is(err, ErrNotFound) {
		return genesis(v.store.identity), nil
	}
	if err != nil {
		return head{}, err
	}
	return decodeHead(b)
}
