package connector

// This file bounds how many packets an account may send per minute.

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/paydoor/paydoor/amount"
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

func (l *rateLimit) allow() bool { return l.allowAt(l.now()) }

func (l *rateLimit) allowAt(now time.Time) bool { return l.bucket.AllowN(now, 1) }

// packetLimit answers T05 when the account's bucket is empty.
type packetLimit struct {
	limit *rateLimit
	self  func() string
}

func (l *packetLimit) enter(_ amount.Amount, _, now time.Time) *ilpcore.Reply {
	if !l.limit.allowAt(now) {
		reply := ilpcore.Reject(ilpcore.T05, l.self(), "too many packets per minute; slow down", nil)
		return &reply
	}
	return nil
}

func (*packetLimit) leave(amount.Amount, bool) {}

var _ step = (*packetLimit)(nil)
