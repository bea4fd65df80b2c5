package btp

// This file fills and ends the queue of a session.

import (
	"errors"
	"sync"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

// Who may wait finds no room beyond a bound, who may not does; and each frame ends once, also one that comes after the end.
func TestQueue(t *testing.T) {
	q := newQueue()
	var waiting sync.WaitGroup
	frame := func() outgoing {
		sent := make(chan struct{})
		waiting.Go(func() { <-sent })
		return outgoing{buffer: takeBuffer(), sent: sent}
	}
	for range queued {
		if !q.offer(frame()) {
			t.Fatal("no room")
		}
	}
	if q.offer(outgoing{}) || !q.full() {
		t.Error("room beyond the bound")
	}
	q.push(frame())
	for len(q.room) > 0 {
		<-q.room
	}
	taken := q.take(nil)
	if len(taken) != queued+1 || len(q.room) != 1 {
		t.Errorf("%d frames, %d of those who wait are told", len(taken), len(q.room))
	}
	for _, o := range taken {
		o.done(nil)
	}
	if q.full() || !q.offer(frame()) {
		t.Error("no room again")
	}
	q.end(errors.New("over"))
	q.push(frame())
	for range queued + 1 {
		if !q.offer(frame()) {
			t.Error("who comes late waits")
		}
	}
	if len(q.take(nil)) != 0 {
		t.Error("frames are left after the end")
	}
	waiting.Wait() // until each has been accounted for; a second time panics
}

// What a burst puts off is written at its end.
func TestBurstWakesTheWriterOnce(t *testing.T) {
	handler := startingLink{fulfilling, make(chan ilpcore.Asker, 10)}
	near, _ := pair(t, newEndpoint(Config{Account: "far", Handler: handler}, quick()), fulfilling)
	var burst ilpcore.Burst
	answers := make(asker, 10)
	queue := &near.session.Load().queue
	for range 3 {
		near.StartPrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}, answers, &burst)
	}
	queue.mu.Lock()
	if len(queue.frames) != 3 || len(queue.wake) != 0 {
		t.Errorf("%d frames wait during the burst", len(queue.frames))
	}
	queue.mu.Unlock()
	burst.End()
	for range 3 {
		(<-handler.askers).Answered(ilpcore.Fulfill(testFulfillment, nil), nil)
	}
	for range 3 {
		if reply := <-answers; !reply.Fulfilled {
			t.Errorf("%+v", reply)
		}
	}
}

// A packet that finds no room in the queue has to be waited for.
func TestNoPacketIsBegunWithoutRoom(t *testing.T) {
	near, _ := pair(t, newEndpoint(Config{Account: "far", Handler: fulfilling}, quick()), fulfilling)
	var burst ilpcore.Burst
	answers := make(asker, queued+1)
	for range queued {
		if !near.StartPrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}, answers, &burst) {
			t.Fatal("not begun")
		}
	}
	if near.StartPrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}, answers, &burst) {
		t.Error("begun without room")
	}
	burst.End()
	if reply := near.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); !reply.Fulfilled {
		t.Errorf("%+v", reply)
	}
	for range queued {
		if reply := <-answers; !reply.Fulfilled {
			t.Errorf("%+v", reply)
		}
	}
}
