package connector

// This file sends a packet on to another account.

import (
	"context"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// maxHold is how long this node waits for the next one at most.
const maxHold = 30 * time.Second

// forward sends in over to's link, and waits for the answer.
func (d *dispatch) forward(ctx context.Context, to *account, in ilpcore.Incoming) ilpcore.Reply {
	reply, ok := d.readdress(to, &in, d.node.now())
	if !ok {
		return reply
	}
	return d.pass(ctx, to, in)
}

// readdress makes in the packet that goes out over to's link, with its amount in to's asset and min(expiry − round trips of both accounts,
// now + 30 s), and holds what it will bring; or it rejects it.
func (d *dispatch) readdress(to *account, in *ilpcore.Incoming, now time.Time) (reply ilpcore.Reply, ok bool) {
	self := d.node.self()
	if to.Link == nil {
		return ilpcore.Reject(ilpcore.F02, self, "this node has no link to send to that account", nil), false
	}
	if why := to.down(); why != nil {
		return ilpcore.Reject(ilpcore.T01, self, "the next account is down: "+why.Error(), nil), false
	}
	if !mayForward(ilpcore.Address(self).Scheme(), in.Destination) {
		return ilpcore.Reject(ilpcore.F02, self, "this node does not forward to addresses of that scheme", nil), false
	}
	out, err := d.exchange(in.Amount, d.node.assetOf(d.account), d.node.assetOf(to))
	if err != nil {
		return d.refuse(in.Amount, err), false
	}
	expires := in.ExpiresAt.Add(-d.account.RoundTrip - to.RoundTrip)
	if latest := now.Add(maxHold); expires.After(latest) {
		expires = latest
	}
	if !expires.After(now) {
		return ilpcore.Reject(ilpcore.R02, self, "too little time is left to send the packet on", nil), false
	}
	if err := d.expect(to, out); err != nil {
		return d.node.refuse(err), false
	}
	in.Amount, in.ExpiresAt = out, expires.UTC().Truncate(time.Millisecond)
	return reply, true
}

// check lets no Fulfill through that is wrong or late: the account that sent it gets nothing for it then. A Reject says who made it.
func (d *dispatch) check(reply ilpcore.Reply, condition *[32]byte, expires, now time.Time) ilpcore.Reply {
	switch {
	case !reply.Fulfilled:
		if reply.TriggeredBy == "" {
			reply.TriggeredBy = d.node.self()
		}
		return reply
	case ilpcore.ConditionOf(reply.Fulfillment) != *condition:
		return ilpcore.Reject(ilpcore.F05, d.node.self(), "the next node's fulfillment does not match the condition", nil)
	case now.After(expires):
		return ilpcore.Reject(ilpcore.R00, d.node.self(), "the next node did not answer in time", nil)
	}
	return reply
}

// mayForward keeps play money and real money apart: a node of the live network (g.) does not forward to a test network, and the other way
// round; and self. is never anybody else's.
func mayForward(own string, destination []byte) bool {
	switch ilpcore.Address(destination).Scheme() {
	case "self", "peer":
		return false
	case "g":
		return !trial(own)
	case "test", "test1", "test2", "test3":
		return own != "g"
	}
	return true
}

func trial(scheme string) bool {
	return scheme == "test" || scheme == "test1" || scheme == "test2" || scheme == "test3"
}
