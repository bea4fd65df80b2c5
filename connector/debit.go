package connector

// This file lets whoever is paid by a packet in this process record that together with the sender's debit.

import (
	"context"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// Debit is the money of a packet that the node's receiver answers, on the account that the packet came from. Who credits it somewhere in the same
// store has the debit recorded in the group of the credit: then both are durable, or neither. Until the packet is answered with the credit standing, the room
// that the debit leaves on the account cannot be taken.
//
// A receiver that credits without it, or credits nothing, leaves it to the node: a packet that is fulfilled is debited after that.
type Debit struct {
	books *Books
	held  hold

	// Guarded by the lock of the books.
	state    debitState
	answered bool
}

type debitState uint8

const (
	debitHeld debitState = iota
	debitPut             // with a credit that may still be taken back
	debitKept
	debitUndone
)

type debitKey struct{}

// debitContext has a debit as its value, in one piece of memory with it.
type debitContext struct {
	context.Context
	debit Debit
}

func (c *debitContext) Value(key any) any {
	if key == (debitKey{}) {
		return &c.debit
	}
	return c.Context.Value(key)
}

// DebitIn returns the debit of the packet that ctx came with, if its record belongs into s; else nil.
func DebitIn(ctx context.Context, s *store.Store) *Debit {
	if d, ok := ctx.Value(debitKey{}).(*Debit); ok && d.books.store == s {
		return d
	}
	return nil
}

// Put records the debit. It is called once, in the join that records the credit.
func (d *Debit) Put(g *store.Group) {
	d.books.locked(g, func(g *store.Group) {
		d.books.book(&d.held, g)
		d.books.probation(&d.held, 1)
		d.state = debitPut
	})
}

// Keep is called when the credit stands, before anybody is told.
func (d *Debit) Keep() {
	d.books.locked(nil, func(*store.Group) {
		d.state = debitKept
		if d.answered {
			d.books.probation(&d.held, -1)
		}
	})
}

// Undo records that the money is back. It is called in the join that takes the credit back, instead of Keep.
func (d *Debit) Undo(g *store.Group) {
	d.books.locked(g, func(g *store.Group) {
		d.books.unbook(&d.held, g)
		d.state = debitUndone
	})
}

// credit has the receiver answer a packet, with the debit at hand.
func (d *dispatch) credit(ctx context.Context, in ilpcore.Incoming) (reply ilpcore.Reply) {
	if d.held.from == nil && d.held.to == nil || d.node.books.store == nil {
		return d.node.receiver.HandlePrepare(ctx, in)
	}
	with := &debitContext{ctx, Debit{books: d.node.books, held: d.held}}
	d.held = hold{}
	defer func() {
		if with.debit.end(reply.Fulfilled) == debitHeld {
			d.held = with.debit.held
		}
	}()
	return d.node.receiver.HandlePrepare(with, in)
}

// end is called when the packet is answered, and says what has become of the debit. One of which nobody knows yet whether it stands ends with the credit.
func (d *Debit) end(fulfilled bool) debitState {
	d.books.mu.Lock()
	d.answered = true
	state := d.state
	if state == debitKept && fulfilled {
		d.books.probation(&d.held, -1)
	}
	d.books.mu.Unlock()
	if state == debitKept && !fulfilled {
		// The money was credited, and its answer went wrong. The payee keeps it; the sender pays when he sends the packet again and is fulfilled.
		// If this fails the store has failed, and everybody else says so.
		_, _ = d.books.store.FollowUp(d.Undo)
	}
	return state
}
