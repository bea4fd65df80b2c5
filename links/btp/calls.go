package btp

// This file keeps the packets sent over a session until their answers come, or their time is over.

import (
	"context"
	"sync"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// call is one packet that waits for its answer.
type call struct {
	answered chan struct{} // holds one element when reply is set; not of a call with an asker
	reply    ilpcore.Reply
	until    time.Duration // when its time is over, by the clock of the calls
	asker    ilpcore.Asker // gets the answer; nil: somebody waits for it
	busy     *busy         // what the call counts in, if there is an asker
}

var idleCalls = sync.Pool{New: func() any { return &call{answered: make(chan struct{}, 1)} }}

// calls holds those of one session by request id. Whoever takes a call out of the map, and only he, answers it or gives it back. One timer watches
// all of them: most packets are answered long before their time is over, and nearly all have about the same time.
type calls struct {
	began time.Time

	mu     sync.Mutex
	byID   map[uint32]*call // nil after end
	shut   bool             // the session has ended, and no more are added
	lastID uint32
	alarm  *time.Timer
	first  time.Duration // when the alarm rings: never later than the first call is over; never: it does not
}

const never = time.Duration(1<<63 - 1)

func newCalls(lastID uint32) calls {
	alarm := time.NewTimer(time.Hour)
	alarm.Stop()
	return calls{began: time.Now(), byID: make(map[uint32]*call), lastID: lastID, alarm: alarm, first: never}
}

// add returns a new call, which is answered with timedOut when the time that is left is over, and its id, which no other packet in flight
// has; nil when the session has ended.
func (c *calls) add(left time.Duration) (uint32, *call) { return c.addFor(left, nil, nil) }

// addFor is add for an asker that does not wait.
func (c *calls) addFor(left time.Duration, asker ilpcore.Asker, busy *busy) (uint32, *call) {
	until := time.Since(c.began) + left
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil || c.shut {
		return 0, nil
	}
	for {
		c.lastID++
		if _, taken := c.byID[c.lastID]; !taken {
			break
		}
	}
	k := idleCalls.Get().(*call)
	k.until, k.asker, k.busy = until, asker, busy
	c.byID[c.lastID] = k
	if until < c.first {
		c.first = until
		c.alarm.Reset(left)
	}
	return c.lastID, k
}

// watch answers calls whose time is over, until ctx ends.
func (c *calls) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			c.alarm.Stop()
			return
		case <-c.alarm.C:
			c.giveUp()
		}
	}
}

// giveUp answers the calls whose time is over now, and sets the alarm for the next.
func (c *calls) giveUp() {
	for _, k := range c.takeLate() {
		k.answer(timedOut(), nil)
	}
}

func (c *calls) takeLate() (late []*call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Since(c.began)
	c.first = never
	for id, k := range c.byID {
		if k.until <= now {
			delete(c.byID, id)
			late = append(late, k)
		} else {
			c.first = min(c.first, k.until)
		}
	}
	if c.first != never {
		c.alarm.Reset(c.first - now)
	}
	return late
}

// take removes and returns the call with this id; nil when nothing waits for it any more.
func (c *calls) take(id uint32) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.byID[id]
	delete(c.byID, id)
	return k
}

// drop gives a call back that nobody will wait for. When the answer is being handed over at this moment, it takes it in first.
func (c *calls) drop(id uint32, k *call) {
	if c.take(id) == nil {
		<-k.answered
	}
	k.free()
}

// close lets no more be added, and says whether any is left.
func (c *calls) close() (left bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut = true
	return len(c.byID) > 0
}

// end answers all calls, and all later ones, with reply.
func (c *calls) end(reply ilpcore.Reply) {
	c.mu.Lock()
	waiting := c.byID
	c.byID = nil
	c.mu.Unlock()
	for _, k := range waiting {
		k.answer(reply, nil)
	}
}

// answer hands the answer to whoever waits for it, or to the asker. It is called without locks.
func (k *call) answer(reply ilpcore.Reply, burst *ilpcore.Burst) {
	asker, busy := k.asker, k.busy
	if asker == nil {
		k.reply = reply
		k.answered <- struct{}{}
		return
	}
	k.free()
	busy.leave()
	asker.Answered(reply, burst)
}

// free lets another packet use k.
func (k *call) free() {
	k.reply, k.asker, k.busy = ilpcore.Reply{}, nil, nil
	idleCalls.Put(k)
}
