package caddymodule

// This file knows which quotes of a 402 were paid, to count each once. It keeps nothing of a quote that nobody pays.

import (
	"sync"

	"github.com/paydoor/paydoor/amount"
)

// conversions is what was paid to each quote of a 402 so far. It forgets the oldest when it is full, which costs a count and nothing else.
type conversions struct {
	mu        sync.Mutex
	now, past map[[8]byte]amount.Amount
}

// remembered is how many quotes are remembered at least.
const remembered = 50_000

// paid adds a payment to the quote, and says whether it is the one with which what is due has arrived.
func (c *conversions) paid(quote [8]byte, units, due amount.Amount) (converted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, ok := c.now[quote]
	if !ok {
		before = c.past[quote]
	}
	if c.now == nil || len(c.now) >= remembered && !ok {
		c.past, c.now = c.now, map[[8]byte]amount.Amount{}
	}
	after := before.Saturate(units)
	c.now[quote] = after
	return before < due && after >= due
}
