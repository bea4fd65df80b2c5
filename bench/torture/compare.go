//go:build linux

package main

// This file is the oracle: it compares the record of those outside with the books of the ledger.

import (
	"fmt"

	"github.com/paydoor/paydoor/balances"
)

// compare returns what the books say that cannot be:
//
//   - a fulfilled packet that is not credited, or not with its amount to its account
//   - a condition that is credited more than once, or was never sent, or was rejected
//   - charges that do not cover the paid answers, or exceed them by more than the requests without an answer
//   - a balance that was below zero at any time, or that is not what the history says
//   - after a crash, more credits and charges without an answer than were under way when it came
//
// It is called while nothing is under way.
func (r *record) compare(b *books, most flight) []violation {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := append([]violation{}, b.wrong...)
	blame := func(format string, a ...any) { found = append(found, violation(fmt.Sprintf(format, a...))) }
	var open flight
	for condition, p := range r.packets {
		n := b.credits[condition]
		switch {
		case len(n) == 0 && p.fate == fulfilled:
			blame("LOST: packet %x of %d for %x was fulfilled at %s and is not credited",
				condition[:6], p.amount, p.account[:6], p.fulfilledAt.Format("15:04:05.000000"))
		case len(n) > 1:
			blame("DOUBLE: packet %x is credited %d times", condition[:6], len(n))
		case len(n) == 1 && (n[0].account != p.account || n[0].amount != p.amount):
			blame("packet %x of %d for %x is credited with %d to %x", condition[:6], p.amount, p.account[:6], n[0].amount, n[0].account[:6])
		case len(n) == 1 && p.fate == rejected:
			blame("packet %x was rejected with %s and is credited", condition[:6], p.code)
		case len(n) == 1 && p.fate != fulfilled:
			open.packets++
		}
	}
	for condition := range b.credits {
		if r.packets[condition] == nil {
			blame("condition %x is credited and was never sent", condition[:6])
		}
	}
	for a := range r.accounts(b) {
		t, c := r.tallies[a], b.charges[a]
		most := t.paid.and(t.unknown)
		if c.count < t.paid.count || c.units < t.paid.units {
			blame("UNPAID: account %x got %d paid answers for %d, and %d charges make %d", a[:6], t.paid.count, t.paid.units, c.count, c.units)
		}
		if c.count > most.count || c.units > most.units {
			blame("OVERCHARGED: account %x got %d paid answers for %d and %d unknown ones for %d, and %d charges make %d",
				a[:6], t.paid.count, t.paid.units, t.unknown.count, t.unknown.units, c.count, c.units)
		}
		open.requests += int(c.count) - int(t.paid.count)
	}
	if most != anyFlight && (open.packets > most.packets || open.requests > most.requests) {
		blame("%d packets without a Fulfill are credited and %d requests without an answer are charged, and only %d and %d were under way",
			open.packets, open.requests, most.packets, most.requests)
	}
	return found
}

// flight is how much was under way at a time.
type flight struct{ packets, requests int }

var (
	fullFlight = flight{packets: overBTP + overHTTP, requests: requests} // of one load that was cut off
	anyFlight  = flight{packets: -1}                                     // of links that broke more than once
)

// accounts are those that either side knows.
func (r *record) accounts(b *books) map[balances.Account]bool {
	all := make(map[balances.Account]bool)
	for a := range r.tallies {
		all[a] = true
	}
	for a := range b.charges {
		all[a] = true
	}
	return all
}

// lost returns only the packets that were fulfilled and are not credited.
func (r *record) lost(b *books) (found []violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for condition, p := range r.packets {
		if p.fate == fulfilled && len(b.credits[condition]) == 0 {
			found = append(found, violation(fmt.Sprintf("LOST: packet %x was fulfilled and is not credited", condition[:6])))
		}
	}
	return found
}

// adopt makes what the books say of open outcomes part of the record: what is there now must be there the next time.
func (r *record) adopt(b *books) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a, t := range r.tallies {
		t.paid, t.unknown = b.charges[a], sum{}
		r.tallies[a] = t
	}
	for condition, p := range r.packets {
		switch credited := len(b.credits[condition]) > 0; {
		case p.fate == doubtful && credited:
			p.fate = underWay // a replay will be fulfilled
		case p.fate == doubtful:
			p.fate = rejected
		}
	}
}
