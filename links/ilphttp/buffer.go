package ilphttp

// This file lends the memory for a packet and its answer: one buffer per packet in flight, used again afterwards.

import (
	"sync"

	"github.com/paydoor/paydoor/ilpcore"
)

// keepBuffer is what is kept for the next packet; larger ones are left to the collector.
const keepBuffer = 8 << 10

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

// encode returns the bytes of reply, which alias the buffer.
func (b *buffer) encode(reply *ilpcore.Reply) ([]byte, error) {
	var err error
	b.out, err = reply.Append(b.out[:0])
	return b.out, err
}
