package connector

// This file records the money of packets that nobody waits for, and ends them in the order of their records.

import (
	"context"
	"slices"
	"sync"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// finishing joins the money of the packets that a burst of answers has fulfilled into the store at once, and has a goroutine while their records are
// on the way to the disk: it waits for each group once, however many of them are in it.
type finishing struct {
	books *Books

	mu        sync.Mutex
	idle      sync.Cond  // running came to 0
	fulfilled []*started // of bursts that have not ended; their money is held
	spare     []*started // memory for more of them
	records   []record
	serving   bool
	running   int // goroutines, with one for each burst that has not ended
}

// record is a packet's money in a group of the store.
type record struct {
	*started
	ticket store.Ticket
	late   bool
}

func newFinishing(books *Books) *finishing {
	f := &finishing{books: books}
	f.idle.L = &f.mu
	return f
}

// settle moves the money of a fulfilled packet at the end of the burst, and ends the packet when that is durable.
func (f *finishing) settle(s *started, burst *ilpcore.Burst) {
	if f.books.store == nil || s.held.from == nil && s.held.to == nil {
		err := f.books.settle(&s.held)
		s.held = hold{}
		s.settled(err, burst)
		return
	}
	f.mu.Lock()
	f.fulfilled = append(f.fulfilled, s)
	if len(f.fulfilled) == 1 {
		f.running++
	}
	f.mu.Unlock()
	burst.Later(f)
}

// mostJoined is how many packets are joined at once: what they change has to fit into one group.
const mostJoined = 256

// Flush implements ilpcore.Flusher: it joins what has been fulfilled meanwhile, also in other bursts.
func (f *finishing) Flush() {
	f.mu.Lock()
	fulfilled := f.fulfilled
	f.fulfilled, f.spare = f.spare, nil
	f.mu.Unlock()
	if len(fulfilled) == 0 {
		f.keep(fulfilled)
		return
	}
	f.work(func() {
		for packets := range slices.Chunk(fulfilled, mostJoined) {
			f.join(packets)
		}
		clear(fulfilled)
		f.keep(fulfilled[:0])
	})
}

func (f *finishing) keep(spare []*started) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.spare = spare
}

// join moves the money of packets, and has their ends waited for.
func (f *finishing) join(packets []*started) {
	defer func() {
		if p := recover(); p != nil {
			for _, s := range packets {
				s.fail(p)
			}
		}
	}()
	ticket, late, err := f.books.finish(func(g *store.Group) {
		for _, s := range packets {
			f.books.bookLater(&s.held, g)
		}
		f.books.putChanged(g)
		g.StandsFor(len(packets))
	})
	if err != nil {
		for _, s := range packets {
			s.settled(err, nil)
		}
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range packets {
		s.held = hold{}
		f.records = append(f.records, record{s, ticket, late})
	}
	if !f.serving {
		f.serving = true
		f.running++
		go f.work(f.serve)
	}
}

// serve ends packets until none is left.
func (f *finishing) serve() {
	var records []record
	var burst ilpcore.Burst
	for {
		f.mu.Lock()
		clear(records)
		records, f.records = f.records, records[:0]
		if len(records) == 0 {
			f.serving = false
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
		for i, r := range records {
			if i > 0 && r.ticket != records[i-1].ticket {
				burst.End() // before the next group is waited for
			}
			r.settled(r.durable(), &burst)
		}
		burst.End()
	}
}

// durable waits for a packet's record.
func (r record) durable() error {
	if !r.late {
		return durable(context.Background(), r.ticket)
	}
	ctx, cancel := context.WithTimeout(context.Background(), finishWait)
	defer cancel()
	return durable(ctx, r.ticket)
}

// run has a goroutine that close waits for.
func (f *finishing) run(do func()) {
	f.mu.Lock()
	f.running++
	f.mu.Unlock()
	go f.work(do)
}

// work ends what was counted as running.
func (f *finishing) work(do func()) {
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.running--; f.running == 0 {
			f.idle.Broadcast()
		}
	}()
	do()
}

// close waits until no goroutine runs.
func (f *finishing) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.running > 0 {
		f.idle.Wait()
	}
}
