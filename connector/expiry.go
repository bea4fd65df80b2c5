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

func (e *expiry) enter(_ amount.Amount, expires, now time.Time) *ilpcore.Reply {
	if !expires.After(now) {
		reply := ilpcore.Reject(ilpcore.R02, e.self(), "the packet had expired when it arrived", nil)
		return &reply
	}
	return nil
}

func (*expiry) leave(amount.Amount, bool) {}

var _ step = (*expiry)(nil)
