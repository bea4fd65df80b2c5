package connector

// This file records the money of packets that nobody waits for, and ends them in the order of their records.

import (
	"context"
	"sync"

	"github.com/paydoor/paydoor/store"
)

// finishing has a goroutine while there are packets whose records are on their way to the disk: it waits for each group once, however many of
// them are in it.
type finishing struct {
	mu      sync.Mutex
	idle    sync.Cond // running came to 0
	records []record
	serving bool
	running int // goroutines
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
func (f *finishing) settle(s *started) {
	books := s.node.books
	if books.store == nil || s.held.from == nil && s.held.to == nil {
		err := books.settle(&s.held)
		s.held = hold{}
		s.settled(err)
		return
	}
	ticket, late, err := books.finish(&s.held)
	if err != nil {
		s.settled(err)
		return
	}
	s.held = hold{}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records = append(f.records, record{s, ticket, late})
	if !f.serving {
		f.serving = true
		f.goLocked(f.serve)
	}
}

// serve ends packets until none is left.
func (f *finishing) serve() {
	var records []record
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
		for _, r := range records {
			r.settled(r.durable())
		}
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

// run has f in a goroutine that close waits for.
func (f *finishing) run(work func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.goLocked(work)
}

func (f *finishing) goLocked(work func()) {
	f.running++
	go func() {
		defer func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.running--; f.running == 0 {
				f.idle.Broadcast()
			}
		}()
		work()
	}()
}

// close waits until no goroutine runs.
func (f *finishing) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.running > 0 {
		f.idle.Wait()
	}
}
