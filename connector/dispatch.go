package connector

// This file decides who answers an acceptable packet: a service of this node, the receiver, or another account.

import (
	"bytes"
	"context"
	"errors"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
)

const noAddress = "this node has not learned its address yet; try again in a moment"

var peerPrefix = []byte("peer.")

// dispatch is one packet whose money is held.
type dispatch struct {
	node    *Node
	account *account // where it came from
	to      *account // that it goes to; nil while that is none
	held    hold     // a value, so that a packet needs no memory of its own
}

func (d *dispatch) answer(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if bytes.HasPrefix(in.Destination, peerPrefix) {
		return d.peerService(ctx, in)
	}
	to, local := d.node.resolve(in.Destination)
	switch {
	case local:
		if rest, ok := d.node.Suffix(in.Destination); ok && len(rest) == 0 {
			return d.toTheNode(ctx, in)
		}
		return d.deliver(ctx, in)
	case to == nil:
		return d.unreachable()
	case to.ID == d.account.ID:
		return ilpcore.Reject(ilpcore.F02, d.node.self(), "the route leads back to the account the packet came from", nil)
	}
	d.to = to
	if reply, ok := d.receive(ctx, to, in); ok {
		return reply
	}
	return d.forward(ctx, to, in)
}

// peerService answers what is meant for this node alone: addresses below peer. are never forwarded (RFC 15).
func (d *dispatch) peerService(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	switch string(in.Destination) {
	case ilpcore.PeerConfig:
		return d.node.configure(d.account, in)
	case ccp.ControlDestination:
		return d.node.routing.control(d.account, in)
	case ccp.UpdateDestination:
		return d.node.routing.update(d.account, in)
	case PeerSettle:
		return d.settlementMessage(ctx, in)
	}
	return ilpcore.Reject(ilpcore.F02, d.node.self(), "this node has no such peer service", nil)
}

// toTheNode answers what is sent to the node's own address, without anything behind it: pings and echo requests.
func (d *dispatch) toTheNode(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if in.Condition == ilpcore.PingCondition {
		return ilpcore.Fulfill(ilpcore.PingFulfillment, bytes.Clone(in.Data))
	}
	if ilpcore.IsEcho(in.Data) && d.node.echo > 0 {
		return d.echo(ctx, in)
	}
	return ilpcore.Reject(ilpcore.F00, d.node.self(), "this is the node's own address, and the condition is not that of a ping", nil)
}

// deliver hands the packet to the receiver, in the node's asset.
func (d *dispatch) deliver(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if d.node.receiver == nil {
		return ilpcore.Reject(ilpcore.F02, d.node.self(), "nothing receives payments at this node", nil)
	}
	out, err := d.exchange(in.Amount, d.node.assetOf(d.account), d.node.asset())
	if errors.Is(err, ErrNoRate) {
		return ilpcore.Reject(ilpcore.T01, d.node.self(), "this account's asset is not the node's and there is no rate between them", nil)
	}
	if err != nil {
		return d.refuse(in.Amount, err)
	}
	in.Amount = out
	return d.credit(ctx, in)
}

// unreachable tells a node without an address, where a retry helps, from one that knows the destination is not its own.
func (d *dispatch) unreachable() ilpcore.Reply {
	if _, _, ok := d.node.Address(); !ok {
		return ilpcore.Reject(ilpcore.T01, d.node.self(), noAddress, nil)
	}
	return ilpcore.Reject(ilpcore.F02, d.node.self(), "no route to the destination", nil)
}
