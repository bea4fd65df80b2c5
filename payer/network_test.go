package payer

// This file is the network of the tests: a connector that converts, limits, throttles, loses and reorders, before our own receiver.

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
)

// conditions are those on the way between payer and receiver. The zero value passes everything on, one to one.
type conditions struct {
	rate     Rate          // 0: one to one
	max      amount.Amount // of a packet, in units of the sender; 0: none
	liquid   amount.Amount // packets above it get T04; 0: none does
	silent   bool          // F08 has no data
	lie      *ilpcore.AmountTooLarge
	busy     int // packets in flight from which on they are refused with T04, T05 or T03; 0: any number
	drop     int // per cent of packets that are lost: T00, or R00 before or after the receiver saw them
	certain  bool
	delay    time.Duration // the longest, drawn for each packet
	seed     uint64
	tamper   bool                              // fulfillments are wrong
	observe  func(ilpcore.Incoming)            // sees every packet
	moveRate func(packets int, now Rate) Rate  // changes the rate while packets flow
	spoil    func(ilpcore.Reply) ilpcore.Reply // of fulfillable packets
}

// network is a connector under some conditions, and what it saw.
type network struct {
	conditions
	to ilpcore.Handler

	mu       sync.Mutex
	random   *mathrand.Rand
	inFlight int
	packets  int
	most     int           // packets in flight at once
	paid     amount.Amount // of packets for which the payer got a fulfillment
	lost     amount.Amount // of packets that were fulfilled, and the payer does not know
	underway amount.Amount
}

func (n *network) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	n.mu.Lock()
	if n.random == nil {
		n.random = mathrand.New(mathrand.NewPCG(n.seed, 1))
	}
	n.packets++
	n.inFlight++
	n.underway += in.Amount
	n.most = max(n.most, n.inFlight)
	fate, wait := n.random.IntN(300), time.Duration(0)
	if n.delay > 0 {
		wait = time.Duration(n.random.Int64N(int64(n.delay)))
	}
	reject := n.refuse(in.Amount)
	if n.moveRate != nil {
		n.rate = n.moveRate(n.packets, n.rate)
	}
	rate := n.rate
	n.mu.Unlock()
	if n.observe != nil {
		n.observe(in)
	}
	time.Sleep(wait)

	sent := in.Amount
	var reply ilpcore.Reply
	if reject != nil {
		reply = *reject
	} else {
		reply = n.forward(ctx, in, rate, fate)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.inFlight--
	n.underway -= sent
	if reply.Fulfilled {
		n.paid += sent
	}
	return reply
}

// refuse returns what the connector itself has against a packet. It is called with the lock held.
func (n *network) refuse(sent amount.Amount) *ilpcore.Reply {
	var data []byte
	switch {
	case n.max != 0 && sent > n.max:
		if !n.silent {
			f08 := ilpcore.AmountTooLarge{Received: sent, Maximum: n.max}
			if n.lie != nil {
				f08 = *n.lie
			}
			data = f08.Append(nil)
		}
		r := ilpcore.Reject(ilpcore.F08, "test.connector", "too large", data)
		return &r
	case n.liquid != 0 && sent > n.liquid:
		r := ilpcore.Reject(ilpcore.T04, "test.connector", "no liquidity", nil)
		return &r
	case n.busy != 0 && n.inFlight > n.busy:
		r := ilpcore.Reject([]ilpcore.Code{ilpcore.T03, ilpcore.T04, ilpcore.T05}[n.packets%3], "test.connector", "busy", nil)
		return &r
	}
	return nil
}

// forward brings the packet to the receiver unless its fate is to be lost.
func (n *network) forward(ctx context.Context, in ilpcore.Incoming, rate Rate, fate int) ilpcore.Reply {
	sent := in.Amount
	if rate.Den != 0 {
		in.Amount = rate.Of(in.Amount)
	}
	if fate < 3*n.drop && (fate%3 == 0 || n.certain) {
		return ilpcore.Reject(ilpcore.T00, "test.connector", "dropped", nil)
	}
	if fate < 3*n.drop && fate%3 == 1 {
		return timeout(ctx, in)
	}
	reply := n.to.HandlePrepare(ctx, in)
	if fate < 3*n.drop && fate%3 == 2 {
		if reply.Fulfilled {
			n.mu.Lock()
			n.lost += sent
			n.mu.Unlock()
		}
		return timeout(ctx, in)
	}
	if reply.Fulfilled && n.tamper {
		reply.Fulfillment[0] ^= 1
	}
	if reply.Fulfilled && n.spoil != nil {
		reply = n.spoil(reply)
	}
	return reply
}

func timeout(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(in.ExpiresAt)):
	}
	return ilpcore.Reject(ilpcore.R00, "", "the peer did not answer in time", nil)
}

// market is a receiver of ours with the till that it credits.
type market struct {
	*receiver.Receiver
	till *till
}

func newMarket(t testing.TB) market {
	t.Helper()
	m := market{till: &till{}}
	r, err := receiver.New(receiver.Config{
		Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, Addresses: shop{}, Crediter: m.till, Random: rand.Reader, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Receiver = r
	return m
}

// payment returns a payment to a fresh quote.
func (m market) payment(t testing.TB, due amount.Amount, capped bool) Payment {
	t.Helper()
	quote, err := m.Quote(receiver.QuoteRequest{Token: []byte("0123456789abcdef"), Due: due, Capped: capped})
	if err != nil {
		t.Fatal(err)
	}
	return Payment{Address: ilpcore.Address(quote.Address), Secret: quote.SharedSecret[:]}
}

func (l *till) sum() amount.Amount {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

func streamOver(link ilpcore.Handler) Stream {
	return Stream{Link: link, Random: rand.Reader, Now: time.Now}
}
