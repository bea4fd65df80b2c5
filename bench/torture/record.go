//go:build linux

package main

// This file is the record: what was sent into the gateway and what came out of it, as those outside saw it. It is kept in memory of this
// process, out of reach of every fault.

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

// fate is what is known of a packet.
type fate uint8

const (
	underWay  fate = iota // sent, and not answered, maybe never
	fulfilled             // its Fulfill has arrived
	rejected              // its Reject has arrived
	doubtful              // rejected by a ledger that has failed: the outcome is unknown until it is opened again
)

// packet is a payment that the connector has sent.
type packet struct {
	account     balances.Account
	amount      amount.Amount
	condition   [32]byte
	fulfillment [32]byte
	bytes       []byte
	expires     time.Time
	sent        time.Time
	fulfilledAt time.Time // the last time
	fate        fate
	code        string // of the Reject
}

// sum counts requests and what they cost.
type sum struct {
	count uint64
	units uint64
}

func (s sum) plus(price uint64) sum { return sum{s.count + 1, s.units + price} }
func (s sum) and(o sum) sum         { return sum{s.count + o.count, s.units + o.units} }

// tally is the requests of one account.
type tally struct {
	paid    sum // answered by the backend, through the gateway
	unknown sum // without an answer, or with one that leaves the outcome open
}

// violation is a broken promise, in words.
type violation string

// record is safe for concurrent use.
type record struct {
	mu        sync.Mutex
	packets   map[[32]byte]*packet
	tallies   map[balances.Account]tally
	broken    []violation // what was wrong at once, without looking into the ledger
	lastBegan time.Time   // when the youngest request began that was paid
	lastPaid  time.Time   // when the last paid answer came
	statuses  map[int]int // answers by status
	answers   sum         // paid ones, of all accounts
	lateness  bool        // Fulfills of expired packets are counted in late, instead of blamed
	late      int
	uncertain bool // rejects and refusals may hide a change that was made, until the ledger is opened again
}

func newRecord() *record {
	return &record{
		packets: make(map[[32]byte]*packet), tallies: make(map[balances.Account]tally),
		statuses: make(map[int]int),
	}
}

// send notes a packet before its first byte goes out.
func (r *record) send(p *packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.sent = time.Now()
	r.packets[p.condition] = p
}

// doubt sets whether T00 and 503 say nothing about the outcome from now on, as after an error of the disk.
func (r *record) doubt(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.uncertain = on
}

// blame notes a broken promise.
func (r *record) blame(v violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.broken) < 20 {
		r.broken = append(r.broken, v)
	}
}

// takeBroken returns what was blamed, and forgets it.
func (r *record) takeBroken() []violation {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.broken
	r.broken = nil
	return b
}

// request notes the answer to a request of the account: paid, or of unknown outcome. Others cost nothing and are not noted.
func (r *record) request(a balances.Account, price uint64, began time.Time, paid bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tallies[a]
	if paid {
		t.paid, r.answers = t.paid.plus(price), r.answers.plus(price)
		if began.After(r.lastBegan) {
			r.lastBegan = began
		}
		r.lastPaid = time.Now()
	} else {
		t.unknown = t.unknown.plus(price)
	}
	r.tallies[a] = t
}

func (r *record) status(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses[status]++
}

// counts are the totals of a record.
type counts struct {
	sent, fulfilled, rejected, underWay int
	paid, unknown                       uint64
}

func (r *record) count() (c counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.packets {
		c.sent++
		switch p.fate {
		case fulfilled:
			c.fulfilled++
		case rejected:
			c.rejected++
		default:
			c.underWay++
		}
	}
	c.paid = r.answers.count
	for _, t := range r.tallies {
		c.unknown += t.unknown.count
	}
	return c
}

// inOrder returns the packets that f wants, in the order they were sent.
func (r *record) inOrder(f func(p *packet) bool) (chosen []*packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range maps.Values(r.packets) {
		if f(p) {
			chosen = append(chosen, p)
		}
	}
	slices.SortFunc(chosen, func(a, b *packet) int { return a.sent.Compare(b.sent) })
	return chosen
}

// forget takes back a packet that was not sent.
func (r *record) forget(p *packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.packets, p.condition)
}

// doubts says whether refusals leave the outcome open now.
func (r *record) doubts() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.uncertain
}
