package payer

// This file is the way of the packets of the randomised test: it converts, limits, delays and loses them, and counts every unit that left.

import (
	"bytes"
	"context"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// HandlePrepare brings a packet to the host that it is for, or not.
func (w *world) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	p := hopOf(ctx)
	b := p.buyer
	h := w.hostOf(in.Destination)
	sent := in.Amount
	money := h.fulfillable(in.Prepare)
	left := func(known bool) { w.left(p, h, sent, known) }
	if err := nap(ctx, time.Duration(b.int(50))*time.Millisecond); err != nil {
		return ilpcore.Reject(ilpcore.T00, "test.connector", "not sent", nil)
	}
	if w.largest != 0 && sent > w.largest {
		claim := ilpcore.AmountTooLarge{Received: sent, Maximum: w.largest}
		return ilpcore.Reject(ilpcore.F08, "test.connector", "too large", claim.Append(nil))
	}
	in.Amount = w.rate.Of(sent)
	fate := b.int(200)
	if money && fate >= 6 && fate < 12 {
		left(false) // whatever becomes of it, the payer cannot know
	}
	switch {
	case fate < 6:
		return ilpcore.Reject([]ilpcore.Code{ilpcore.T00, ilpcore.T04, ilpcore.T05}[fate%3], "test.connector", "busy", nil)
	case fate < 8: // lost on the way there
		return ilpcore.Reject(ilpcore.T01, "", "the link went down", nil)
	case fate < 9: // and nobody notices
		return timeout(ctx, in)
	case fate < 10: // lost on the way back
		w.arrive(p, h, in, h.receiver.HandlePrepare(ctx, in), money)
		return timeout(ctx, in)
	case fate < 11: // the link breaks, the packet goes on
		late := in
		late.Destination, late.Data = bytes.Clone(in.Destination), bytes.Clone(in.Data)
		time.AfterFunc(time.Duration(b.int(15000))*time.Millisecond, func() {
			w.arrive(p, h, late, h.receiver.HandlePrepare(context.Background(), late), money)
		})
		return ilpcore.Reject(ilpcore.T01, "", "the link went down", nil)
	case fate < 12:
		w.arrive(p, h, in, h.receiver.HandlePrepare(ctx, in), money)
		return ilpcore.Reject(ilpcore.R00, "test.connector", "too late", nil)
	}
	reply := h.receiver.HandlePrepare(ctx, in)
	w.arrive(p, h, in, reply, money)
	if reply.Fulfilled && money {
		left(true)
	}
	return reply
}

// arrive notes what a receiver took.
func (w *world) arrive(p *hop, h *paidHost, in ilpcore.Incoming, reply ilpcore.Reply, money bool) {
	if !reply.Fulfilled {
		return
	}
	p.mu.Lock()
	first := p.delivered == 0
	p.delivered += in.Amount
	p.mu.Unlock()
	if first {
		h.mu.Lock()
		h.payers = append(h.payers, p)
		h.mu.Unlock()
	}
	if !money {
		w.fault("a packet without money was fulfilled for %s", h.name)
	}
	w.explain(h)
}

// explain looks for a reason of the balance at a host: what requests have paid and not used yet. Had one paid twice, there would be more.
func (w *world) explain(h *paidHost) {
	h.mu.Lock()
	defer h.mu.Unlock()
	unused, payments := amount.Amount(0), len(h.payers)
	for _, p := range h.payers {
		p.mu.Lock()
		if !p.charged {
			unused += p.price
		}
		p.mu.Unlock()
	}
	// A payment may bring a little more than what is due, where a unit of the payer is worth more than one of the host.
	if rounding := (2 + w.rate.Of(2)) * amount.Amount(payments); h.balance > unused+rounding {
		w.fault("%s has %s, and requests have paid and not used only %s of it in %d payments", h.name, h.balance, unused, payments)
	}
}

// left counts what left the payer: as far as it knows, or perhaps.
func (w *world) left(p *hop, h *paidHost, sent amount.Amount, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if known {
		w.paid[h.name] += sent
	} else {
		w.doubted[h.name] += sent
	}
	w.days[p.buyer.day] += sent
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left += sent
}

// fulfillable says whether the packet carries money: the probes of a sender have conditions that nobody can fulfill.
func (h *paidHost) fulfillable(p ilpcore.Prepare) bool {
	h.mu.Lock()
	keys := h.quotes[string(p.Destination)]
	h.mu.Unlock()
	return p.Amount > 0 && (keys.stream.Condition(p.Data) == p.Condition || keys.psk2.Condition(p.Data) == p.Condition)
}

func (w *world) hostOf(destination []byte) *paidHost {
	for _, h := range w.hosts {
		if _, ok := hostAddress(h.name).Suffix(destination); ok {
			return h
		}
	}
	panic("no host has the address " + string(destination))
}
