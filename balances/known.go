package balances

// This file is knowing duplicates: which conditions are being credited, and which were in the last minutes.
//
// The record of a credit is in the store under the minute in which it may be forgotten; in memory there is a 16-byte fingerprint of the
// condition, in a set per minute. The minutes are those of a clock of their own, the duplicate clock: it starts at the wall time of
// the ledger's first use and then advances only while the ledger is open, by the monotonic clock. So neither a jump of the wall clock, in
// either direction, nor time spent down makes the ledger forget early. Its reading is kept with each credit, and goes on from there.
//
// When a minute has passed its set is dropped, and the records are deleted by later joins, a few in each.

import (
	"slices"
	"sync"
	"time"

	"github.com/paydoor/paydoor/store"
)

const (
	horizon = 10 * time.Minute // how long a credit is remembered at least

	sweepBatch   = 1000 // keys looked up at a time to be deleted
	sweepPerJoin = 8    // keys deleted by one join
)

type fingerprint [16]byte

// flight is a credit under way. err is set before done is closed: nil when the credit counts.
type flight struct {
	credit Credit
	minute uint32        // under which it is remembered
	latest time.Duration // its deadline by the clock that never jumps
	done   chan struct{}
	err    error
}

// generation is the conditions that may be forgotten at the beginning of a minute.
type generation struct {
	minute uint32
	set    map[fingerprint]struct{}
}

type known struct {
	start   time.Time // the duplicate clock at elapsed 0
	elapsed func() time.Duration
	limit   int

	mu          sync.Mutex
	flights     map[[32]byte]*flight
	generations []generation // by minute
	count       int

	passed   []uint32 // minutes that may have records to delete, oldest first
	cursor   []byte   // where to go on in the oldest
	doomed   [][]byte // keys to delete
	sweeping bool     // somebody looks for doomed keys
}

// loadKnown reads which credits are still remembered.
func loadKnown(v *store.View, wall time.Time, elapsed func() time.Duration, limit int) (*known, error) {
	k := &known{start: wall, elapsed: elapsed, limit: limit, flights: make(map[[32]byte]*flight)}
	if b, err := v.Get([]byte(clockKey)); err == nil {
		if k.start, err = decodeClock(b); err != nil {
			return nil, err
		}
	} else if err != store.ErrNotFound {
		return nil, err
	}
	k.start = k.start.Add(-elapsed())
	return k, v.Iterate([]byte(creditPrefix), nil, func(key, _ []byte) error {
		minute, condition, err := readCreditKey(key)
		if err == nil {
			k.add(minute, condition)
		}
		return err
	})
}

func (k *known) now() time.Time { return k.start.Add(k.elapsed()) }

// forgetAt returns the minute in which a credit of now may be forgotten: the first that begins when the horizon has passed.
func (k *known) forgetAt() uint32 { return uint32(k.now().Add(horizon).Unix()/60) + 1 }

// begin enters a credit; mine says that the caller has to end it. Else the flight is another one with the same condition.
func (k *known) begin(c Credit) (f *flight, mine bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f, ok := k.flights[c.Condition]; ok {
		return f, false
	}
	f = &flight{credit: c, done: make(chan struct{})}
	k.flights[c.Condition] = f
	return f, true
}

// end tells those who wait for the flight how it went. One that went well is remembered from now on.
func (k *known) end(f *flight, err error, remember bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if remember {
		k.add(f.minute, f.credit.Condition)
	}
	delete(k.flights, f.credit.Condition)
	f.err = err
	close(f.done)
}

// find returns the minutes under which a record of the condition may be in the store.
func (k *known) find(condition [32]byte) (minutes []uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn()
	for _, g := range k.generations {
		if _, ok := g.set[fingerprint(condition[:16])]; ok {
			minutes = append(minutes, g.minute)
		}
	}
	return minutes
}

func (k *known) full() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn()
	return k.count+len(k.flights) > k.limit
}

func (k *known) add(minute uint32, condition [32]byte) {
	i, found := slices.BinarySearchFunc(k.generations, minute, func(g generation, m uint32) int { return int(g.minute) - int(m) })
	if !found {
		k.generations = slices.Insert(k.generations, i, generation{minute, make(map[fingerprint]struct{})})
	}
	k.generations[i].set[fingerprint(condition[:16])] = struct{}{}
	k.count++
}

// turn drops the sets of minutes that have begun.
func (k *known) turn() {
	now := uint32(k.now().Unix() / 60)
	for len(k.generations) > 0 && k.generations[0].minute <= now {
		k.count -= len(k.generations[0].set)
		k.passed = append(k.passed, k.generations[0].minute)
		k.generations = k.generations[1:]
	}
}

// sweep looks up records that may be deleted, if there may be any and few are known. It is called outside of all locks.
func (k *known) sweep(s *store.Store) error {
	k.mu.Lock()
	k.turn()
	if k.sweeping || len(k.passed) == 0 || len(k.doomed) >= sweepPerJoin {
		k.mu.Unlock()
		return nil
	}
	k.sweeping = true
	minute, from := k.passed[0], k.cursor
	k.mu.Unlock()

	found, whole, err := recordsOf(s, minute, from)

	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweeping = false
	if err != nil {
		return err
	}
	k.doomed = append(k.doomed, found...)
	if whole {
		k.passed, k.cursor = k.passed[1:], nil
	} else {
		k.cursor = append(slices.Clone(found[len(found)-1]), 0)
	}
	return nil
}

// recordsOf returns some keys of a minute's records; whole says that there are no more.
func recordsOf(s *store.Store, minute uint32, from []byte) (keys [][]byte, whole bool, err error) {
	err = s.View(func(v *store.View) error {
		return v.Iterate(minutePrefix(minute), from, func(key, _ []byte) error {
			if len(keys) == sweepBatch {
				return errEnough
			}
			keys = append(keys, slices.Clone(key))
			return nil
		})
	})
	if err == errEnough {
		return keys, false, nil
	}
	return keys, true, err
}

// remove deletes a few records that may be forgotten. It is called in a join.
func (k *known) remove(g *store.Group) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := min(len(k.doomed), sweepPerJoin)
	for _, key := range k.doomed[:n] {
		g.Delete(key)
	}
	k.doomed = k.doomed[n:]
}
