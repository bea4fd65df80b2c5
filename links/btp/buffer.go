package btp

// This file lends the memory for frames: one buffer per packet in flight, used again afterwards.

import (
	"errors"
	"io"
	"slices"
	"sync"
)

const (
	smallBuffer = 4 << 10 // what nearly every frame fits in
	keepBuffer  = 8 << 10 // what is kept for the next frame; larger ones are left to the collector
)

// buffer holds a frame that came in, and apart from it what goes out: an answer's data may alias the packet it answers.
type buffer struct {
	in     []byte
	packet []byte // an encoded ILP packet on its way into out
	out    []byte // an encoded frame

	delivery delivery // of the packet that came in, if it is a Prepare
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) release() {
	if max(cap(b.in), cap(b.packet), cap(b.out)) > keepBuffer {
		return
	}
	b.delivery = delivery{}
	buffers.Put(b)
}

// read reads a WebSocket message to its end; the connection limits its length. The result aliases the buffer.
func (b *buffer) read(r io.Reader) ([]byte, error) {
	b.in = slices.Grow(b.in[:0], smallBuffer)
	for {
		n, err := r.Read(b.in[len(b.in):cap(b.in)])
		b.in = b.in[:len(b.in)+n]
		switch {
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
