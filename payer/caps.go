package payer

// This file keeps the spending of programs within caps: for each request, host and day.

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// ErrCap says that a payment would exceed a cap; the error that wraps it is a *CapError. Nothing was paid.
var ErrCap = errors.New("the payment is above a spending cap")

// CapError names the cap that a payment would exceed.
type CapError struct {
	Cap   string        // "per request", "per host" or "per day"
	Host  string        // that asked for the payment
	Limit amount.Amount // in base units of the sender, as all amounts here
	Spent amount.Amount // what counts against the cap already
	Cost  amount.Amount // what the payment would add
}

// Error says which cap, and by how much.
func (e *CapError) Error() string {
	return fmt.Sprintf("%v: %s costs %s, and of the cap %s of %s, %s are spent", ErrCap, e.Host, e.Cost, e.Cap, e.Limit, e.Spent)
}

// Unwrap makes a CapError an ErrCap.
func (e *CapError) Unwrap() error { return ErrCap }

// Caps is a Budget in memory. A cap of 0 is none. It is safe for concurrent use.
type Caps struct {
	PerRequest amount.Amount
	PerHost    amount.Amount // in all, as long as the Caps live
	PerDay     amount.Amount // over all hosts, from midnight to midnight UTC
	Now        func() time.Time

	mu    sync.Mutex
	hosts map[string]amount.Amount
	days  map[int64]amount.Amount // by days since 1970: all, since a clock may be set back
	open  map[underway][]int64    // the days on which they were reserved, oldest first
}

// underway is payments that are not settled.
type underway struct {
	host string
	cost amount.Amount
}

// Reserve sets cost aside for a payment to host. The error is a *CapError.
func (c *Caps) Reserve(host string, cost amount.Amount) error { return c.ReserveAgain(host, cost, 0) }

// ReserveAgain is Reserve for a request that has spent something before, which counts against the cap per request.
func (c *Caps) ReserveAgain(host string, cost, before amount.Amount) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	today := dayOf(c.Now())
	err := exceeded(host, cost, []CapError{
		{Cap: "per request", Limit: c.PerRequest, Spent: before},
		{Cap: "per host", Limit: c.PerHost, Spent: c.hosts[host]},
		{Cap: "per day", Limit: c.PerDay, Spent: c.days[today]},
	})
	if err != nil {
		return err
	}
	if c.hosts == nil {
		c.hosts, c.days, c.open = map[string]amount.Amount{}, map[int64]amount.Amount{}, map[underway][]int64{}
	}
	of := underway{host, cost}
	c.open[of] = append(c.open[of], today)
	c.hosts[host] = c.hosts[host].Saturate(cost)
	c.days[today] = c.days[today].Saturate(cost)
	return nil
}

// exceeded returns the first of the caps that a payment of cost would exceed, as a *CapError.
func exceeded(host string, cost amount.Amount, caps []CapError) error {
	for _, e := range caps {
		if total, ok := e.Spent.Add(cost); e.Limit != 0 && (!ok || total > e.Limit) {
			e.Host, e.Cost = host, cost
			return &e
		}
	}
	return nil
}

// Settle gives back what was reserved for a payment to host and not spent, to the day on which it was reserved.
func (c *Caps) Settle(host string, reserved, spent amount.Amount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := underway{host, reserved}
	days := c.open[of]
	if len(days) == 0 {
		return
	}
	if c.open[of] = days[1:]; len(days) == 1 {
		delete(c.open, of)
	}
	rest, _ := reserved.Sub(spent)
	c.hosts[host], _ = c.hosts[host].Sub(rest)
	c.days[days[0]], _ = c.days[days[0]].Sub(rest)
}
