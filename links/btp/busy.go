package btp

// This file counts what is under way on a session, so that its end can wait for it.

import "sync/atomic"

// busy counts packets of both directions from their start to their answer.
type busy struct {
	count   atomic.Int64
	closing atomic.Bool
	idle    chan struct{} // holds one element once the count came to 0 after close
}

func newBusy() busy { return busy{idle: make(chan struct{}, 1)} }

// enter counts one more, or returns false after close.
func (b *busy) enter() bool {
	b.count.Add(1)
	// Counting before looking, and closing before counting, leaves no packet that neither side sees.
	if b.closing.Load() {
		b.leave()
		return false
	}
	return true
}

// leave is called once for each enter that returned true.
func (b *busy) leave() {
	if b.count.Add(-1) == 0 && b.closing.Load() {
		b.signal()
	}
}

// close lets nothing enter any more. The result receives once all has left.
func (b *busy) close() <-chan struct{} {
	b.closing.Store(true)
	if b.count.Load() == 0 {
		b.signal()
	}
	return b.idle
}

func (b *busy) signal() {
	select {
	case b.idle <- struct{}{}:
	default:
	}
}
