package connector

// This file is what the steps of an account's chain have in common.

import (
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// step is a check that every packet of an account passes. It does not wait for anything.
type step interface {
	// enter lets the packet in, which has come at that time, or answers it.
	enter(in ilpcore.Incoming, now time.Time) (reply ilpcore.Reply, ok bool)
	// leave is told of the answer to a packet that enter has let in.
	leave(units amount.Amount, fulfilled bool)
}
