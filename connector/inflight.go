package connector

// This file bounds how many packets of an account may be unanswered at once.

import (
	"sync/atomic"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// inFlight answers T03 when the account already has max packets under way.
type inFlight struct {
	current *atomic.Int64 // outlives a change of the account's settings
	max     int64
	self    func() string
}

func (l *inFlight) enter(amount.Amount, time.Time, time.Time) *ilpcore.Reply {
	if l.current.Add(1) > l.max {
		l.current.Add(-1)
		reply := ilpcore.Reject(ilpcore.T03, l.self(), "too many packets in flight; wait for answers", nil)
		return &reply
	}
	return nil
}

func (l *inFlight) leave(amount.Amount, bool) { l.current.Add(-1) }

var _ step = (*inFlight)(nil)
