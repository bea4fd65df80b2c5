package connector

// This file records the money of packets that nobody waits for, and ends them in the order of their records.

import (
	"context"
	"sync"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// finishing has a goroutine while there are packets whose records are on their way to the disk: it waits for each group once, however many of
// them are in it.
type finishing struct {
	mu      sync.Mutex
	idle    sync.Cond // running came to 0
	records []record
	serving bool
	running int // goroutines, with one that a burst is about to start
}

// record is a packet's money in a group of the store.
type record struct {
	*started
	ticket store.Ticket
	late   bool
}

func newFinishing() *finishing {
	f := new(finishing)
	f.idle.L = &f.mu
	return f
}

// settle moves the money of a fulfilled packet, and ends it when that is durable.
func (f *finishing) settle(s *started, burst *ilpcore.Burst) {
	books := s.node.books
	if books.store == nil || s.held.from == nil && s.held.to == nil {
		err := books.settle(&s.held)
		s.held = hold{}
		s.settled(err, burst)
		return
	}
	ticket, late, err := books.finish(&s.held)
	if err != nil {
		s.settled(err, burst)
		return
	}
	s.held = hold{}
	f.mu.Lock()
	f.records = append(f.records, record{s, ticket, late})
	begin := !f.serving
	if begin {
		f.serving = true
		f.running++
	}
	f.mu.Unlock()
	if begin {
		burst.Later(flushing{f})
	}
}

// flushing starts serving at the end of a burst.
type flushing struct{ *finishing }

// Flush implements ilpcore.Flusher.
func (f flushing) Flush() { go f.work(f.serve) }

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
