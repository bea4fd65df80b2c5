package btp

// This file is the frames of a session that wait to be written.

import "sync"

const (
	// queued is how many frames may wait to be written before who has a packet to send waits with it. Answers to packets go beyond: they are no more
	// than the peer may have at work.
	queued = 256
	// unasked is how many of them may be the reader's own: more than answer what one read brings.
	unasked = 1024
)

// queue is handed over as a whole: to the writer, or to whoever ends the session.
type queue struct {
	wake chan struct{} // holds one element when the writer has something to do
	room chan struct{} // holds one element when somebody who waits may try again

	mu     sync.Mutex
	frames []outgoing
	said   int   // how many of them are the reader's
	over   error // nothing is written any more
}

func newQueue() queue {
	return queue{wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// offer queues a frame if there is room, and says so.
func (q *queue) offer(o outgoing) bool {
	q.mu.Lock()
	if q.over == nil && len(q.frames) >= queued {
		q.mu.Unlock()
		return false
	}
	over := q.appendLocked(o)
	if len(q.frames) < queued {
		signal(q.room) // for the next of those who wait
	}
	q.mu.Unlock()
	if over != nil {
		o.done(over)
	}
	return true
}

// full says whether a packet would have to wait for room.
func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.over == nil && len(q.frames) >= queued
}

// say queues a frame of the reader's if there are not too many already, and says so.
func (q *queue) say(o outgoing) bool {
	q.mu.Lock()
	if q.over == nil && q.said >= unasked {
		q.mu.Unlock()
		return false
	}
	q.said++
	over := q.appendLocked(o)
	q.mu.Unlock()
	if over != nil {
		o.done(over)
	}
	return true
}

// push queues a frame.
func (q *queue) push(o outgoing) {
	q.mu.Lock()
	over := q.appendLocked(o)
	q.mu.Unlock()
	if over != nil {
		o.done(over)
	}
}

func (q *queue) appendLocked(o outgoing) error {
	if q.over == nil {
		q.frames = append(q.frames, o)
	}
	return q.over
}

// take returns what is queued. The memory of spare is used for what comes next.
func (q *queue) take(spare []outgoing) []outgoing {
	q.mu.Lock()
	frames := q.frames
	q.frames, q.said = spare[:0], 0
	q.mu.Unlock()
	signal(q.room)
	return frames
}

// end accounts for the frames that will not be written, and for all later ones.
func (q *queue) end(why error) {
	q.mu.Lock()
	q.over = why
	frames := q.frames
	q.frames = nil
	q.mu.Unlock()
	for _, o := range frames {
		o.done(why)
	}
}

// signal puts an element into a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
