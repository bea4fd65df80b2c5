package payer

// This file is a payment of which the receiver says, bit by bit, how much it takes: it asks for that until somebody else ends it.

import (
	"math"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// questionEvery is how often an open payment that may send nothing asks whether it may.
const questionEvery = 100 * time.Millisecond

// opening makes a payment open.
type opening struct {
	until  <-chan struct{} // closed when nothing more is to be sent
	opened chan<- struct{} // closed when the receiver has said for the first time how much it takes
}

// until returns what ends an open payment; nil: nothing more does.
func (c *connection) until() <-chan struct{} {
	if c.payment.open == nil || c.done || c.stop != nil {
		return nil
	}
	return c.payment.open.until
}

// questionIn returns how long it is until the next question.
func (c *connection) questionIn(now time.Time) time.Duration {
	if c.payment.open == nil || c.done || c.stop != nil || c.inFlight > 0 {
		return math.MaxInt64
	}
	return c.asked.Add(questionEvery).Sub(now)
}

// question asks, with a packet of nothing, if it is time. It can be fulfilled: JavaScript receivers tell no limits when they reject one that cannot.
func (c *connection) question() {
	now := c.stream.Now()
	if c.questionIn(now) > 0 {
		return
	}
	c.asked = now
	err := c.send(sent{question: true}, func(b *stream.Builder, _ amount.Amount) {
		// Receivers tell the limits of streams that they have heard of.
		b.StreamMaxMoney(stream.StreamMaxMoney{StreamID: moneyStream})
	})
	if err != nil {
		c.stop = err
		return
	}
	c.result.Probes++
}

// answered reads the reply to a question. While the receiver answers, the payment is alive.
func (c *connection) answered(o *flight) {
	if o.reply.Fulfilled && o.reply.Fulfillment != o.fulfillment {
		c.stop = ErrUnverified
		return
	}
	if _, _, ok := c.read(o); ok {
		c.attempts, c.advanced = 0, c.stream.Now()
		if c.remote.told && c.payment.open.opened != nil {
			close(c.payment.open.opened)
			c.payment.open.opened = nil
		}
		return
	}
	if o.reply.Fulfilled {
		return
	}
	c.last = rejection(o.reply)
	if code := o.reply.Code; code.Final() && code != ilpcore.F99 && c.stop == nil {
		c.stop = c.last
	}
}
