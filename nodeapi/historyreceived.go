package nodeapi

// This file writes down payments that come in for accounts: what comes to one address of SPSP is one payment, until nothing came for ten minutes.
// Each packet is counted in the same group of the store as the balance that it raises.

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/store"
)

const (
	arrivalIdle  = 10 * time.Minute // without a packet, after which the next one to the same address begins a payment of its own
	mostArrivals = 1 << 16          // payments that may be coming in at once; then the one that has waited longest is taken to have ended
	endedAtOnce  = 8                // taken out by one change
)

// incomingPayment is a payment that is coming in.
type incomingPayment struct {
	paymentRecord
	key  arrivalKey
	text []byte // of the details, in JSON
	room []byte
}

// readArrival reads what stands under arrivingKey. A payment that is forgotten already has been waiting for ever.
func readArrival(v *store.View, key, value []byte) (*incomingPayment, error) {
	rest := key[len(arrivingKey):]
	if len(rest) < 1+16 || len(value) != 12 {
		return nil, fmt.Errorf("%w: what comes in under %x", errPayment, key)
	}
	a := &incomingPayment{key: arrivalKey{string(rest[:len(rest)-17]), [16]byte(rest[len(rest)-16:])}}
	n := decodeNumber(value, false)
	record, err := v.Get(keyOfPayment(a.key.uuid, n))
	if errors.Is(err, store.ErrNotFound) {
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	a.paymentRecord, err = decodePayment(record)
	a.number, a.text = n, mustJSON(a.paymentRecord.details)
	return a, err
}

// arrives returns what counts a packet that comes in at an address whose last segment SPSP has made (connector.Along). d is for the payment that
// begins with it, if one does.
func (h *history) arrives(uuid string, d paymentDetails) connector.Along {
	key := arrivalOf(uuid, []byte(d.Destination))
	var counted *incomingPayment // by the first call; the second takes it back
	return func(g *store.Group, units int64) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if counted == nil {
			counted = h.arrivalFor(g, key, d, units)
		}
		counted.move(units)
		if counted.packets == 0 { // all of it was moved back
			h.drop(g, counted)
			g.Delete(keyOfPayment(uuid, counted.number))
			return
		}
		counted.changed = d.Begun
		counted.put(g)
		if e := h.arriving[key]; e != nil && e.Value == counted {
			h.waiting.MoveToBack(e)
		}
	}
}

// arrivalFor returns the payment that a packet belongs to, a new one if need be. The lock is held.
func (h *history) arrivalFor(g *store.Group, key arrivalKey, d paymentDetails, units int64) *incomingPayment {
	if e := h.arriving[key]; e != nil {
		a := e.Value.(*incomingPayment)
		if d.Begun.Sub(a.changed) <= arrivalIdle && a.units <= math.MaxUint64-amount.Amount(units) {
			return a
		}
		h.waiting.Remove(e)
		delete(h.arriving, key)
	}
	h.endSome(g, d.Begun)
	a := &incomingPayment{paymentRecord: paymentRecord{number: h.next(g), details: d}, key: key, text: mustJSON(d)}
	h.arriving[key] = h.waiting.PushBack(a)
	g.Put(key.key(), a.number.append(nil, false))
	return a
}

// endSome takes out some payments to whose addresses nothing came for long, and those that are too many. The lock is held.
func (h *history) endSome(g *store.Group, now time.Time) {
	for range endedAtOnce {
		e := h.waiting.Front()
		if e == nil || len(h.arriving) < mostArrivals && now.Sub(e.Value.(*incomingPayment).changed) <= arrivalIdle {
			return
		}
		h.drop(g, e.Value.(*incomingPayment))
	}
}

// drop lets the next packet to the address begin a payment of its own. The lock is held.
func (h *history) drop(g *store.Group, a *incomingPayment) {
	if e := h.arriving[a.key]; e != nil && e.Value == a {
		h.waiting.Remove(e)
		delete(h.arriving, a.key)
		g.Delete(a.key.key())
	}
}

func (a *incomingPayment) put(g *store.Group) {
	a.room = a.encode(a.room[:0], a.text)
	g.Put(keyOfPayment(a.key.uuid, a.number), a.room)
}

// close writes down that the sender has closed what it paid to the address, if anything came there lately: else that has ended already, and may
// be forgotten. It waits for nothing: this is not about money.
func (h *history) close(uuid string, destination []byte, now time.Time) {
	key := arrivalOf(uuid, destination)
	open := func() *incomingPayment {
		e := h.arriving[key]
		if e == nil {
			return nil
		}
		if a := e.Value.(*incomingPayment); !a.paymentRecord.details.Closed && now.Sub(a.changed) <= arrivalIdle {
			return a
		}
		return nil
	}
	h.mu.Lock()
	a := open()
	h.mu.Unlock()
	if a == nil {
		return
	}
	_, _ = h.store.Join(func(g *store.Group) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if a := open(); a != nil {
			a.paymentRecord.details.Closed = true
			a.text = mustJSON(a.paymentRecord.details)
			a.put(g)
		}
	})
}
