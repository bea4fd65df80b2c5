package balances

// This file is forgetting: events older than Options.Retention are replaced, account by account, by their sums, so that the audit stays
// exact. The history is walked through over and over, a little at a time, by those who use the ledger; what is found goes with the next
// group.

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/store"
)

const (
	foldScan   = 1000                  // events looked at in a step
	foldEvents = 64                    // events forgotten in a step, and so by one join
	foldPause  = 10 * time.Millisecond // between steps
	foldWait   = time.Minute           // after a step that failed, and at least between walks
)

// folder is where the walk through the history is.
type folder struct {
	retention time.Duration // 0: nothing is forgotten
	next      atomic.Int64  // the time elapsed when the next step may be made

	mu       sync.Mutex
	cursor   []byte // the key to go on with; nil: from the beginning
	sequence uint64 // the group that the last step has joined
}

// fold is the old events of an account, and their sums with those of all that were forgotten before.
type fold struct {
	account Account
	sums    Event
	old     [][]byte // keys
	ids     []string // of adjustments
}

// foldSome makes a step when it is time for one. It is called outside of all locks, by anybody whose change is done.
func (l *Ledger) foldSome() {
	f := &l.folder
	if f.retention <= 0 || int64(l.known.elapsed()) < f.next.Load() || !f.mu.TryLock() {
		return
	}
	defer f.mu.Unlock()
	if f.sequence > l.store.Durable() {
		return // the sums of the last step cannot be read yet
	}
	pause := foldPause
	if err := f.step(l.store, l.now().Add(-f.retention)); err != nil {
		l.log.Warn("the history could not be searched for old events", zap.Error(err))
		pause = foldWait
	} else if f.cursor == nil {
		pause = min(max(f.retention/100, foldWait), time.Hour)
	}
	f.next.Store(int64(l.known.elapsed() + pause))
}

func (f *folder) step(s *store.Store, before time.Time) error {
	var folds []*fold
	var next []byte
	err := s.View(func(v *store.View) (err error) {
		folds, next, err = oldEvents(v, f.cursor, before)
		return err
	})
	if err == nil && len(folds) > 0 {
		var ticket store.Ticket
		if ticket, err = s.Join(func(g *store.Group) { putFolds(g, folds) }); err == nil {
			f.sequence = ticket.Sequence()
		}
	}
	if err != nil {
		return err
	}
	f.cursor = next
	return nil
}

// oldEvents looks at events from a key on; next is where to go on, or nil at the end. An event that cannot be read is left to the audit.
func oldEvents(v *store.View, from []byte, before time.Time) (folds []*fold, next []byte, err error) {
	looked, found := 0, 0
	err = v.Iterate([]byte(historyPrefix), from, func(key, value []byte) error {
		if looked++; looked > foldScan || found == foldEvents {
			next = slices.Clone(key)
			return errEnough
		}
		e, err := readHistory(key, value)
		if err != nil || e.Kind == Folded || !e.At.Before(before) {
			return nil
		}
		a := Account(key[len(historyPrefix):])
		if len(folds) == 0 || folds[len(folds)-1].account != a {
			sums, err := foldedBefore(v, a)
			if err != nil {
				return err
			}
			folds = append(folds, &fold{account: a, sums: sums})
		}
		found++
		folds[len(folds)-1].add(slices.Clone(key), e)
		return nil
	})
	if err == errEnough {
		err = nil
	}
	return folds, next, err
}

func foldedBefore(v *store.View, a Account) (Event, error) {
	b, err := v.Get(foldedKey(a))
	if errors.Is(err, store.ErrNotFound) {
		return Event{Kind: Folded}, nil
	}
	if err != nil {
		return Event{}, err
	}
	return decodeEvent(b)
}

func (f *fold) add(key []byte, e Event) {
	f.sums.Sums.count(e)
	if f.sums.At.Before(e.At) {
		f.sums.At = e.At
	}
	f.old = append(f.old, key)
	if e.ID != "" {
		f.ids = append(f.ids, e.ID)
	}
}

// putFolds is called in a join. Nobody else changes events that are written, so the accounts need no lock.
func putFolds(g *store.Group, folds []*fold) {
	for _, f := range folds {
		g.Put(foldedKey(f.account), f.sums.encode())
		for _, key := range f.old {
			g.Delete(key)
		}
		for _, id := range f.ids {
			g.Delete(adjustmentKey(id))
		}
	}
}

func foldedKey(a Account) []byte { return historyKey(a, 0, 0) }
