package connector

// This file moves the money of one packet: held while it is under way, then moved for good or given back.

import (
	"context"
	"errors"
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

// take holds x of the account's money, prepaid money first: errLow when less than lowest would be left, ErrRange when it does not fit, errOvertaken
// while the account is paused, or the store's error when it could not be recorded.
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
	if err := b.open(id); err != nil {
		return hold{}, err
	}
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

// expect keeps room for y on the account that the packet goes to: ErrRange if there is none, errOvertaken while it is paused.
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
	if err := b.open(id); err != nil {
		return err
	}
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
	if b.store == nil {
		b.locked(nil, func(g *store.Group) { b.book(h, g) })
		return nil
	}
	ticket, late, err := b.finish(func(g *store.Group) { b.book(h, g) })
	if err != nil {
		b.release(h)
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

// finish joins the money of packets that neighbours have already fulfilled: their records are small, and have their place in what the store keeps free
// when it takes nothing new. Then late is set, and the store may be closed before the records are durable. book is called with the lock held.
func (b *Books) finish(book func(*store.Group)) (ticket store.Ticket, late bool, err error) {
	locked := func(g *store.Group) { b.locked(g, book) }
	ticket, err = b.store.Join(locked)
	if errors.Is(err, store.ErrNoSpace) {
		ticket, err = b.store.FollowUp(locked)
		return ticket, true, err
	}
	return ticket, false, err
}

// bookLater is book for one of many holds, of which most have their accounts in common: putChanged writes each balance down once. The lock is held.
func (b *Books) bookLater(h *hold, g *store.Group) {
	b.drop(h)
	b.move(h, 1)
	h.tell(g, 1)
	for _, e := range [...]*entry{h.from, h.to} {
		if e != nil && !e.changed {
			e.changed = true
			b.changed = append(b.changed, e)
		}
	}
}

func (b *Books) putChanged(g *store.Group) {
	for i, e := range b.changed {
		putBalance(g, e)
		b.changed[i], e.changed = nil, false
	}
	b.changed = b.changed[:0]
}

// book turns the hold into a change of the balances. The lock is held.
func (b *Books) book(h *hold, g *store.Group) {
	b.drop(h)
	b.move(h, 1)
	h.put(g, 1)
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

// put writes down the balances that the hold has moved in a direction as of move, if there is a store.
func (h *hold) put(g *store.Group, direction int64) {
	if g == nil {
		return
	}
	if h.from != nil {
		putBalance(g, h.from)
	}
	if h.to != nil && h.to != h.from {
		putBalance(g, h.to)
	}
	h.tell(g, direction)
}
