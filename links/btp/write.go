package btp

// This file is the only writer of frames: it sends together what has gathered.

import (
	"context"
	"errors"
	"runtime"
	"slices"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/internal/failpoint"
)

// maxBatch is how many frames are sent together at most.
const maxBatch = 64

// outgoing is a frame to be written.
type outgoing struct {
	buffer   *buffer   // its out is the frame
	delivery *delivery // of an answer to a packet; nil for other frames
}

// done is called once for each frame, with what came of writing it.
func (o outgoing) done(err error) {
	if o.delivery != nil {
		o.delivery.written(err)
	}
	o.buffer.release()
}

// write sends frames until the session ends.
func (s *session) write() {
	batch := make([]outgoing, 0, maxBatch)
	for {
		select {
		case <-s.ctx.Done():
			return
		case first := <-s.queue:
			// Who queued the frame has woken this goroutine, which would run before all others that are about to queue theirs.
			runtime.Gosched()
			batch = s.gather(append(batch[:0], first))
		}
		batch = s.inTime(batch)
		err := s.writeAll(batch)
		failpoint.Hit("btp/written")
		for i, o := range batch {
			o.done(err)
			batch[i] = outgoing{}
		}
		if err != nil {
			s.end(closed(err))
			return
		}
	}
}

// gather adds what else is waiting.
func (s *session) gather(batch []outgoing) []outgoing {
	for len(batch) < maxBatch {
		select {
		case o := <-s.queue:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// errLate says that a packet expired while its Fulfill was on the way here.
var errLate = errors.New("the packet has expired")

// inTime takes out what must not be sent any more: the Fulfill of a packet that has expired, which happens when the whole process stood still.
// The peer has given the packet up. If it should send it again, it gets the Fulfill then.
func (s *session) inTime(batch []outgoing) []outgoing {
	now := s.now()
	return slices.DeleteFunc(batch, func(o outgoing) bool {
		late := o.delivery != nil && o.delivery.fulfill && now.After(o.delivery.prepare.ExpiresAt)
		if late {
			o.done(errLate)
		}
		return late
	})
}

// writeAll writes the batch with one system call if it is small. When it fails, how much has reached the peer is unknown.
func (s *session) writeAll(batch []outgoing) error {
	if len(batch) > 1 {
		s.below.cork()
	}
	var err error
	for _, o := range batch {
		// The socket has a write deadline of its own, so a context need not have one.
		if err = s.conn.Write(context.Background(), websocket.MessageBinary, o.buffer.out); err != nil {
			break
		}
	}
	if len(batch) > 1 {
		if flushed := s.below.uncork(); err == nil {
			err = flushed
		}
	}
	return err
}

// put queues a frame, waiting for room; when the session ends first, the frame counts as not written.
func (s *session) put(o outgoing) {
	select {
	case s.queue <- o:
		// The session may have ended between the two, after run has emptied the queue for the last time.
		if s.ctx.Err() != nil {
			s.abandonQueue()
		}
	case <-s.ctx.Done():
		o.done(context.Cause(s.ctx))
	}
}

// putLater is put for those who must not wait.
func (s *session) putLater(o outgoing) {
	select {
	case s.queue <- o:
		if s.ctx.Err() != nil {
			s.abandonQueue()
		}
	default:
		s.working.Go(func() { s.put(o) })
	}
}

// abandonQueue accounts for the frames that will not be written. Each is received by one goroutine only, whoever calls this.
func (s *session) abandonQueue() {
	for {
		select {
		case o := <-s.queue:
			o.done(context.Cause(s.ctx))
		default:
			return
		}
	}
}
