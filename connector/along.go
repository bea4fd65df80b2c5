package connector

// This file lets others keep a record of what packets move, in the same group of the store as the balances.

import (
	"context"

	"github.com/paydoor/paydoor/store"
)

// Along is told what a packet moves on the balance of one account, in base units; below zero, that it is moved back because it came too late.
// What it puts into g is durable together with the balance, or not at all. It is called under the locks of the books and of the store, so
// it must be quick, and call neither. Books without a store never call it.
type Along func(g *store.Group, units int64)

type alongKey struct{}

// WithAlong returns a context that tells f what packets take from the account they come from, if they are handed to a Node with it and fulfilled.
func WithAlong(ctx context.Context, f Along) context.Context {
	return context.WithValue(ctx, alongKey{}, f)
}

// takeAlong returns what WithAlong has put into ctx, and a context without it: it is for one balance, and not for those behind a link.
func takeAlong(ctx context.Context) (Along, context.Context) {
	f, _ := ctx.Value(alongKey{}).(Along)
	if f != nil {
		ctx = WithAlong(ctx, nil)
	}
	return f, ctx
}

// tell tells both sides of what the hold has moved, in a direction as of move.
func (h *hold) tell(g *store.Group, direction int64) {
	if h.sent != nil {
		h.sent(g, direction*(h.taken.Clearing+h.taken.Prepaid))
	}
	if h.received != nil {
		h.received(g, direction*h.out)
	}
}
