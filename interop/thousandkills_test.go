package interop

// This file has a thousand payments under way all the time between three nodes in a row, while one node after the other is killed and started again.

import (
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	killPayments = 2400
	killPause    = 1500 * time.Millisecond // between two kills at least
)

// running says whether a node is up, to those who wait for it.
type running struct {
	mu sync.Mutex
	up chan struct{} // closed while it is
}

func newRunning() *running {
	s := &running{up: make(chan struct{})}
	close(s.up)
	return s
}

func (s *running) down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = make(chan struct{})
}

func (s *running) back() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.up)
}

func (s *running) wait() {
	s.mu.Lock()
	up := s.up
	s.mu.Unlock()
	<-up
}

// crosses says whether a packet from one node to another goes over the link between x and y.
func crosses(from, to, x, y string) bool {
	low, high := min(from, to), max(from, to)
	return low <= x && y <= high
}

// waitFor waits until all nodes on the way of a payment are up, and, when it had to, some more, so that not all come back at once.
func (r *row) waitFor(o *order) {
	began := time.Now()
	for name, s := range r.running {
		if crosses(o.from.node, o.to.node, name, name) {
			s.wait()
		}
	}
	if len(o.attempts) > 1 || time.Since(began) > time.Millisecond {
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
	}
}

// killOne kills a node and starts it again.
func (r *row) killOne(name string) {
	r.running[name].down()
	r.nodes[name].kill()
	r.wire.killed(name)
	r.nodes[name].start()
	r.running[name].back()
}

// history is a page of the payments of a holder.
type history struct {
	Payments []struct {
		Direction   string
		Amount      int
		Destination string
		Key         string `json:"idempotency_key"`
	}
	Next *string
}

// eachPayment shows the payments of a holder in one direction to f, the newest first, until it says that it has seen enough.
func (c *customer) eachPayment(direction string, f func(key, destination string, units int) (enough bool)) {
	query := "?limit=500&direction=" + direction
	for cursor := ""; ; {
		var page history
		status, answer, err := c.g.request("GET", "/accounts/"+c.name+"/payments"+query+cursor, c.token, "", "")
		if err != nil || status != 200 || strict(answer, &page) != nil {
			c.g.t.Errorf("the history of %s: %v, status %d: %s", c.name, err, status, answer)
			return
		}
		for _, p := range page.Payments {
			if f(p.Key, p.Destination, p.Amount) {
				return
			}
		}
		if page.Next == nil {
			return
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Next)
	}
}

// sentWith is what the history says was sent of the payment with a key.
func (c *customer) sentWith(key string) (units int) {
	c.eachPayment("sent", func(one, _ string, sum int) bool {
		if one == key {
			units = sum
		}
		return one == key
	})
	return units
}

// TestThousandPaymentsWithKills kills one node after the other, each with a thousand payments under way, and starts it again.
func TestThousandPaymentsWithKills(t *testing.T) {
	needTime(t)
	r := newRow(t)
	orders := r.plan(killPayments, func(out, _ int) int { return out + mostUnits })
	var next, made atomic.Int64
	began := time.Now()
	var paying sync.WaitGroup
	for range thousandPayments {
		paying.Go(func() {
			for i := next.Add(1) - 1; i < killPayments; i = next.Add(1) - 1 {
				r.pay(orders[i])
				made.Add(1)
			}
		})
	}
	back := began
	for i, name := range []string{"b", "c", "a", "b", "c", "a"} {
		reached := int64((killPayments - thousandPayments) * (i + 1) / 7)
		eventually(t, "enough payments are made for the next kill", func() bool { return made.Load() >= reached && time.Since(back) > killPause })
		underWay, before := min(next.Load(), killPayments)-made.Load(), time.Now()
		r.killOne(name)
		back = time.Now()
		t.Logf("%v: %s was killed, with %d payments under way and %d made, and is back after %v", time.Since(began).Round(time.Millisecond), name, underWay,
			made.Load(), back.Sub(before).Round(time.Millisecond))
		if underWay < thousandPayments*9/10 {
			t.Errorf("only %d payments were under way", underWay)
		}
	}
	paying.Wait()
	t.Logf("%v: all are made", time.Since(began).Round(time.Millisecond))
	r.outcomes(orders)
	r.askAgain(orders)
	r.check(orders)
}
