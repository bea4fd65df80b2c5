package btp

// This file is one authenticated connection. It does not know which end has dialled.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// queued is how many frames may wait to be written; who has more to say waits with them.
const queued = 256

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
	working sync.WaitGroup // their goroutines
}

// session is one connection after authentication.
type session struct {
	*endpoint
	conn  *websocket.Conn
	below *corked
	queue chan outgoing
	spare spare
	calls calls
	busy  busy            // what retire waits for
	deaf  atomic.Bool     // whether frames are read only to get them out of the way
	frame frames.Frame    // the one being received; read's own
	link  context.Context // of the Handlers; ends with the link
	ctx   context.Context // ends with the connection; its cause says why
	end   context.CancelCauseFunc
	over  chan struct{} // closed when run has returned
}

func (e *endpoint) newSession(ctx context.Context, conn *websocket.Conn, below *corked) (*session, error) {
	first, err := randomID(e.random)
	if err != nil {
		return nil, err
	}
	s := &session{endpoint: e, link: ctx, conn: conn, below: below, queue: make(chan outgoing, queued), busy: newBusy(), over: make(chan struct{})}
	s.spare.packets = make(chan *delivery)
	s.calls = newCalls(first)
	s.ctx, s.end = context.WithCancelCause(ctx)
	return s, nil
}

// run serves the connection until it breaks or the context ends, and says why. It is called once. When it returns the connection is closed, nothing
// of it runs any more except Handlers that have not yet noticed, and every call has its answer.
func (s *session) run() error {
	defer close(s.over)
	var helpers sync.WaitGroup
	helpers.Go(s.write)
	helpers.Go(s.keepAlive)
	helpers.Go(func() { s.calls.watch(s.ctx) })
	helpers.Go(func() {
		<-s.ctx.Done()
		s.close()
	})
	s.end(s.read())
	helpers.Wait()
	s.calls.end(lost())
	s.abandonQueue()
	return context.Cause(s.ctx)
}

// close breaks the connection. The socket goes first: closing the WebSocket, or TLS, may want to write.
func (s *session) close() {
	s.below.cut()
	_ = s.conn.CloseNow()
}

// read takes in frames until the connection breaks.
func (s *session) read() error {
	for {
		// A context that can end would cost two allocations per frame; s.close ends the read instead.
		kind, r, err := s.conn.Reader(context.Background())
		if err != nil {
			return closed(err)
		}
		b := takeBuffer()
		data, err := b.read(r)
		if err != nil {
			b.release()
			return closed(err)
		}
		if kind != websocket.MessageBinary || s.deaf.Load() || !s.receive(data, b) {
			b.release()
		}
	}
}

// keepAlive pings the peer and ends the session when a pong does not come.
func (s *session) keepAlive() {
	ticker := time.NewTicker(s.timing.ping)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(s.ctx, s.timing.pong)
		err := s.conn.Ping(ctx)
		cancel()
		if err != nil {
			s.end(errSilent)
			return
		}
	}
}

var errSilent = errors.New("the peer did not answer a ping")

// closed puts the end of a connection in words.
func closed(err error) error {
	var frame websocket.CloseError
	switch {
	case errors.As(err, &frame):
		return fmt.Errorf("the peer closed the connection with status %d", frame.Code)
	case errors.Is(err, io.EOF):
		return errors.New("the peer closed the connection")
	}
	return fmt.Errorf("the connection broke: %w", err)
}
