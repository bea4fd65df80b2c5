package connector

// This file keeps a packet from going out twice while it is under way.

import (
	"bytes"
	"context"
	"sync"

	"github.com/paydoor/paydoor/ilpcore"
)

// underWay is the conditions of an account's packets that are not answered yet: at most as many as it may have in flight.
type underWay struct {
	mu         sync.Mutex
	conditions map[[32]byte]struct{}
}

func newUnderWay() *underWay { return &underWay{conditions: map[[32]byte]struct{}{}} }

func (u *underWay) enter(condition [32]byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.conditions[condition]; ok {
		return false
	}
	u.conditions[condition] = struct{}{}
	return true
}

func (u *underWay) leave(condition [32]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.conditions, condition)
}

// duplicates answers T03 to a packet whose condition is that of another one of the same account that is under way: a neighbour that sends a packet again
// before it has the answer would pay for both, since one fulfillment answers for each. Whoever sends it again later gets the answer of whoever
// has it: the receiver fulfils a repeated packet without a second credit.
//
// Conditions whose fulfillment everybody knows stand for nothing and may repeat: those of pings and of messages between neighbours.
type duplicates struct {
	under *underWay
	self  func() string
	next  ilpcore.Handler
}

func (d *duplicates) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if in.Condition == ilpcore.PingCondition || in.Condition == ilpcore.PeerCondition || bytes.HasPrefix(in.Destination, peerPrefix) {
		return d.next.HandlePrepare(ctx, in)
	}
	if !d.under.enter(in.Condition) {
		return ilpcore.Reject(ilpcore.T03, d.self(), "a packet with this condition is under way already; wait for its answer", nil)
	}
	defer d.under.leave(in.Condition)
	return d.next.HandlePrepare(ctx, in)
}

var _ ilpcore.Handler = (*duplicates)(nil)
