package paywall

// This file is what a request's context carries: the charge that belongs to it, so that nobody charges it again.

import (
	"context"
	"net/http"
)

type chargeKey struct{}

// decided says whether a paywall has already decided about the request, be it that it is free.
func decided(ctx context.Context) bool { return ctx.Value(chargeKey{}) != nil }

func withoutCharge(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), chargeKey{}, (*charge)(nil)))
}

// Undelivered says that the backend gave no response, and that the answer which follows is the proxy's own. It is for
// proxies that write their own 502 instead of returning an error, such as httputil.ReverseProxy in its ErrorHandler; ctx is
// their request's. Without a charge in ctx, or after its outcome, it does nothing.
func Undelivered(ctx context.Context, err error) {
	if c, _ := ctx.Value(chargeKey{}).(*charge); c != nil && err != nil {
		c.undelivered.Store(&err)
	}
}
