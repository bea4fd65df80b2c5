package btp

// This file is one authenticated connection. It does not know which end has dialled.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// endpoint is what all connections of one account share.
type endpoint struct {
	account     ilpcore.AccountID
	handler     atomic.Pointer[ilpcore.Handler]
	unconfirmed func(account ilpcore.AccountID, paid amount.Amount)
	logger      *zap.Logger
	now         func() time.Time
	random      io.Reader
	timing      timing

	slots   chan struct{}  // holds one element per incoming packet at work
	working sync.WaitGroup // their goroutines, and those of sessions that have ended and wait for answers
	asked   asked
}

// session is one connection after authentication.
type session struct {
	*endpoint
	conn  *socket
	pongs chan [8]byte // of the pings, by what they carry
	queue queue
	spare spare
	calls calls
	busy  busy            // what retire waits for
	frame frames.Frame    // the one being received; read's own
	burst ilpcore.Burst   // of the frames that one read has brought; read's own
	link  context.Context // of the Handlers; ends with the link
	ctx   context.Context // ends with the connection; its cause says why
	end   context.CancelCauseFunc
	over  chan struct{} // closed when run has returned
}

func (e *endpoint) newSession(ctx context.Context, conn *socket) (*session, error) {
	first, err := randomID(e.random)
	if err != nil {
		return nil, err
	}
	s := &session{endpoint: e, link: ctx, conn: conn, pongs: make(chan [8]byte, 1), queue: newQueue(), busy: newBusy(), over: make(chan struct{})}
	s.spare.packets = make(chan *delivery)
	s.calls = newCalls(first)
	s.ctx, s.end = context.WithCancelCause(ctx)
	e.asked.add(&s.calls)
	return s, nil
}

// run serves the connection until it breaks or the context ends, and says why. It is called once. When it returns the connection is closed, nothing
// of it runs any more except Handlers that have not yet noticed, and what waits for answers over the next connection.
func (s *session) run() error {
	defer close(s.over)
	var helpers sync.WaitGroup
	helpers.Go(s.write)
	helpers.Go(s.keepAlive)
	helpers.Go(func() { s.calls.watch(s.ctx) })
	helpers.Go(func() {
		<-s.ctx.Done()
		s.conn.below.cut()
	})
	s.end(s.read())
	helpers.Wait()
	s.drift()
	s.queue.end(context.Cause(s.ctx))
	return context.Cause(s.ctx)
}

// read takes in frames until the connection breaks.
func (s *session) read() error {
	s.conn.control, s.conn.dry = s.control, s.burst.End
	for {
		opcode, data, err := s.conn.next()
		if err != nil {
			s.burst.End()
			s.answerClose(err)
			return closed(err)
		}
		if opcode == opBinary {
			s.receive(data)
		}
	}
}

// answerClose does this side's part of the end that the peer has announced, or brought about by breaking the protocol.
func (s *session) answerClose(err error) {
	status, ok := closeStatus(err)
	if !ok {
		return
	}
	parted, cancel := context.WithTimeout(s.ctx, s.timing.bye)
	defer cancel()
	s.bye(parted, status, "")
}

// control acts on a Ping or Pong of the peer.
func (s *session) control(opcode byte, payload []byte) error {
	if opcode == opPing {
		b := takeBuffer()
		b.out = append(b.out[:0], payload...)
		s.say(outgoing{buffer: b, opcode: opPong})
		return nil
	}
	if len(payload) == len([8]byte{}) {
		select {
		case s.pongs <- [8]byte(payload):
		default:
		}
	}
	return nil
}

// keepAlive pings the peer and ends the session when a pong does not come.
func (s *session) keepAlive() {
	count := uint64(0)
	ticker := time.NewTicker(s.timing.ping)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		if count++; !s.ping(count) {
			s.end(errSilent)
			return
		}
	}
}

// ping asks the peer for a sign of life and says whether it came in time.
func (s *session) ping(count uint64) (answered bool) {
	timer := time.NewTimer(s.timing.pong)
	defer timer.Stop()
	var want [8]byte
	binary.BigEndian.PutUint64(want[:], count)
	b := takeBuffer()
	b.out = append(b.out[:0], want[:]...)
	s.putLater(outgoing{buffer: b, opcode: opPing}, nil)
	for {
		select {
		case got := <-s.pongs:
			if got == want {
				return true
			}
		case <-timer.C:
			return false
		case <-s.ctx.Done():
			return false
		}
	}
}

var errSilent = errors.New("the peer did not answer a ping")

// closed puts the end of a connection in words.
func closed(err error) error {
	var frame peerClosed
	var broken violation
	switch {
	case errors.As(err, &frame):
		return fmt.Errorf("the peer closed the connection with status %d: %w", frame.status, err)
	case errors.As(err, &broken):
		return err
	case errors.Is(err, io.EOF):
		return errors.New("the peer closed the connection")
	}
	return fmt.Errorf("the connection broke: %w", err)
}
