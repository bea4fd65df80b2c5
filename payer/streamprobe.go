package payer

// This file measures the way to the receiver with packets that nobody can fulfill: the exchange rate and the largest packet.

import (
	"fmt"
	"slices"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

const (
	probesAtOnce = 6  // in one round, fewer where that is too much
	probeRounds  = 40 // far more than a search over 64 bits needs
	probeFails   = 4  // rounds in a row without any news
)

// ladder is where measuring begins, in base units of the sender: from one to as much as is usual at a scale of 9.
var ladder = []amount.Amount{1, 1e3, 1e6, 1e9, 1e12}

// measure finds the rate and, as far as the payment needs it, the largest packet, and decides whether to pay at all.
func (c *connection) measure() error {
	c.advanced = c.stream.Now()
	limit := c.payment.limit()
	trials := slices.DeleteFunc(slices.Clone(ladder), func(n amount.Amount) bool { return n >= limit })
	if c.payment.Send != 0 || limit <= ladder[len(ladder)-1] {
		trials = append(trials, limit)
	}
	fails := 0
	for range probeRounds {
		news, err := c.round(trials)
		if err != nil {
			return err
		}
		c.sizes.exact = c.rate.low.Of(c.sizes.good) < 512
		if news {
			fails = 0
		} else if fails++; fails >= probeFails && c.rate.known() {
			break // the rest shows while paying
		}
		// A lack of liquidity passes. It settles nothing while only packets came through of which nothing arrived.
		if need, err := c.need(limit); err == nil && c.sizes.good >= need || c.sizes.settled() && (c.rate.known() || c.sizes.scarce == 0) {
			break
		}
		news = news && !c.sizes.settled() // what is in the way now may be gone after a rest
		if !c.rate.known() && c.sizes.bad == 0 && c.last == nil && c.sizes.good >= min(limit, ladder[len(ladder)-1]) {
			break // everything arrived, and nothing of it
		}
		next := c.sizes.trials(c.search(limit), c.width)
		if !news {
			if err := c.rest(); err != nil {
				return err
			}
			c.sizes.scarce = 0 // it may have passed
		}
		if next != nil {
			trials = next
		}
		if c.sizes.bad == 1 {
			return c.last
		}
	}
	if need, err := c.need(limit); err == nil && c.sizes.bad == 0 && c.sizes.good < need {
		c.sizes.part = c.sizes.good // the way may lack the liquidity for more
	}
	c.sizes.scarce = 0
	return c.decide()
}

// round sends probes at once and waits for all replies. news says that one of them showed something.
func (c *connection) round(trials []amount.Amount) (news bool, err error) {
	for _, n := range trials {
		err := c.probe(c.ctx, sent{amount: n}, func(b *stream.Builder, _ amount.Amount) {
			// The receiver tells its asset in return. An empty address asks for it without giving one.
			b.ConnectionNewAddress(stream.ConnectionNewAddress{Address: []byte(c.payment.Own)})
		})
		if err != nil {
			return false, err
		}
		c.result.Probes++
	}
	c.last, c.crowded = nil, false
	var final error
	for c.inFlight > 0 {
		o := <-c.carriers.landed
		c.landed(o)
		seen, err := c.probed(o)
		c.carriers.give(o)
		news = news || seen
		if err != nil {
			final = err
		}
	}
	if c.crowded {
		c.width = max(1, c.width/2)
	}
	switch {
	case c.ctx.Err() != nil:
		return false, c.ctx.Err()
	case c.remote.closed != nil:
		return false, c.remote.closed
	case !news && final != nil:
		return false, final
	}
	return news, nil
}

// probed reads the reply to a probe. The error is one after which trying again is in vain.
func (c *connection) probed(o *flight) (news bool, final error) {
	if o.reply.Fulfilled {
		return false, ErrUnverified
	}
	if packet, _, ok := c.read(o); ok {
		c.sizes.passed(o.amount)
		c.rate.observe(o.amount, packet.PrepareAmount)
		return true, nil
	}
	c.last = rejection(o.reply)
	c.crowded = c.crowded || o.reply.Code.Temporary()
	switch code := o.reply.Code; {
	case code == ilpcore.F08:
		c.sizes.tooLarge(o.amount, o.reply.Data)
		return true, nil
	case code == ilpcore.T04:
		c.sizes.lacking(o.amount)
	case code.Final():
		return false, c.last
	}
	return false, nil
}

// need returns what the payment has to send at the measured rate.
func (c *connection) need(limit amount.Amount) (amount.Amount, error) {
	if c.payment.Send != 0 {
		return c.payment.Send, nil
	}
	return c.rate.low.For(c.payment.Deliver)
}

// search returns up to where the largest packet is of interest.
func (c *connection) search(limit amount.Amount) amount.Amount {
	if need, err := c.need(limit); err == nil {
		return min(need, limit)
	}
	return limit
}

// rest waits before the next round, unless the payment has made no progress for too long.
func (c *connection) rest() error {
	now := c.stream.Now()
	if now.Sub(c.advanced) >= c.stream.GiveUp {
		return c.stalled()
	}
	c.pace.congested(c.sequence, c.sequence, now, c.stream.Random)
	timer := time.NewTimer(c.pace.until.Sub(now))
	defer timer.Stop()
	select {
	case <-c.ctx.Done():
		return c.ctx.Err()
	case <-timer.C:
		return nil
	}
}

// decide compares what was measured with the limits of the payment, before any money is sent.
func (c *connection) decide() error {
	p := &c.payment
	if !c.rate.known() {
		if c.sizes.good == 0 && c.last != nil {
			return c.last
		}
		return fmt.Errorf("%w: even %s of the sender's units become nothing", ErrNoRate, c.sizes.good)
	}
	if p.LeastRate != nil && c.result.DestinationAsset != nil {
		least, err := p.LeastRate(*c.result.DestinationAsset)
		if err != nil {
			return err
		}
		if p.MinRate.Den == 0 || p.MinRate.Below(least) {
			p.MinRate = least
		}
	}
	if p.MinRate.Den != 0 && !p.MinRate.Below(c.rate.high) {
		return fmt.Errorf("%w: it is about %s, and the least is %s", ErrRate, c.rate.low, p.MinRate)
	}
	c.slipped = c.rate.low.less(p.Slippage)
	if p.Deliver == 0 {
		return nil
	}
	cost, err := c.cost()
	if err != nil {
		return fmt.Errorf("%w: what it costs to deliver %s is beyond counting", ErrTooExpensive, p.Deliver)
	}
	if p.MaxSend != 0 && cost > p.MaxSend {
		return fmt.Errorf("%w: %s for %s, and the limit is %s", ErrTooExpensive, cost, p.Deliver, p.MaxSend)
	}
	if room, known := c.room(); known && room < p.Deliver {
		return fmt.Errorf("%w: %s at most, and %s are to be delivered", ErrReceiveMax, room, p.Deliver)
	}
	if p.Approve != nil {
		p.MaxSend = cost
		return p.Approve(cost)
	}
	return nil
}

// cost returns what the delivery costs at the lowest rate that was seen, with what each packet loses by rounding.
func (c *connection) cost() (amount.Amount, error) {
	whole := c.rate.low.Of(c.sizes.now()) // of what arrives in a full packet
	if whole == 0 || whole >= c.payment.Deliver {
		return c.rate.low.For(c.payment.Deliver)
	}
	each, err := c.rate.low.For(whole)
	if err != nil {
		return 0, err
	}
	last, err := c.rate.low.For(c.payment.Deliver % whole)
	if err != nil {
		return 0, err
	}
	all, ok := each.Mul(uint64(c.payment.Deliver / whole))
	if all, fits := all.Add(last); ok && fits {
		return all, nil
	}
	return 0, amount.ErrRange
}

// stalled is the error of a payment that makes no progress.
func (c *connection) stalled() error {
	if c.last == nil {
		return fmt.Errorf("%w for %s", ErrStalled, c.stream.GiveUp)
	}
	return fmt.Errorf("%w for %s: %w", ErrStalled, c.stream.GiveUp, c.cause(c.last))
}

// rejection makes an error of a Reject.
func rejection(reply ilpcore.Reply) error {
	return &RejectError{Code: reply.Code, TriggeredBy: reply.TriggeredBy, Message: reply.Message}
}
