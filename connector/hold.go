package connector

// This file moves the money of one packet: held while it is under way, then moved for good or given back.

import (
	"context"
	"fmt"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// hold is what one packet has taken, and what it will bring. It ends with settle or release, once. The zero value holds nothing.
type hold struct {
	from  *entry
	taken Balance
	to    *entry // nil while nobody is to get anything
	out   int64

	sent, received Along // are told what is moved; nil: nobody is
}

// take holds x of the account's money, prepaid money first: errLow when less than lowest would be left, ErrRange when it does not fit, or
// the store's error when it could not be recorded.
func (b *Books) take(id ilpcore.AccountID, x amount.Amount, lowest *int64) (hold, error) {
	if x == 0 {
		return hold{}, nil
	}
	if err := b.ready(); err != nil {
		return hold{}, fmt.Errorf("hold the amount of a packet: %w", err)
	}
	n, ok := signed(x)
	if !ok {
		return hold{}, ErrRange
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entry(id)
	prepaid := min(n, e.Prepaid-e.held.Prepaid)
	clearing := n - prepaid
	held, ok := sum(e.held.Clearing, clearing)
	left, ok2 := sum(e.Clearing, -held)
	if !ok || !ok2 {
		return hold{}, ErrRange
	}
	if lowest != nil && left+(e.Prepaid-e.held.Prepaid-prepaid) < *lowest {
		return hold{}, errLow
	}
	e.held.Clearing = held
	e.held.Prepaid += prepaid
	return hold{from: e, taken: Balance{Clearing: clearing, Prepaid: prepaid}}, nil
}

// expect keeps room for y on the account that the packet goes to: ErrRange if there is none.
func (b *Books) expect(h *hold, id ilpcore.AccountID, y amount.Amount) error {
	if y == 0 {
		return nil
	}
	n, ok := signed(y)
	if !ok {
		return ErrRange
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entry(id)
	expected, ok := sum(e.expected, n)
	if !ok || !fits(e.Clearing, e.Prepaid, expected) {
		return ErrRange
	}
	e.expected = expected
	h.to, h.out = e, n
	return nil
}

// fits says whether a balance with all that is expected can be written down. The prepaid part is not negative, so it is added last.
func fits(clearing, prepaid, expected int64) bool {
	_, ok := sum(clearing, expected, prepaid)
	return ok
}

// release gives back what the packet has taken.
func (b *Books) release(h *hold) {
	if h.from == nil && h.to == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(h)
}

// drop ends the hold. The lock is held.
func (b *Books) drop(h *hold) {
	if h.from != nil {
		h.from.held.Clearing -= h.taken.Clearing
		h.from.held.Prepaid -= h.taken.Prepaid
	}
	if h.to != nil {
		h.to.expected -= h.out
	}
}

// settle moves the money for good, on both accounts at once, and returns when that is durable. After an error from here nobody is fulfilled:
// either nothing was changed, or the store has failed and the outcome shows when it is opened again.
func (b *Books) settle(h *hold) error {
	if h.from == nil && h.to == nil {
		return nil
	}
	b.mu.Lock()
	b.drop(h)
	b.move(h, 1)
	if b.store == nil {
		b.mu.Unlock()
		return nil
	}
	ticket, late, err := b.record(h)
	if err != nil {
		b.move(h, -1)
	}
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("record a fulfilled packet: %w", err)
	}
	ctx := context.Background()
	if late {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, finishWait)
		defer cancel()
	}
	return durable(ctx, ticket)
}

// move changes the balances by what the packet has taken and brings: forwards for 1, back for -1. The lock is held.
func (b *Books) move(h *hold, direction int64) {
	if h.from != nil {
		h.from.Clearing -= direction * h.taken.Clearing
		h.from.Prepaid -= direction * h.taken.Prepaid
	}
	if h.to != nil {
		h.to.Clearing += direction * h.out
	}
}

func (b *Books) record(h *hold) (ticket store.Ticket, late bool, err error) {
	return b.finish(func(g *store.Group) { h.put(g, 1) })
}
