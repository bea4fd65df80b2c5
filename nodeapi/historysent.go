package nodeapi

// This file writes down payments that the node makes for its accounts: before anything is sent, with each packet that is fulfilled, in the same
// group of the store as the balance, and when they have ended.

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// outgoingPayment is one that the node makes for an account.
type outgoingPayment struct {
	history *history
	uuid    string
	now     func() time.Time

	mu     sync.Mutex // of the record; taken in joins
	record paymentRecord
	text   []byte // of the details, in JSON
}

// begin writes down that a payment is about to be made, durably. Whoever called it calls end.
func (h *history) begin(ctx context.Context, uuid string, d paymentDetails, now func() time.Time) (*outgoingPayment, error) {
	p := &outgoingPayment{history: h, uuid: uuid, now: now, record: paymentRecord{changed: d.Begun, details: d}, text: mustJSON(d)}
	ticket, err := h.store.Join(func(g *store.Group) {
		h.mu.Lock()
		defer h.mu.Unlock()
		p.record.number = h.next(g)
		h.paying[p.record.number] = struct{}{}
		p.put(g)
	})
	if err == nil {
		if err = ticket.Wait(context.WithoutCancel(ctx)); err != nil {
			h.forgo(p.record.number)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("writing down a payment: %w", err)
	}
	return p, nil
}

// put writes the record. It is called in a join.
func (p *outgoingPayment) put(g *store.Group) {
	g.Put(keyOfPayment(p.uuid, p.record.number), p.record.encode(nil, p.text))
}

// along counts a packet of the payment (connector.Along).
func (p *outgoingPayment) along(g *store.Group, units int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record.move(units)
	p.record.changed = p.now().UTC()
	p.put(g)
}

// moved is what the account's balance has fallen by.
func (p *outgoingPayment) moved() amount.Amount {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.record.units
}

// end writes down how the payment ended, durably, after its last packet was answered. Without it the payment is one of unknown outcome.
func (p *outgoingPayment) end(ctx context.Context, edit func(d *paymentDetails)) error {
	defer p.history.forgo(p.record.number)
	f := func(g *store.Group) {
		p.mu.Lock()
		defer p.mu.Unlock()
		edit(&p.record.details)
		p.record.changed, p.text = p.now().UTC(), mustJSON(p.record.details)
		p.put(g)
	}
	ticket, err := p.history.store.Join(f)
	if errors.Is(err, store.ErrNoSpace) { // it is a few hundred bytes, for which the store keeps room
		ticket, err = p.history.store.FollowUp(f)
	}
	if err == nil {
		err = ticket.Wait(context.WithoutCancel(ctx))
	}
	if err != nil {
		return fmt.Errorf("writing down how a payment ended: %w", err)
	}
	return nil
}

// forgo takes a payment off those that are being made.
func (h *history) forgo(n paymentNumber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.paying, n)
}
