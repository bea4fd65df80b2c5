package ilpcore

// This file is the one seam through which every packet goes (D1): links call it, services and outgoing links implement it.

import "context"

// AccountID names an account of this node: 1 to 64 characters. It comes only from an authenticated link, never from a packet.
type AccountID string

// Incoming is a Prepare together with the account whose authenticated link it came in on.
type Incoming struct {
	From AccountID
	Prepare
}

// Handler answers Prepares. It is what a link calls and what every local service and every outgoing link implements.
//
// The Prepare's Destination and Data alias the link's buffer and are valid only until HandlePrepare returns; a Handler that
// keeps them copies them. The Reply's Data belongs to the caller afterwards. A Handler returns by the Prepare's ExpiresAt
// or soon after, also when ctx has no deadline, and it may be called from many goroutines at once.
type Handler interface {
	HandlePrepare(ctx context.Context, in Incoming) Reply
}

// HandlerFunc lets an ordinary function be a Handler.
type HandlerFunc func(ctx context.Context, in Incoming) Reply

// HandlePrepare calls f.
func (f HandlerFunc) HandlePrepare(ctx context.Context, in Incoming) Reply { return f(ctx, in) }

// Starter is a Handler whose answer need not be waited for, so that a packet on its way costs no goroutine.
type Starter interface {
	Handler
	// StartPrepare begins what HandlePrepare does, and gives the answer to asker: once, before it returns or later, from any goroutine. Destination
	// and Data have to stay valid until then. It does not wait for anything. If it cannot do without, it has done nothing and returns
	// false, and HandlePrepare is to be called. What is to be done once for all packets that come together, it may leave to the end of the
	// burst, which may be nil.
	StartPrepare(ctx context.Context, in Incoming, asker Asker, burst *Burst) (begun bool)
}

// Asker gets the answer to a packet that a Starter has begun. Answered does not wait for anything either. The Reply's Data is the asker's; the burst
// is that of the answers that come together, and may be nil.
type Asker interface {
	Answered(reply Reply, burst *Burst)
}
