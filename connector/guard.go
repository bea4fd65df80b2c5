package connector

// This file keeps a panic in any Handler from taking the process, and every other account's packets, with it.

import (
	"context"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
)

// guard answers T00 when a later Handler panics. Whether money moved is then unknown; the ledger's own records say.
type guard struct {
	self   func() string
	logger *zap.Logger
	next   ilpcore.Handler
}

func (g *guard) HandlePrepare(ctx context.Context, in ilpcore.Incoming) (reply ilpcore.Reply) {
	defer func() {
		if p := recover(); p != nil {
			g.logger.Error("a packet handler panicked; the packet was rejected",
				zap.String("account", string(in.From)), zap.Any("panic", p), zap.Stack("stack"))
			reply = ilpcore.Reject(ilpcore.T00, g.self(), "internal error", nil)
		}
	}()
	return g.next.HandlePrepare(ctx, in)
}

var _ ilpcore.Handler = (*guard)(nil)
