package connector

// This file bounds how much an account may send per minute.

import (
	"math/bits"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// amountBucket holds a minute's worth of base units and refills evenly, in whole numbers: what is less than a unit is kept as a count of
// unit-nanoseconds per minute.
type amountBucket struct {
	mu    sync.Mutex
	most  uint64
	level uint64
	rest  uint64 // below a minute's nanoseconds
	last  time.Time
}

func newAmountBucket(perMinute amount.Amount, now time.Time) *amountBucket {
	return &amountBucket{most: uint64(perMinute), level: uint64(perMinute), last: now}
}

// take takes a out if there is as much.
func (b *amountBucket) take(a amount.Amount, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	if uint64(a) > b.level {
		return false
	}
	b.level -= uint64(a)
	return true
}

// giveBack puts back what was taken for a packet that was rejected.
func (b *amountBucket) giveBack(a amount.Amount) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(uint64(a))
}

// refill adds what has come since the last time. A packet that had to wait for its turn brings a time before that, which must not be counted twice.
// A clock that was set back by more adds nothing either, and is followed.
func (b *amountBucket) refill(now time.Time) {
	elapsed := now.Sub(b.last)
	if elapsed <= 0 && elapsed > -time.Minute {
		return
	}
	b.last = now
	if elapsed < 0 {
		return
	}
	if elapsed >= time.Minute {
		b.level, b.rest = b.most, 0
		return
	}
	hi, lo := bits.Mul64(uint64(elapsed), b.most)
	lo, carry := bits.Add64(lo, b.rest, 0)
	units, rest := bits.Div64(hi+carry, lo, uint64(time.Minute))
	b.rest = rest
	b.add(units)
}

func (b *amountBucket) add(units uint64) {
	if units >= b.most-b.level {
		b.level, b.rest = b.most, 0
		return
	}
	b.level += units
}

// amountLimit answers T04 when the account's bucket holds less than the packet. What is not fulfilled does not count.
type amountLimit struct {
	bucket *amountBucket
	self   func() string
}

func (l *amountLimit) enter(units amount.Amount, _, now time.Time) *ilpcore.Reply {
	if !l.bucket.take(units, now) {
		reply := ilpcore.Reject(ilpcore.T04, l.self(), "more money per minute than this account may send; slow down", nil)
		return &reply
	}
	return nil
}

func (l *amountLimit) leave(units amount.Amount, fulfilled bool) {
	if !fulfilled {
		l.bucket.giveBack(units)
	}
}

var _ step = (*amountLimit)(nil)
