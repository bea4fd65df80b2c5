package payer

// This file is one STREAM connection of a sender: it builds packets, sends each in a goroutine of its own, and reads the replies.

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

const (
	moneyStream = 1       // clients open odd streams
	maxSequence = 1 << 31 // packets under one secret (RFC 29, section 4.2)

	// A packet whose answer is lost holds up a small payment for as long as it lives, so that this is well below the patience.
	streamLifetime = 20 * time.Second
	probeLifetime  = 10 * time.Second

	closeTime = 2 * time.Second
	drainTime = 5 * time.Second // for what is in flight when the payment is cancelled
)

// connection is a payment on its way. It belongs to the goroutine that called Pay; the goroutines of packets only fill replies.
type connection struct {
	stream  Stream
	payment Payment
	result  Result
	keys    *ilpcore.EndToEnd

	ctx     context.Context // the caller's
	packets context.Context // of packets with money, which outlives ctx for a while
	abandon context.CancelFunc

	sequence uint64
	replies  chan outcome
	inFlight int           // packets
	underway amount.Amount // their money, in base units of the sender
	arriving amount.Amount // the most that it can become, in base units of the receiver

	sizes   sizes
	rate    bounds
	slipped Rate // the measured rate less the slippage
	pace    pace
	remote  remote

	attempts int       // in a row that came to nothing though nothing is overloaded
	advanced time.Time // when a packet was fulfilled last
	last     error     // the last rejection
	stop     error     // why nothing more is sent
	asked    time.Time // when an open payment asked last how much the receiver takes
	width    int       // probes at once
	crowded  bool      // a probe of this round met congestion
	done     bool      // no more is sent, without an error: all is paid
	paying   bool      // money was sent
	drain    *time.Timer
}

// remote is what the receiver's authenticated replies said of itself.
type remote struct {
	heard      bool
	told       bool          // of receiveMax
	receiveMax amount.Amount // the highest limit
	received   amount.Amount // the highest total
	before     amount.Amount // the total before any money was sent
	closed     error
}

// sent is a packet under way.
type sent struct {
	sequence    uint64
	question    bool // of an open payment: it has no money
	amount      amount.Amount
	least       amount.Amount // that has to arrive
	arriving    amount.Amount // the most that can arrive
	fulfillment [32]byte
	expires     time.Time
}

// outcome is a packet and the reply to it.
type outcome struct {
	sent
	reply ilpcore.Reply
}

func newConnection(ctx context.Context, s Stream, p Payment) *connection {
	c := &connection{
		stream: s, payment: p, ctx: ctx, keys: stream.Keys(p.Secret), pace: newPace(s.InFlight), width: probesAtOnce,
		replies: make(chan outcome, max(s.InFlight, probesAtOnce)),
	}
	c.packets, c.abandon = context.WithCancel(context.WithoutCancel(ctx))
	return c
}

// frames adds frames to a packet.
type frames func(*stream.Builder)

// send sends a packet in a goroutine that puts the reply into replies. Nobody can fulfill a probe.
func (c *connection) send(ctx context.Context, p sent, probe bool, add frames) error {
	if c.sequence == maxSequence {
		return ErrTooManyPackets
	}
	c.sequence++
	p.sequence = c.sequence
	lifetime := streamLifetime
	if probe {
		lifetime = probeLifetime
	}
	prepare, fulfillment, err := c.prepare(p, lifetime, probe, add)
	if err != nil {
		return err
	}
	p.fulfillment, p.expires = fulfillment, prepare.ExpiresAt
	c.inFlight++
	c.underway += p.amount
	c.arriving = c.arriving.Saturate(p.arriving)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, lifetime)
		defer cancel()
		c.replies <- outcome{p, c.stream.Link.HandlePrepare(ctx, ilpcore.Incoming{Prepare: prepare})}
	}()
	return nil
}

