package connector

// This file sends a packet on to another account.

import (
	"context"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	messageWindow = time.Second      // what this node keeps of a packet's time, to bring the answer back
	maxHold       = 30 * time.Second // how long this node waits for the next one at most
)

// forward sends in, which came from the account from, over a's link. The packet goes out with min(expiry - 1 s, now + 30 s).
func (a *account) forward(ctx context.Context, node *Node, from *account, in ilpcore.Incoming) ilpcore.Reply {
	if a.Link == nil {
		return ilpcore.Reject(ilpcore.T01, node.self(), "this node has no link to send to that account", nil)
	}
	if why := a.down(); why != nil {
		return ilpcore.Reject(ilpcore.T01, node.self(), "the next account is down: "+why.Error(), nil)
	}
	if node.assetOf(a) != node.assetOf(from) {
		return ilpcore.Reject(ilpcore.T00, node.self(), "no exchange rate between the assets of the two accounts", nil)
	}
	now := node.now()
	expires := in.ExpiresAt.Add(-messageWindow)
	if latest := now.Add(maxHold); expires.After(latest) {
		expires = latest
	}
	if !expires.After(now) {
		return ilpcore.Reject(ilpcore.R02, node.self(), "too little time is left to send the packet on", nil)
	}
	in.ExpiresAt = expires.UTC().Truncate(time.Millisecond)
	return a.Link.HandlePrepare(ctx, in)
}
