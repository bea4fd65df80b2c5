package connector

// This file decides who answers an acceptable packet: a service of this node, the receiver, or another account.

import (
	"bytes"
	"context"

	"github.com/paydoor/paydoor/ilpcore"
)

const noAddress = "this node has not learned its address yet; try again in a moment"

var peerPrefix = []byte("peer.")

// dispatch is the last Handler of an account's incoming chain.
type dispatch struct {
	node    *Node
	account *account
}

func (d *dispatch) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if why := d.account.down(); why != nil {
		return ilpcore.Reject(ilpcore.T01, d.node.self(), "this account is down: "+why.Error(), nil)
	}
	if bytes.HasPrefix(in.Destination, peerPrefix) {
		return d.peerService(ctx, in)
	}
	to, local := d.node.resolve(in.Destination)
	switch {
	case local:
		return d.deliver(ctx, in)
	case to == nil:
		return d.unreachable()
	case to == d.account:
		return ilpcore.Reject(ilpcore.F02, d.node.self(), "the route leads back to the account the packet came from", nil)
	default:
		return to.forward(ctx, d.node, d.account, in)
	}
}

// peerService answers what is meant for this node alone: addresses below peer. are never forwarded (RFC 15).
func (d *dispatch) peerService(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if string(in.Destination) == ilpcore.PeerConfig {
		return ildcpService{node: d.node, account: d.account}.HandlePrepare(ctx, in)
	}
	return ilpcore.Reject(ilpcore.F02, d.node.self(), "this node has no such peer service", nil)
}

// deliver hands the packet to the receiver. Amounts are never reinterpreted: an account in another asset cannot pay here (D7).
func (d *dispatch) deliver(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if d.node.receiver == nil {
		return ilpcore.Reject(ilpcore.F02, d.node.self(), "nothing receives payments at this node", nil)
	}
	if d.node.assetOf(d.account) != d.node.asset() {
		return ilpcore.Reject(ilpcore.T01, d.node.self(), "this account's asset is not the node's and there is no rate between them", nil)
	}
	return d.node.receiver.HandlePrepare(ctx, in)
}

// unreachable tells a node without an address, where a retry helps, from one that knows the destination is not its own.
func (d *dispatch) unreachable() ilpcore.Reply {
	if _, _, ok := d.node.Address(); !ok {
		return ilpcore.Reject(ilpcore.T01, d.node.self(), noAddress, nil)
	}
	return ilpcore.Reject(ilpcore.F02, d.node.self(), "no route to the destination", nil)
}

var _ ilpcore.Handler = (*dispatch)(nil)
