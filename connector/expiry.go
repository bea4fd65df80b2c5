package connector

// This file refuses packets that come too late.

import (
	"context"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// expiry answers R02 to a Prepare whose time is over: its sender has to leave more of it. R00 is for a packet whose time ends while it is
// under way.
type expiry struct {
	now  func() time.Time
	self func() string
	next ilpcore.Handler
}

func (e *expiry) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if !in.ExpiresAt.After(e.now()) {
		return ilpcore.Reject(ilpcore.R02, e.self(), "the packet had expired when it arrived", nil)
	}
	return e.next.HandlePrepare(ctx, in)
}

var _ ilpcore.Handler = (*expiry)(nil)
