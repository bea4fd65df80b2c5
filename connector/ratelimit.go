package connector

// This file bounds how many packets an account may send per minute.

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/paydoor/paydoor/ilpcore"
)

// rateLimit is a bucket that holds a minute's worth and refills evenly.
type rateLimit struct {
	bucket *rate.Limiter
	now    func() time.Time
}

func newRateLimit(perMinute int, now func() time.Time) *rateLimit {
	return &rateLimit{bucket: rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute), now: now}
}

func (l *rateLimit) allow() bool { return l.bucket.AllowN(l.now(), 1) }

// packetLimit answers T05 when the account's bucket is empty.
type packetLimit struct {
	limit *rateLimit
	self  func() string
	next  ilpcore.Handler
}

func (l *packetLimit) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if !l.limit.allow() {
		return ilpcore.Reject(ilpcore.T05, l.self(), "too many packets per minute; slow down", nil)
	}
	return l.next.HandlePrepare(ctx, in)
}

var _ ilpcore.Handler = (*packetLimit)(nil)
