package posting

// This file bounds how many requests of one account are worked on at once.

import (
	"sync"
	"sync/atomic"

	"github.com/paydoor/paydoor/ilpcore"
)

// DefaultInFlight is how many requests of one account a server works on at once.
const DefaultInFlight = 1000

// InFlight counts the requests of each account. Only authenticated accounts get in, so it stays small.
type InFlight struct {
	max    int64
	counts sync.Map // ilpcore.AccountID -> *Count
}

// NewInFlight returns counts that go up to max; 0 or less: DefaultInFlight.
func NewInFlight(max int) *InFlight {
	if max <= 0 {
		max = DefaultInFlight
	}
	return &InFlight{max: int64(max)}
}

// Enter counts one more request of the account and says whether there is room for it. Either way the request ends with count.Leave.
func (f *InFlight) Enter(account ilpcore.AccountID) (count *Count, room bool) {
	found, ok := f.counts.Load(account)
	if !ok {
		found, _ = f.counts.LoadOrStore(account, new(Count))
	}
	count = found.(*Count)
	return count, count.n.Add(1) <= f.max
}

// Count is how many requests of one account are under way.
type Count struct{ n atomic.Int64 }

// Leave ends a request.
func (c *Count) Leave() { c.n.Add(-1) }
