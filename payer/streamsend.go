package payer

// This file sends the money: it fills the window, settles each reply, and knows when all is paid and when to give up.

import (
	"errors"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// mostAttempts is how many packets in a row may come to nothing for reasons that waiting hardly changes.
const mostAttempts = 6

// transfer pays. It returns once no packet is in flight any more.
func (c *connection) transfer() error {
	c.advanced = c.stream.Now()
	c.paying, c.last = true, nil
	c.pace = newPace(c.stream.InFlight)
	for {
		c.fill()
		if c.inFlight == 0 && (c.stop != nil || c.done) {
			return c.stop
		}
		c.question()
		c.wait()
	}
}

// fill sends as many packets as may leave now.
func (c *connection) fill() {
	for c.stop == nil && !c.done && c.inFlight < c.pace.window && !c.pace.until.After(c.stream.Now()) {
		n, ok := c.next()
		if !ok {
			return
		}
		packet := sent{amount: n, least: c.least(n), arriving: c.rate.most(n)}
		c.stop = c.send(packet, money)
	}
}

// money is the frame of a packet with n. Receivers take the shares for what one unit of the sender is worth.
func money(b *stream.Builder, n amount.Amount) {
	b.StreamMoney(stream.StreamMoney{StreamID: moneyStream, Shares: uint64(n)})
}

// wait waits for a reply, the end of a pause, or the end of patience.
func (c *connection) wait() {
	now := c.stream.Now()
	patience := c.advanced.Add(c.stream.GiveUp).Sub(now)
	pause := c.pace.until.Sub(now)
	if c.stop != nil || c.inFlight >= c.pace.window || pause <= 0 {
		pause = patience
	}
	c.timer.Reset(max(0, min(pause, patience, c.questionIn(now))))
	done := c.ctx.Done()
	if c.stop != nil {
		c.timer.Stop() // packets in flight are answered by their expiry, or soon after the payment was cancelled
	}
	if c.drain != nil {
		done = nil
	}
	select {
	case o := <-c.carriers.landed:
		c.settle(o)
		c.settleMore()
	case <-done:
		if c.stop == nil {
			c.stop = c.ctx.Err()
		}
		c.drain = time.AfterFunc(drainTime, c.abandon)
	case <-c.until():
		c.done = true
	case <-c.timer.C:
		if c.stream.Now().Sub(c.advanced) >= c.stream.GiveUp && c.stop == nil {
			c.stop = c.stalled()
		}
	}
}

// settleMore settles the replies that have come meanwhile, so that the packets which follow leave together.
func (c *connection) settleMore() {
	for {
		select {
		case o := <-c.carriers.landed:
			c.settle(o)
		default:
			return
		}
	}
}

// next returns the amount of the next packet. ok is false when none may leave before a reply comes, or none at all any more; then
// stop or done says so.
func (c *connection) next() (n amount.Amount, ok bool) {
	size := c.sizes.now()
	if size == 0 {
		c.stop = c.last
		return 0, false
	}
	budget := c.budget()
	goal, exhausted := c.goal()
	if budget == 0 || goal == 0 {
		if c.inFlight == 0 {
			c.finish(goal, exhausted)
		}
		return 0, false
	}
	if n = min(size, budget); c.payment.Send != 0 {
		n = c.share(n, budget)
		if c.rate.low.Of(n) == 0 {
			// It would arrive as nothing. What is in flight may still come back and add to it.
			switch {
			case c.inFlight > 0:
			case n < budget:
				c.stop = c.tooSmall()
			default:
				c.finish(goal, exhausted)
			}
			return 0, false
		}
	}
	arriving := c.rate.most(n)
	switch {
	case arriving == 0 && n == budget:
		if c.inFlight == 0 {
			c.finish(goal, exhausted)
		}
		return 0, false
	case arriving <= goal && c.payment.Deliver != 0 && arriving == c.rate.low.Of(n):
		// As much arrives of a little less.
		if less, err := c.rate.low.For(arriving); err == nil {
			return less, true
		}
		return n, true
	case arriving <= goal:
		return n, true
	}
	// This may be the last packet. It waits until all others have been answered, so that it can be exact.
	if c.inFlight > 0 {
		return 0, false
	}
	last, err := c.rate.low.For(goal)
	if err != nil {
		last = n
	}
	return min(n, last), true
}

// share splits what is left evenly when it makes two packets, because a small rest loses more by rounding.
func (c *connection) share(n, left amount.Amount) amount.Amount {
	if left > n && left-n < n {
		if half := left/2 + left%2; c.rate.low.Of(left-half) > 0 {
			return half
		}
	}
	return n
}

// budget returns how much may still leave, with everything counted as sent that was not rejected.
func (c *connection) budget() amount.Amount {
	spent := c.result.Sent.Saturate(c.result.Unknown).Saturate(c.underway)
	left, _ := c.payment.limit().Sub(spent)
	return left
}

// goal returns how much may still arrive, with everything in flight counted as arrived; full says that the receiver's limit, not the
// payment's, is the lower.
func (c *connection) goal() (left amount.Amount, full bool) {
	left = amount.Max
	if c.payment.Deliver != 0 {
		left, _ = c.payment.Deliver.Sub(c.result.Delivered.Saturate(c.arriving))
	}
	if room, known := c.room(); known {
		if room, _ = room.Sub(c.arriving); room < left {
			return room, true
		}
	}
	return left, false
}

// room returns how much more the receiver takes, without what is in flight; known is false while it has not told. A limit of 0 is that of a
// receiver which waits for the first packet to decide.
func (c *connection) room() (room amount.Amount, known bool) {
	if c.payment.open != nil && c.remote.receiveMax == 0 {
		return 0, true
	}
	if c.remote.receiveMax == 0 || c.remote.receiveMax == amount.Max {
		return amount.Max, false
	}
	room, _ = c.remote.receiveMax.Sub(c.remote.received)
	return room, true
}

// finish decides how it ended, when nothing is in flight and nothing more can leave.
func (c *connection) finish(goal amount.Amount, full bool) {
	c.recount()
	switch {
	case c.payment.open != nil && full:
		// It may take more in a moment: question asks.
	case c.payment.Deliver != 0 && c.result.Delivered >= c.payment.Deliver:
		c.done = true
	case c.payment.Send != 0 && c.result.Unknown > 0:
		c.stop = fmt.Errorf("%w: %s", ErrUnknown, c.result.Unknown)
	case c.payment.Send != 0 && (goal > 0 || c.budget() == 0):
		c.done = true
	case goal == 0 && full:
		c.stop = fmt.Errorf("%w than %s", ErrReceiveMax, c.remote.receiveMax)
	default:
		c.stop = fmt.Errorf("%w of %s, with %s of unknown fate", ErrMaxSend, c.payment.MaxSend, c.result.Unknown)
	}
}

// recount lets the receiver's total decide about packets with an unknown outcome, once nothing is in flight.
func (c *connection) recount() {
	if total, ok := c.remote.received.Sub(c.remote.before); ok && c.result.Unknown > 0 && c.inFlight == 0 {
		c.result.Delivered = max(c.result.Delivered, total)
	}
}

// settle counts a packet by the reply to it.
func (c *connection) settle(o *flight) {
	c.landed(o)
	defer c.carriers.give(o)
	if o.question {
		c.answered(o)
	} else if o.reply.Fulfilled {
		c.fulfilled(o)
	} else {
		c.rejected(o)
	}
	if c.inFlight == 0 {
		c.recount()
	}
	if c.remote.closed != nil && c.stop == nil && !c.complete() {
		c.stop = c.remote.closed
	}
}

func (c *connection) complete() bool {
	return c.payment.Deliver != 0 && c.result.Delivered >= c.payment.Deliver || c.payment.Send != 0 && c.result.Sent >= c.payment.Send
}

func (c *connection) fulfilled(o *flight) {
	if o.reply.Fulfillment != o.fulfillment {
		c.lost(o)
		c.stop = ErrUnverified
		return
	}
	c.result.Sent += o.amount
	c.result.Fulfilled++
	c.attempts, c.advanced = 0, c.stream.Now()
	c.sizes.passed(o.amount)
	c.sizes.fulfilled(o.amount)
	c.pace.fulfilled()
	packet, receipt, ok := c.read(o)
	arrived := o.least // what the fulfillment proves, should the reply say nothing
	if ok {
		arrived = packet.PrepareAmount
		c.rate.observe(o.amount, arrived)
	}
	c.result.Delivered = c.result.Delivered.Saturate(arrived)
	switch {
	case arrived < o.least && c.stop == nil:
		c.stop = fmt.Errorf("%w: %s instead of %s", ErrUnderpaid, arrived, o.least)
	case !c.checkReceipt(receipt) && c.stop == nil:
		c.stop = ErrReceipt
	}
	if c.payment.Progress != nil {
		c.payment.Progress(c.result)
	}
}

func (c *connection) rejected(o *flight) {
	c.result.Rejected++
	c.last = rejection(o.reply)
	code := o.reply.Code
	if packet, _, ok := c.read(o); ok {
		c.sizes.passed(o.amount)
		c.rate.observe(o.amount, packet.PrepareAmount)
		switch {
		case code != ilpcore.F99:
			c.congested(o.sequence)
		case packet.PrepareAmount < o.least:
			c.refused(o, fmt.Errorf("%w: %s arrived of %s, and the least is %s", ErrRate, packet.PrepareAmount, o.amount, o.least))
		case c.remote.told && c.remote.receiveMax == 0:
			c.refused(o, ErrReceiveMax)
		default:
			c.refused(o, c.last)
		}
		return
	}
	switch {
	case unknown(o.reply):
		c.lost(o)
		c.congested(o.sequence)
	case code == ilpcore.F08:
		c.sizes.tooLarge(o.amount, o.reply.Data)
	case code == ilpcore.T04:
		if c.congested(o.sequence) && c.pace.failures > 1 {
			c.sizes.short(o.amount)
			c.scant = c.last
		}
	case code.Temporary():
		c.congested(o.sequence)
	case code.Relative():
		c.refused(o, c.last)
	case c.stop == nil:
		c.stop = c.last
	}
}

// lost counts a packet of which nobody told what became of it.
func (c *connection) lost(o *flight) {
	c.result.Unknown += o.amount
	if o.expires.After(c.result.Doubtful) {
		c.result.Doubtful = o.expires
	}
}

// unknown says whether a Reject leaves open what became of the packet: nobody answered in time, or the link itself, which names no
// node, broke after it may have sent it.
func unknown(reply ilpcore.Reply) bool {
	switch reply.Code {
	case ilpcore.R00:
		return true
	case ilpcore.T00, ilpcore.T01:
		return reply.TriggeredBy == ""
	}
	return false
}

func (c *connection) congested(sequence uint64) bool {
	return c.pace.congested(sequence, c.sequence, c.stream.Now(), c.stream.Random)
}

// refused counts a packet that came to nothing for a reason that waiting will hardly change.
func (c *connection) refused(o *flight, why error) {
	if !c.congested(o.sequence) {
		return
	}
	if c.attempts++; c.attempts >= mostAttempts && c.stop == nil {
		c.stop = c.cause(why)
	}
}

// cause is why, behind the lack of liquidity that has made the packets so small that it happens.
func (c *connection) cause(why error) error {
	if again, ok := errors.AsType[*RejectError](why); c.sizes.part == 0 || c.scant == nil || ok && again.Code == ilpcore.T04 {
		return why
	}
	return fmt.Errorf("%w; and of less at once too little arrives: %w", c.scant, why)
}

// tooSmall is the end of a payment with something left, when nothing would arrive of packets as large as pass.
func (c *connection) tooSmall() error {
	if c.last == nil {
		return fmt.Errorf("%w: packets of at most %s become nothing", ErrNoRate, c.sizes.now())
	}
	return c.cause(c.last)
}
