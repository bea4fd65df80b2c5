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
