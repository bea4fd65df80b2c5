package caddymodule

// This file gives the packets of links to the node, with the books kept open: the amount of a packet is booked when the answer is there.

import (
	"context"

	"github.com/paydoor/paydoor/ilpcore"
)

// leasing is the node as links see it.
type leasing struct{ *running }

func (l leasing) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	_, held, err := l.lease()
	if err != nil {
		return ilpcore.Reject(ilpcore.T01, "", "the node is stopping: try again in a moment", nil)
	}
	defer held.end()
	return l.node.HandlePrepare(ctx, in)
}

func (l leasing) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) (begun bool) {
	_, held, err := l.lease()
	if err != nil {
		return false
	}
	begun = l.node.StartPrepare(ctx, in, &leased{asker, held}, burst)
	if !begun {
		held.end()
	}
	return begun
}

// leased is who asked for an answer, and the lease until it comes.
type leased struct {
	asker ilpcore.Asker
	held  lease
}

// Answered implements ilpcore.Asker.
func (l *leased) Answered(reply ilpcore.Reply, burst *ilpcore.Burst) {
	l.held.end()
	l.asker.Answered(reply, burst)
}

var _ ilpcore.Starter = leasing{}
