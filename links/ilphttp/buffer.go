package ilphttp

// This file lends the memory for a packet and its answer: one buffer per packet in flight, used again afterwards.

import (
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	smallBuffer = 4 << 10 // what nearly every packet fits in
	keepBuffer  = 8 << 10 // what is kept for the next packet; larger ones are left to the collector
)

var errTooLarge = errors.New("longer than the limit")

// buffer holds a packet in in and, apart from it, an encoded answer in out: an answer's data may alias the packet.
type buffer struct{ in, out []byte }

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) release() {
	if cap(b.in) > keepBuffer {
		b.in = nil
	}
	if cap(b.out) > keepBuffer {
		b.out = nil
	}
	buffers.Put(b)
}

// read reads r to its end. The result aliases the buffer. The error is errTooLarge beyond limit bytes, else r's.
func (b *buffer) read(r io.Reader, limit int) ([]byte, error) {
	b.in = slices.Grow(b.in[:0], smallBuffer)
	for {
		n, err := r.Read(b.in[len(b.in):cap(b.in)])
		b.in = b.in[:len(b.in)+n]
		switch {
		case len(b.in) > limit:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return b.in, nil
		case err != nil:
			return nil, err
		}
		if len(b.in) == cap(b.in) {
			b.in = slices.Grow(b.in, smallBuffer)
		}
	}
}

// encode returns the bytes of reply, which alias the buffer.
func (b *buffer) encode(reply *ilpcore.Reply) ([]byte, error) {
	var err error
	b.out, err = reply.Append(b.out[:0])
	return b.out, err
}
