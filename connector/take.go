package connector

// This file moves the money of a packet for the holder of an account: once, and back again when that was too late.

import (
	"context"
	"fmt"

	"github.com/paydoor/paydoor/store"
)

// receive moves what h holds, with the record of the condition in the same group. late is asked before, and when it is durable; until then
// the receiving account cannot use the money, nor can the room that it left with the sender be taken. See Arrival.Take for the errors.
func (b *Books) receive(h *hold, condition [32]byte, r receipt, late func() bool) (repeated bool, err error) {
	if repeated, err = b.received.begin(condition, r); repeated || err != nil {
		return repeated, err
	}
	taken := false
	defer func() { b.received.end(condition, r, taken) }()
	if late() {
		return false, ErrTooLate
	}
	if err := b.moveOnProbation(h, func(g *store.Group) { b.received.put(g, condition, r) }); err != nil {
		return false, err
	}
	if late() {
		return false, b.moveBack(h, condition)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probation(h, -1)
	taken = true
	return false, nil
}

// moveOnProbation moves the money durably, and keeps both accounts from using what that gives them.
func (b *Books) moveOnProbation(h *hold, along func(*store.Group)) error {
	wait, err := b.join(func(g *store.Group) {
		b.book(h, g)
		b.probation(h, 1)
		if g != nil {
			along(g)
		}
	})
	if err != nil {
		return err // it is held as before
	}
	if err := wait(context.Background()); err != nil {
		*h = hold{} // the store has failed: the outcome shows when it is opened again
		return err
	}
	return nil
}

// moveBack moves durably back what came too late.
func (b *Books) moveBack(h *hold, condition [32]byte) error {
	ended := *h
	*h = hold{}
	if b.store == nil {
		b.locked(nil, func(g *store.Group) { b.unbook(&ended, g) })
		return ErrTooLate
	}
	ticket, err := b.store.FollowUp(func(g *store.Group) {
		b.locked(g, func(g *store.Group) { b.unbook(&ended, g) })
		g.Delete(receivedKey(condition))
	})
	if err == nil {
		err = durable(context.Background(), ticket)
	}
	if err != nil {
		return fmt.Errorf("take back what came too late: %w", err)
	}
	return ErrTooLate
}

// unbook undoes book while the money is on probation. The lock is held.
func (b *Books) unbook(h *hold, g *store.Group) {
	b.probation(h, -1)
	b.move(h, -1)
	h.put(g, -1)
}

// probation keeps, for 1, the receiving account from using what it got, and the room that the money left free with the sender; for -1 no
// longer. The lock is held.
func (b *Books) probation(h *hold, direction int64) {
	if h.to != nil {
		h.to.held.Clearing += direction * h.out
	}
	if h.from != nil {
		h.from.expected += direction * (h.taken.Clearing + h.taken.Prepaid)
	}
}
