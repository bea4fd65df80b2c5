package btp

// This file ends a session without losing an answer: when another connection takes its place, or its account goes.

import (
	"context"
	"errors"
)

var errRetired = errors.New("this node closed the connection")

// maxRetired is how many sessions of an account retire at once.
const maxRetired = 8

// retire lets what is under way end, for timing.drain at most, while new Prepares get T03. Then it closes the WebSocket in the regular
// way: closing the socket at once could destroy answers that the peer has not read yet. What the peer answers until then is heard. It returns when the
// session has its end.
func (s *session) retire(why string) {
	drained, cancel := context.WithTimeout(s.ctx, s.timing.drain)
	defer cancel()
	select {
	case <-s.busy.close():
	case <-drained.Done():
	}
	if s.ctx.Err() != nil {
		return
	}
	parted, cancel := context.WithTimeout(s.ctx, s.timing.bye)
	defer cancel()
	s.bye(parted, statusGoingAway, why)
	<-parted.Done() // the peer's part has come, and the session ended, or it did not come in time
	s.end(errRetired)
}

// bye writes a Close, and returns when it is written, when it cannot be, or when ctx, which ends with the session, is over.
func (s *session) bye(ctx context.Context, status uint16, reason string) {
	b := takeBuffer()
	b.out = appendClose(b.out[:0], status, reason)
	written := make(chan struct{})
	s.putLater(outgoing{buffer: b, opcode: opClose, sent: written}, nil)
	select {
	case <-written:
	case <-ctx.Done():
	}
}
