package caddymodule

// This file counts what the process does with money. The counts outlive every config: one of Prometheus must not go back because of a
// reload. They are exact; only what is shown of them to Prometheus is a float64.

import (
	"sync"
	"sync/atomic"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/paywall"
)

// flow is how often money moved in one way, and how much.
type flow struct {
	mu    sync.Mutex
	count uint64
	units amount.Sum
}

func (f *flow) add(units amount.Amount) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	f.units, _ = f.units.Add(units.Sum()) // no process lives to see 2^128
}

func (f *flow) read() (count uint64, units amount.Sum) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count, f.units
}

// tally is what was moved of one asset.
type tally struct {
	asset                       ilpcore.Asset
	charged, credited, refunded flow
}

// counts are of the whole process.
var counts = struct {
	outcomes    [8]atomic.Uint64 // requests, in the order of outcomes
	conversions atomic.Uint64
	conflicts   atomic.Uint64
	lostEvents  atomic.Uint64

	mu          sync.Mutex
	tallies     map[ilpcore.Asset]*tally
	unconfirmed map[ilpcore.AccountID]*flow // by neighbour
	settled     map[settledBy]*flow
}{tallies: map[ilpcore.Asset]*tally{}, unconfirmed: map[ilpcore.AccountID]*flow{}, settled: map[settledBy]*flow{}}

// outcomes are what becomes of the requests on priced routes.
var outcomes = [...]paywall.Outcome{
	paywall.Quoted, paywall.Refused, paywall.Invalid, paywall.Unavailable, paywall.Settled, paywall.Released, paywall.Unsettled,
}

// tallyOf returns the tally of an asset.
func tallyOf(asset ilpcore.Asset) *tally {
	counts.mu.Lock()
	defer counts.mu.Unlock()
	t := counts.tallies[asset]
	if t == nil {
		t = &tally{asset: asset}
		counts.tallies[asset] = t
	}
	return t
}

// countOutcome counts a request once, by its last step. The second charge of a request, for what of its body came after the answer had
// begun, has no status.
func countOutcome(e *paywall.Event) {
	if e.Status == 0 && (e.Outcome == paywall.Settled || e.Outcome == paywall.Unsettled) {
		return
	}
	for i, outcome := range outcomes {
		if outcome == e.Outcome {
			counts.outcomes[i].Add(1)
			return
		}
	}
}

// countUnconfirmed counts a payment whose fulfillment the neighbour may not have got.
func countUnconfirmed(neighbour ilpcore.AccountID, units amount.Amount) {
	counts.mu.Lock()
	f := counts.unconfirmed[neighbour]
	if f == nil {
		f = new(flow)
		counts.unconfirmed[neighbour] = f
	}
	counts.mu.Unlock()
	f.add(units)
}
