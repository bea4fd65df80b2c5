package payer

// This file carries packets to the link and their replies back, each in a goroutine and in memory that carry others afterwards: payments may
// have millions.

import (
	"context"
	"sync"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// flight is a packet under way, and the reply to it once that is there.
type flight struct {
	sent
	prepare ilpcore.Prepare
	ctx     context.Context
	end     context.CancelFunc // of ctx; nil: others share it
	reply   ilpcore.Reply

	builder stream.Builder
	plain   []byte // the memory of the packet, before
	data    []byte // and after encryption
}

// carriers are the goroutines of a connection. All but their work belongs to the goroutine that owns the connection.
type carriers struct {
	link    ilpcore.Handler
	leaving chan *flight
	landed  chan *flight // has room for all that can be under way
	idle    []*flight
	running int
	working sync.WaitGroup
}

// newCarriers makes those of a connection that has at most so many packets under way.
func newCarriers(link ilpcore.Handler, most int) *carriers {
	return &carriers{link: link, leaving: make(chan *flight, most), landed: make(chan *flight, most)}
}

// take returns a flight for a packet.
func (k *carriers) take() *flight {
	if n := len(k.idle); n > 0 {
		f := k.idle[n-1]
		k.idle = k.idle[:n-1]
		return f
	}
	return new(flight)
}

// give takes back a flight that nobody looks at any more.
func (k *carriers) give(f *flight) {
	*f = flight{plain: f.plain, data: f.data}
	k.idle = append(k.idle, f)
}

// carry sends the packet of f, of which there are then so many under way: for each there is a goroutine.
func (k *carriers) carry(f *flight, underWay int) {
	for ; k.running < underWay; k.running++ {
		k.working.Go(k.work)
	}
	k.leaving <- f
}

func (k *carriers) work() {
	for f := range k.leaving {
		f.reply = k.link.HandlePrepare(f.ctx, ilpcore.Incoming{Prepare: f.prepare})
		if f.end != nil {
			f.end()
		}
		k.landed <- f
	}
}

// close waits for the goroutines, when nothing is under way any more.
func (k *carriers) close() {
	close(k.leaving)
	k.working.Wait()
}
