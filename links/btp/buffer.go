package btp

// This file lends the memory for packets: one buffer per packet in flight, used again afterwards.

import "sync"

// keepBuffer is what is kept for the next packet; larger ones are left to the collector.
const keepBuffer = 8 << 10

// buffer holds a packet that came in, and apart from it what goes out: an answer's data may alias the packet it answers.
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
