package connector

// This file refuses packets that come too late.

import (
	"context"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// expiry answers R00 to a Prepare whose time is over.
type expiry struct {
	now  func() time.Time
	self func() string
	next ilpcore.Handler
}

func (e *expiry) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if !in.ExpiresAt.After(e.now()) {
		return ilpcore.Reject(ilpcore.R00, e.self(), "the packet had expired when it arrived", nil)
	}
	return e.next.HandlePrepare(ctx, in)
}

var _ ilpcore.Handler = (*expiry)(nil)
