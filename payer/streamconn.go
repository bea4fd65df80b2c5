package payer

// This file is one STREAM connection of a sender: it builds packets, sends them, and reads the replies.

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

	destination []byte // the address of the payment

	ctx     context.Context // the caller's
	packets context.Context // of packets with money, which outlives ctx for a while
	abandon context.CancelFunc

	sequence uint64
	carriers *carriers
	timer    *time.Timer        // of wait
	shared   context.Context    // of packets that were sent within a moment
	expire   context.CancelFunc // of it, which abandon does too
	since    time.Time          // when it was made
	plain    []byte             // the memory of the reply that is read
	inFlight int                // packets
	underway amount.Amount      // their money, in base units of the sender
	arriving amount.Amount      // the most that it can become, in base units of the receiver

	sizes   sizes
	rate    bounds
	slipped Rate // the measured rate less the slippage
	pace    pace
	remote  remote

	attempts int       // in a row that came to nothing though nothing is overloaded
	advanced time.Time // when a packet was fulfilled last
	last     error     // the last rejection
	scant    error     // the last that made packets smaller for lack of liquidity
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

// moment is how much longer than they live the packets with a shared context may take at most. Links have their own clocks for that, and answer when
// a packet expires.
const moment = time.Second

func newConnection(ctx context.Context, s Stream, p Payment) *connection {
	c := &connection{
		stream: s, payment: p, ctx: ctx, keys: stream.Keys(p.Secret), destination: []byte(p.Address),
		timer: time.NewTimer(0), pace: newPace(s.InFlight), width: probesAtOnce,
		carriers: newCarriers(s.Link, max(s.InFlight, probesAtOnce)),
	}
	c.packets, c.abandon = context.WithCancel(context.WithoutCancel(ctx))
	return c
}

// frames adds frames to a packet of n.
type frames func(b *stream.Builder, n amount.Amount)

// send sends a packet that the receiver can fulfill.
func (c *connection) send(p sent, add frames) error {
	f, err := c.prepare(p, streamLifetime, add)
	if err != nil {
		return err
	}
	f.fulfillment = c.keys.Fulfillment(f.data)
	f.prepare.Condition = ilpcore.ConditionOf(f.fulfillment)
	f.ctx = c.context()
	c.leave(f)
	return nil
}

// probe sends a packet that nobody can fulfill.
func (c *connection) probe(ctx context.Context, p sent, add frames) error {
	f, err := c.prepare(p, probeLifetime, add)
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(c.stream.Random, f.prepare.Condition[:]); err != nil {
		return fmt.Errorf("making a condition: %w", err)
	}
	f.ctx, f.end = context.WithTimeout(ctx, probeLifetime)
	c.leave(f)
	return nil
}

// prepare builds a packet, except for its condition.
func (c *connection) prepare(p sent, lifetime time.Duration, add frames) (f *flight, err error) {
	if c.sequence == maxSequence {
		return nil, ErrTooManyPackets
	}
	c.sequence++
	f = c.carriers.take()
	f.sent, f.sequence = p, c.sequence
	f.builder = stream.Begin(f.plain[:0], ilpcore.TypePrepare, f.sequence, f.least)
	add(&f.builder, f.amount)
	if f.plain, err = f.builder.Finish(); err != nil {
		return nil, fmt.Errorf("building a packet: %w", err)
	}
	if f.data, err = c.keys.Seal(f.data[:0], f.plain, c.stream.Random); err != nil {
		return nil, fmt.Errorf("encrypting a packet: %w", err)
	}
	f.expires = c.stream.Now().Add(lifetime).UTC().Truncate(time.Millisecond)
	f.prepare = ilpcore.Prepare{Amount: f.amount, ExpiresAt: f.expires, Destination: c.destination, Data: f.data}
	return f, nil
}

// context returns what ends the packets that are sent now: one for all of a moment, since a timer for each costs as much as encrypting it.
func (c *connection) context() context.Context {
	now := time.Now() // as contexts have it
	if c.shared == nil || now.Sub(c.since) >= moment {
		c.shared, c.expire = context.WithTimeout(c.packets, streamLifetime+moment)
		c.since = now
	}
	return c.shared
}

// leave lets a packet go, and counts it.
func (c *connection) leave(f *flight) {
	c.inFlight++
	c.underway += f.amount
	c.arriving = c.arriving.Saturate(f.arriving)
	c.carriers.carry(f, c.inFlight)
}

// landed takes a packet off what is under way.
func (c *connection) landed(o *flight) {
	c.inFlight--
	c.underway -= o.amount
	c.arriving, _ = c.arriving.Sub(o.arriving)
	if c.inFlight == 0 {
		c.arriving = 0 // the sum may have been cut at its maximum
	}
}

// read opens the STREAM packet in a reply, and notes what its frames say; what it returns is valid until the next read. ok is false when it is not
// the receiver's.
func (c *connection) read(o *flight) (packet stream.Packet, receipt []byte, ok bool) {
	var err error
	if c.plain, err = c.keys.Open(c.plain[:0], o.reply.Data); err != nil {
		return packet, nil, false
	}
	if packet, err = stream.DecodeReply(c.plain, o.reply.Fulfilled, o.sequence); err != nil {
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
		err := c.probe(ctx, sent{}, func(b *stream.Builder, _ amount.Amount) {
			b.StreamClose(stream.StreamClose{StreamID: moneyStream, Code: stream.NoError})
			b.ConnectionClose(stream.ConnectionClose{Code: stream.NoError})
		})
		if err != nil {
			c.last = err // nothing can be said to the receiver any more, and the payment is over
		}
	}
	for c.inFlight > 0 {
		c.landed(<-c.carriers.landed)
	}
	c.carriers.close()
	if c.drain != nil {
		c.drain.Stop()
	}
	c.timer.Stop()
	c.abandon()
}
