package connector

// This file knows the conditions of what accounts have received, so that none is credited twice, across restarts too.
//
// In memory they are in generations by the minute in which they came; twelve minutes later they are forgotten, and later changes delete
// their records, a few in each. The minutes are those of the monotonic clock, and what is found in the store at start is remembered for
// another twelve: neither a jump of the wall clock nor time spent down makes the node forget early.

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

var (
	// ErrTooLate says that money for an account was durable, or would have been, after its deadline. Nothing is left of it.
	ErrTooLate = errors.New("durable after the deadline")
	// ErrMismatch says that a condition was used before with other content, or by another account.
	ErrMismatch = errors.New("condition known with other content")
	// ErrBusy says that too many conditions of the sender, or of all, are remembered already.
	ErrBusy = errors.New("too many payments in the last minutes")
)

const (
	rememberMinutes  = 12      // packets wait for at most one minute; this is more than ten after that
	rememberAtMost   = 1 << 19 // conditions, 240 bytes each. A third is more than an account can send at DefaultPacketsPerMinute
	forgottenPerJoin = 8       // records deleted by one change
)

// receipt is what is remembered of a condition.
type receipt struct {
	digest   [32]byte
	from, to ilpcore.AccountID
}

func (r receipt) pair() pair { return pair{r.from, r.to} }

// arrivals is the conditions that were taken, and those that are being taken.
type arrivals struct {
	elapsed func() time.Duration

	mu      sync.Mutex
	taken   map[[32]byte]receipt
	flights map[[32]byte]chan struct{} // closed when the outcome is known
	shares  shares                     // of both
	minutes []minute                   // the oldest first
	doomed  [][32]byte                 // their records are to be deleted
}

type minute struct {
	number     int
	conditions [][32]byte
}

func newArrivals() *arrivals {
	start := time.Now()
	return &arrivals{
		elapsed: func() time.Duration { return time.Since(start) }, taken: map[[32]byte]receipt{}, flights: map[[32]byte]chan struct{}{},
		shares: newShares(rememberAtMost),
	}
}

// find returns what is remembered of a condition.
func (a *arrivals) find(condition [32]byte) (receipt, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.taken[condition]
	return r, ok
}

// begin waits until nobody else takes the condition. repeated says that it was taken before just so; otherwise, without an error, the
// caller has to call end.
func (a *arrivals) begin(condition [32]byte, r receipt) (repeated bool, err error) {
	for {
		a.mu.Lock()
		a.turn()
		if known, ok := a.taken[condition]; ok {
			a.mu.Unlock()
			if known != r {
				return false, ErrMismatch
			}
			return true, nil
		}
		flight, ok := a.flights[condition]
		if !ok {
			defer a.mu.Unlock()
			if !a.shares.allows(r.pair()) {
				return false, ErrBusy
			}
			a.shares.add(r.pair())
			a.flights[condition] = make(chan struct{})
			return false, nil
		}
		a.mu.Unlock()
		<-flight
	}
}

// end tells those who wait how it went, and remembers the condition if it was taken.
func (a *arrivals) end(condition [32]byte, r receipt, taken bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if taken {
		a.add(condition, r)
	} else {
		a.shares.drop(r.pair())
	}
	close(a.flights[condition])
	delete(a.flights, condition)
}

// add remembers a condition whose share is counted.
func (a *arrivals) add(condition [32]byte, r receipt) {
	now := a.minute()
	if len(a.minutes) == 0 || a.minutes[len(a.minutes)-1].number != now {
		a.minutes = append(a.minutes, minute{number: now})
	}
	last := &a.minutes[len(a.minutes)-1]
	last.conditions = append(last.conditions, condition)
	a.taken[condition] = r
}

func (a *arrivals) minute() int { return int(a.elapsed() / time.Minute) }

// turn forgets what is old. The lock is held.
func (a *arrivals) turn() {
	for len(a.minutes) > 0 && a.minutes[0].number < a.minute()-rememberMinutes {
		for _, condition := range a.minutes[0].conditions {
			a.shares.drop(a.taken[condition].pair())
			delete(a.taken, condition)
		}
		a.doomed = append(a.doomed, a.minutes[0].conditions...)
		a.minutes = a.minutes[1:]
	}
}

// The format is final; the condition is that of the packet.
//
//	received/ condition, 32 bytes
//	          version 1 | digest, 32 bytes | length of from, 1 byte | from | to
const (
	receivedPrefix  = "received/"
	receivedVersion = 1
	receivedHead    = 1 + 32 + 1
)

func receivedKey(condition [32]byte) []byte { return append([]byte(receivedPrefix), condition[:]...) }

// put records a condition, and deletes the records of a few forgotten ones. It is called in a join.
func (a *arrivals) put(g *store.Group, condition [32]byte, r receipt) {
	record := append(make([]byte, 0, receivedHead+2*64), receivedVersion)
	record = append(record, r.digest[:]...)
	record = append(record, byte(len(r.from)))
	record = append(append(record, r.from...), r.to...)
	g.Put(receivedKey(condition), record)
	a.mu.Lock()
	defer a.mu.Unlock()
	n := min(forgottenPerJoin, len(a.doomed))
	for _, old := range a.doomed[:n] {
		if _, again := a.taken[old]; !again && old != condition && a.flights[old] == nil {
			g.Delete(receivedKey(old))
		}
	}
	a.doomed = a.doomed[n:]
}

// load remembers one record of the store.
func (a *arrivals) load(key, record []byte) error {
	var condition [32]byte
	if len(key) != len(receivedPrefix)+len(condition) || len(record) < receivedHead || record[0] != receivedVersion ||
		len(record) < receivedHead+int(record[receivedHead-1]) {
		return fmt.Errorf("%w: what account received %x", ErrBooks, key)
	}
	copy(condition[:], key[len(receivedPrefix):])
	ids := record[receivedHead:]
	r := receipt{from: ilpcore.AccountID(ids[:record[receivedHead-1]]), to: ilpcore.AccountID(ids[record[receivedHead-1]:])}
	copy(r.digest[:], record[1:])
	a.shares.add(r.pair())
	a.add(condition, r)
	return nil
}
