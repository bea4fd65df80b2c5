package btp

// This file keeps goroutines that have answered a packet for the next one. The way of a packet through a node is deep, and a new goroutine would
// begin with a small stack, to be copied into larger ones on that way: a third of the work of a packet.

import "sync/atomic"

// maxSpare is how many goroutines of a session wait for packets at most; a packet that none of them takes gets a new one.
const maxSpare = 64

// spare is the goroutines of one session that have nothing to do.
type spare struct {
	packets chan *delivery // without room: who sends finds a goroutine that waits
	waiting atomic.Int64
}

// deliver runs d in a goroutine.
func (s *session) deliver(d *delivery) {
	select {
	case s.spare.packets <- d:
	default:
		s.working.Go(func() { s.work(d) })
	}
}

// work runs d, and whatever comes while it is spared.
func (s *session) work(d *delivery) {
	for d != nil {
		d.run()
		d = s.await()
	}
}

// await returns the next delivery; nil when enough goroutines wait, or once the session has ended.
func (s *session) await() *delivery {
	defer s.spare.waiting.Add(-1)
	if s.spare.waiting.Add(1) > maxSpare {
		return nil
	}
	select {
	case d := <-s.spare.packets:
		return d
	case <-s.ctx.Done():
		return nil
	}
}
