package btp

// This file ends a session without losing an answer: when another connection takes its place, or its account goes.

import (
	"errors"
	"time"

	"github.com/coder/websocket"
)

var errRetired = errors.New("this node closed the connection")

// retire lets what is under way end, for timing.drain at most, while new Prepares get T03. Then it closes the WebSocket in the regular
// way: closing the socket at once could destroy answers that the peer has not read yet. It returns when the session has its end.
func (s *session) retire(why string) {
	timer := time.NewTimer(s.timing.drain)
	defer timer.Stop()
	select {
	case <-s.busy.close():
	case <-timer.C:
	case <-s.ctx.Done():
		return
	}
	s.deaf.Store(true)
	parted := make(chan struct{})
	go func() {
		defer close(parted)
		_ = s.conn.Close(websocket.StatusGoingAway, why)
	}()
	timer.Reset(s.timing.bye)
	select {
	case <-parted:
	case <-timer.C:
	case <-s.ctx.Done():
	}
	s.end(errRetired)
	<-parted // soon, since the end closes the socket
}
