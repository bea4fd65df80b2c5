package connector

// This file bounds how many packets of an account may be unanswered at once.

import (
	"context"
	"sync/atomic"

	"github.com/paydoor/paydoor/ilpcore"
)

// inFlight answers T03 when the account already has max packets under way.
type inFlight struct {
	current *atomic.Int64 // outlives a change of the account's settings
	max     int64
	self    func() string
	next    ilpcore.Handler
}

func (l *inFlight) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	defer l.current.Add(-1)
	if l.current.Add(1) > l.max {
		return ilpcore.Reject(ilpcore.T03, l.self(), "too many packets in flight; wait for answers", nil)
	}
	return l.next.HandlePrepare(ctx, in)
}

var _ ilpcore.Handler = (*inFlight)(nil)
