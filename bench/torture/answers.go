//go:build linux

package main

// This file judges each answer to a packet as it arrives.

import (
	"fmt"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// plausible are the codes that a packet without a mistake may be rejected with while the gateway has trouble.
var plausible = map[ilpcore.Code]bool{
	ilpcore.R00: true, ilpcore.R02: true, ilpcore.T00: true, ilpcore.T01: true, ilpcore.T03: true,
}

// answer notes the answer to a packet. A second one for the same condition comes of a replay.
func (r *record) answer(p *packet, reply ilpcore.Reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if !reply.Fulfilled {
		r.reject(p, reply)
		return
	}
	if reply.Fulfillment != p.fulfillment {
		r.blameLocked("packet %x was answered with a wrong fulfillment", p.condition[:6])
		return
	}
	if late := now.Sub(p.expires); late > 0 && r.lateness {
		r.late++
	} else if late > 0 {
		r.blameLocked("packet %x was fulfilled %v after it had expired", p.condition[:6], late.Round(time.Millisecond))
	}
	p.fate, p.fulfilledAt = fulfilled, now
}

func (r *record) reject(p *packet, reply ilpcore.Reply) {
	p.code = reply.Code.String()
	if !plausible[reply.Code] {
		r.blameLocked("packet %x was rejected with %s %q, and nothing is wrong with it", p.condition[:6], reply.Code, reply.Message)
	}
	switch {
	case p.fate == fulfilled: // a replay may come at a bad time; the money counts
	case r.uncertain && reply.Code == ilpcore.T00:
		p.fate = doubtful
	default:
		p.fate = rejected
	}
}

func (r *record) blameLocked(format string, a ...any) {
	if len(r.broken) < 20 {
		r.broken = append(r.broken, violation(fmt.Sprintf(format, a...)))
	}
}
