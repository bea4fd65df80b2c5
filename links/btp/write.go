package btp

// This file is the only writer of frames: it sends together what has gathered.

import (
	"errors"
	"runtime"
	"slices"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/internal/failpoint"
)

// maxBatch is how many frames are sent together at most.
const maxBatch = 64

// outgoing is a frame to be written.
type outgoing struct {
	buffer   *buffer         // its out is the frame
	delivery *delivery       // of an answer to a packet; nil for other frames
	opcode   byte            // of a control frame of the WebSocket; 0: it is a BTP frame
	sent     chan<- struct{} // closed when it has been written, or could not be; nil: nobody wants to know
}

// done is called once for each frame, with what came of writing it.
func (o outgoing) done(err error) {
	if o.delivery != nil {
		o.delivery.written(err)
	}
	if o.sent != nil {
		close(o.sent)
	}
	o.buffer.release()
}

// write sends frames until the session ends.
func (s *session) write() {
	var frames []outgoing
	parting := false // a Close has been written, after which nothing may follow (RFC 6455, section 5.5.1)
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.queue.wake:
			// Who queued the frame has woken this goroutine, which would run before all others that are about to queue theirs.
			runtime.Gosched()
		}
		frames = s.queue.take(frames)
		for rest := frames; len(rest) > 0; {
			var err error
			n := min(len(rest), maxBatch)
			if parting, err = s.writeBatch(rest[:n], parting); err != nil {
				s.abandon(rest[n:], err)
				s.end(closed(err))
				return
			}
			rest = rest[n:]
		}
		clear(frames)
	}
}

// writeBatch sends frames and accounts for them. Once a Close has been written nothing is.
func (s *session) writeBatch(batch []outgoing, parted bool) (parting bool, err error) {
	batch = s.inTime(batch)
	written := 0
	if parting = parted; !parting {
		written, parting, err = s.writeAll(batch)
	}
	failpoint.Hit("btp/written")
	for i, o := range batch {
		if parting && i >= written {
			o.done(errRetired)
		} else {
			o.done(err)
		}
	}
	return parting, err
}

// abandon accounts for frames that will not be written.
func (s *session) abandon(frames []outgoing, why error) {
	for _, o := range frames {
		o.done(why)
	}
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

// writeAll writes the batch with one system call if it is small. A Close, for which parting is set, is the last of what it writes. When it fails,
// how much has reached the peer is unknown.
func (s *session) writeAll(batch []outgoing) (written int, parting bool, err error) {
	s.conn.below.cork() // TLS, where it lies above, cuts what it gets in pieces
	for _, o := range batch {
		opcode := o.opcode
		if opcode == 0 {
			opcode = opBinary
		}
		s.conn.add(opcode, o.buffer.out)
		written++
		if parting = opcode == opClose; parting {
			break
		}
		if len(s.conn.out) >= maxGathered {
			if err = s.conn.flush(); err != nil {
				break
			}
		}
	}
	if err == nil {
		err = s.conn.flush()
	}
	if flushed := s.conn.below.uncork(); err == nil {
		err = flushed
	}
	return written, parting, err
}

// say queues a frame of the reader's own, such as a Pong or a T03. The reader never waits for the peer to read: two of them that did so for each other
// would wait for ever, and with them the answers to packets. What the peer lets pile up is left unsaid.
func (s *session) say(o outgoing) {
	if !s.queue.say(o) {
		s.Flush()
		runtime.Gosched() // the writer may not have had its turn
		if !s.queue.say(o) {
			o.buffer.release()
			return
		}
	}
	s.Flush()
}

// putLater queues a frame, to be written after the burst. When the session ends first, it counts as not written.
func (s *session) putLater(o outgoing, burst *ilpcore.Burst) {
	s.queue.push(o)
	burst.Later(s)
}

// Flush implements ilpcore.Flusher.
func (s *session) Flush() { signal(s.queue.wake) }

var _ ilpcore.Flusher = (*session)(nil)
