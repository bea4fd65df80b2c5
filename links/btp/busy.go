package btp

// This file counts what is under way on a session, so that its end can wait for it.

import "sync/atomic"

// busy counts packets of both directions from their start to their answer.
type busy struct {
	state atomic.Int64  // the count, and closing
	idle  chan struct{} // holds one element once the count came to 0 after close
}

// closing is added to the state by close. Being in the same word as the count, the two are always seen together: a leave that came to 0 just
// before close, with another packet entering between, must not pass for the last one.
const closing = 1 << 62

func newBusy() busy { return busy{idle: make(chan struct{}, 1)} }

// enter counts one more, or returns false after close.
func (b *busy) enter() bool {
	if b.state.Add(1) < closing {
		return true
	}
	b.leave()
	return false
}

// leave is called once for each enter that returned true.
func (b *busy) leave() {
	if b.state.Add(-1) == closing {
		b.signal()
	}
}

// close lets nothing enter any more. The result receives once all has left. It may be called more than once.
func (b *busy) close() <-chan struct{} {
	if b.state.Or(closing)&^closing == 0 {
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
