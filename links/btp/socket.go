package btp

// This file is a WebSocket after its handshake: what one read of the socket brings is handed out message by message, and what has gathered is
// written at once.

import (
	"context"
	"crypto/rand"
	"io"

	"github.com/coder/websocket"
)

const (
	firstRead = 4 << 10  // what is read at once at first
	mostRead  = 64 << 10 // and when the peer sends as much
)

// socket is a WebSocket. One goroutine reads from it, and one at a time writes.
type socket struct {
	below   *corked
	stream  io.ReadWriter // over TLS, if there is any; and before the first read with what came with the handshake
	dialled bool          // by this side, which masks
	limit   uint64        // of a message, in bytes
	shaken  *websocket.Conn

	in       []byte
	from, to int  // of what was read and not handed out yet
	filled   bool // the last read left no room
	parts    []byte
	partsOf  byte // the opcode of the message in fragments; opContinue: there is none
	// control acts on a Ping or Pong. Until somebody else does, Pings are answered in place.
	control func(opcode byte, payload []byte) error
	dry     func() // called before each read of the stream, which may have to wait

	out    []byte
	random [256]byte // of which the masks are taken
	unused int
}

func newSocket(below *corked, stream io.ReadWriter, dialled bool, limit uint64) *socket {
	s := &socket{below: below, stream: stream, dialled: dialled, limit: limit, in: make([]byte, firstRead), dry: func() {}}
	s.control = func(opcode byte, payload []byte) error {
		if opcode != opPing {
			return nil
		}
		return s.write(opPong, payload)
	}
	return s
}

// next returns the next message, which is valid until the following call: its opcode is opText or opBinary. The error is a violation or
// peerClosed, which the caller should answer with a Close, or the stream's.
func (s *socket) next() (opcode byte, data []byte, err error) {
	for {
		h, payload, err := s.frame()
		switch {
		case err != nil:
			return 0, nil, err
		case h.opcode == opClose:
			return 0, nil, parseClose(payload)
		case h.opcode > opClose:
			if err := s.control(h.opcode, payload); err != nil {
				return 0, nil, err
			}
			continue
		case (h.opcode == opContinue) != (s.partsOf != opContinue):
			return 0, nil, errFragment
		case h.opcode != opContinue && h.final:
			return h.opcode, payload, nil
		case h.opcode != opContinue:
			s.parts, s.partsOf = s.parts[:0], h.opcode
		case uint64(len(s.parts))+h.length > s.limit:
			return 0, nil, errTooBig
		}
		s.parts = append(s.parts, payload...)
		if h.final {
			opcode, s.partsOf = s.partsOf, opContinue
			return opcode, s.parts, nil
		}
	}
}

// frame returns the next frame, unmasked.
func (s *socket) frame() (h frameHead, payload []byte, err error) {
	for {
		size, err := h.decode(s.in[s.from:s.to])
		switch {
		case err != nil:
			return h, nil, err
		case size > 0 && h.masked == s.dialled:
			return h, nil, errMask
		case size > 0 && h.length > s.limit:
			return h, nil, errTooBig
		}
		end := s.from + size + int(h.length)
		if size > 0 && end <= s.to {
			payload = s.in[s.from+size : end]
			s.from = end
			if h.masked {
				mask(payload, h.key)
			}
			return h, payload, nil
		}
		if size == 0 {
			end = s.from + maxHead
		}
		if err := s.fill(end - s.from); err != nil {
			return h, nil, err
		}
	}
}

// fill reads once, with room for a frame of so many bytes.
func (s *socket) fill(frame int) error {
	kept := s.in[s.from:s.to]
	switch {
	case frame > len(s.in) || s.filled && len(s.in) < mostRead:
		s.in = make([]byte, max(frame, min(2*len(s.in), mostRead)))
		fallthrough
	case len(kept) == 0 || s.from+frame > len(s.in):
		s.from, s.to = 0, copy(s.in, kept)
	}
	s.dry()
	n, err := s.stream.Read(s.in[s.to:])
	s.to += n
	s.filled = s.to == len(s.in)
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// wipe clears what has been handed out.
func (s *socket) wipe() {
	clear(s.in[:s.from])
	clear(s.in[s.to:])
	clear(s.parts)
}

// add appends a frame to what flush writes.
func (s *socket) add(opcode byte, payload []byte) {
	if !s.dialled {
		s.out = appendFrame(s.out, opcode, nil, payload)
		return
	}
	if s.unused < 4 {
		rand.Read(s.random[:])
		s.unused = len(s.random)
	}
	s.unused -= 4
	s.out = appendFrame(s.out, opcode, (*[4]byte)(s.random[s.unused:]), payload)
}

// flush writes what was added.
func (s *socket) flush() error {
	_, err := s.stream.Write(s.out)
	if s.out = s.out[:0]; cap(s.out) > 2*maxGathered {
		s.out = nil
	}
	return err
}

// write writes one frame.
func (s *socket) write(opcode byte, payload []byte) error {
	s.add(opcode, payload)
	return s.flush()
}

// within cuts the connection when ctx ends before stop is called.
func (s *socket) within(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, s.below.cut)
}

// close tells the peer why the connection ends, and waits for its answer, until the connection is cut.
func (s *socket) close(status uint16, reason string) {
	if s.write(opClose, appendClose(nil, status, reason)) != nil {
		return
	}
	for {
		if _, _, err := s.next(); err != nil {
			return
		}
	}
}
