package connector

// This file bounds how many packets an account may send per minute.

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/paydoor/paydoor/ilpcore"
)

// rateLimit answers T05 when the account's bucket is empty: it holds a minute's worth and refills evenly.
type rateLimit struct {
	bucket *rate.Limiter
	now    func() time.Time
	self   func() string
	next   ilpcore.Handler
}

func newRateLimit(perMinute int, now func() time.Time, self func() string, next ilpcore.Handler) *rateLimit {
	bucket := rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)
	return &rateLimit{bucket: bucket, now: now, self: self, next: next}
}

func (l *rateLimit) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if !l.bucket.AllowN(l.now(), 1) {
		return ilpcore.Reject(ilpcore.T05, l.self(), "too many packets per minute; slow down", nil)
	}
	return l.next.HandlePrepare(ctx, in)
}

var _ ilpcore.Handler = (*rateLimit)(nil)
