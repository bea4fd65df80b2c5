package connector

// This file refuses packets that come too late.

import (
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// expiry answers R02 to a Prepare whose time is over: its sender has to leave more of it. R00 is for a packet whose time ends while it is
// under way.
type expiry struct{ self func() string }

func (e *expiry) enter(in ilpcore.Incoming, now time.Time) (reply ilpcore.Reply, ok bool) {
	if !in.ExpiresAt.After(now) {
		return ilpcore.Reject(ilpcore.R02, e.self(), "the packet had expired when it arrived", nil), false
	}
	return reply, true
}

func (*expiry) leave(amount.Amount, bool) {}

var _ step = (*expiry)(nil)
