package btp

// This file keeps the packets sent over a session until their answers come.

import (
	"sync"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// call is one packet that waits for its answer.
type call struct {
	answered chan struct{} // holds one element when reply is set
	reply    ilpcore.Reply
	timer    *time.Timer
}

var idleCalls = sync.Pool{New: func() any {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &call{answered: make(chan struct{}, 1), timer: timer}
}}

// calls holds those of one session by request id. Whoever takes a call out of the map, and only he, answers it or gives it back.
type calls struct {
	mu     sync.Mutex
	byID   map[uint32]*call // nil once the session has ended
	lastID uint32
}

// add returns a new call and its id, which no other packet in flight has; nil when the session has ended.
func (c *calls) add() (uint32, *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		return 0, nil
	}
	for {
		c.lastID++
		if _, taken := c.byID[c.lastID]; !taken {
			break
		}
	}
	k := idleCalls.Get().(*call)
	c.byID[c.lastID] = k
	return c.lastID, k
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

// end answers all calls, and all later ones, with reply.
func (c *calls) end(reply ilpcore.Reply) {
	c.mu.Lock()
	waiting := c.byID
	c.byID = nil
	c.mu.Unlock()
	for _, k := range waiting {
		k.answer(reply)
	}
}

func (k *call) answer(reply ilpcore.Reply) {
	k.reply = reply
	k.answered <- struct{}{}
}

// free lets another packet use k.
func (k *call) free() {
	k.timer.Stop()
	k.reply = ilpcore.Reply{}
	idleCalls.Put(k)
}