// prepare builds the packet p.
func (c *connection) prepare(p sent, lifetime time.Duration, probe bool, add frames) (prepare ilpcore.Prepare, fulfillment [32]byte, err error) {
	b := stream.Begin(make([]byte, 0, 64), ilpcore.TypePrepare, p.sequence, p.least)
	add(&b)
	plain, err := b.Finish()
	if err != nil {
		return prepare, fulfillment, fmt.Errorf("building a packet: %w", err)
	}
	data, err := c.keys.Seal(nil, plain, c.stream.Random)
	if err != nil {
		return prepare, fulfillment, fmt.Errorf("encrypting a packet: %w", err)
	}
	prepare = ilpcore.Prepare{
		Amount: p.amount, ExpiresAt: c.stream.Now().Add(lifetime).UTC().Truncate(time.Millisecond),
		Destination: []byte(c.payment.Address), Data: data,
	}
	if !probe {
		fulfillment = c.keys.Fulfillment(data)
		prepare.Condition = ilpcore.ConditionOf(fulfillment)
	} else if _, err := io.ReadFull(c.stream.Random, prepare.Condition[:]); err != nil {
		return prepare, fulfillment, fmt.Errorf("making a condition: %w", err)
	}
	return prepare, fulfillment, nil
}

// landed takes a packet off what is under way.
func (c *connection) landed(o outcome) {
	c.inFlight--
	c.underway -= o.amount
	c.arriving, _ = c.arriving.Sub(o.arriving)
	if c.inFlight == 0 {
		c.arriving = 0 // the sum may have been cut at its maximum
	}
}

// read opens the STREAM packet in a reply, and notes what its frames say. ok is false when it is not the receiver's.
func (c *connection) read(o outcome) (packet stream.Packet, receipt []byte, ok bool) {
	plain, err := c.keys.Open(nil, o.reply.Data)
	if err != nil {
		return packet, nil, false
	}
	if packet, err = stream.DecodeReply(plain, o.reply.Fulfilled, o.sequence); err != nil {
		return packet, nil, false
	}
	c.remote.heard = true
	for frame := range packet.Frames() {
		switch frame.Type {
		case stream.FrameConnectionAssetDetails:
			c.asset(frame.ConnectionAssetDetails())
		case stream.FrameStreamMaxMoney:
			if f := frame.StreamMaxMoney(); f.StreamID == moneyStream {
				c.limits(f)
			}
		case stream.FrameStreamReceipt:
			if f := frame.StreamReceipt(); f.StreamID == moneyStream {
				receipt = f.Receipt
			}
		case stream.FrameConnectionClose:
			f := frame.ConnectionClose()
			c.closed(f.Code, f.Message)
		case stream.FrameStreamClose:
			if f := frame.StreamClose(); f.StreamID == moneyStream {
				c.closed(f.Code, f.Message)
			}
		}
	}
	return packet, receipt, true
}

// asset notes what the receiver counts. It cannot change during a connection, so the first word holds.
func (c *connection) asset(f stream.ConnectionAssetDetails) {
	asset := ilpcore.Asset{Code: string(f.Code), Scale: f.Scale}
	if c.result.DestinationAsset == nil && asset.Valid() {
		c.result.DestinationAsset = &asset
	}
}

// limits notes how much the receiver takes. A limit is never lowered (RFC 29), and totals only grow; replies come in any order.
func (c *connection) limits(f stream.StreamMaxMoney) {
	r := &c.remote
	if !c.paying {
		r.before = max(r.before, f.TotalReceived)
	}
	r.told = true
	r.receiveMax = max(r.receiveMax, f.ReceiveMax)
	r.received = max(r.received, f.TotalReceived)
}

func (c *connection) closed(code stream.ErrorCode, message []byte) {
	if c.remote.closed == nil {
		c.remote.closed = fmt.Errorf("%w: %s %.200q", ErrClosed, code, message)
	}
}

// end tells the receiver that nothing more comes, and waits for what is left of the connection's goroutines.
func (c *connection) end() {
	if c.remote.heard && c.remote.closed == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), closeTime)
		defer cancel()
		err := c.send(ctx, sent{}, true, func(b *stream.Builder) {
			b.StreamClose(stream.StreamClose{StreamID: moneyStream, Code: stream.NoError})
			b.ConnectionClose(stream.ConnectionClose{Code: stream.NoError})
		})
		if err != nil {
			c.last = err // nothing can be said to the receiver any more, and the payment is over
		}
	}
	for c.inFlight > 0 {
		c.landed(<-c.replies)
	}
	if c.drain != nil {
		c.drain.Stop()
	}
	c.abandon()
}
