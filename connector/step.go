package connector

// This file is what the steps of an account's chain have in common.

import (
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// step is a check that every packet of an account passes. It does not wait for anything.
type step interface {
	// enter lets a packet in that has come now, with nil, or answers it. It gets what any step looks at: whole packets would be copied at each.
	enter(units amount.Amount, expires, now time.Time) *ilpcore.Reply
	// leave is told of the answer to a packet that enter has let in.
	leave(units amount.Amount, fulfilled bool)
}
