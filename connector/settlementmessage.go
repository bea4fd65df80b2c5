package connector

// This file carries the messages of settlement engines between two neighbours, in packets without money to peer.settle (RFC 38).

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// PeerSettle is the destination of packets with messages of settlement engines.
const PeerSettle = "peer.settle"

const (
	settleMessageTimeout = 30 * time.Second
	// MaxSettleMessage is how long a message of a settlement engine may be, in bytes: what a packet holds.
	MaxSettleMessage = ilpcore.MaxData
)

// emptyCondition is what RFC 38 prints as the condition of peer.settle: the SHA-256 of nothing. Nodes use ilpcore.PeerCondition.
var emptyCondition = sha256.Sum256(nil)

var (
	// ErrMessage says that a message could not be brought to the neighbour's settlement engine.
	ErrMessage = errors.New("the message did not reach the neighbour's settlement engine")
	// ErrNoEngine says that an account has no settlement engine.
	ErrNoEngine = errors.New("the account has no settlement engine")
)

// Messenger brings a message from an account's neighbour to the account's settlement engine, and its answer back. The error is ErrNoEngine, or
// whatever else kept the engine from answering.
type Messenger interface {
	Message(ctx context.Context, from ilpcore.AccountID, data []byte) ([]byte, error)
}

// SendMessage brings a message of an account's settlement engine to the neighbour's, over the account's link, and returns its answer. Errors:
// ErrAccount, ErrMessage.
func (n *Node) SendMessage(ctx context.Context, id ilpcore.AccountID, data []byte) ([]byte, error) {
	a, ok := n.table.Load().accounts[id]
	if !ok {
		return nil, errNoAccount(id)
	}
	switch {
	case len(data) > MaxSettleMessage:
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrMessage, MaxSettleMessage)
	case a.Link == nil:
		return nil, fmt.Errorf("%w: the account has no link", ErrMessage)
	}
	if why := a.down(); why != nil {
		return nil, fmt.Errorf("%w: the account is down: %w", ErrMessage, why)
	}
	ctx, cancel := context.WithTimeout(ctx, settleMessageTimeout)
	defer cancel()
	reply := a.Link.HandlePrepare(ctx, ilpcore.Incoming{From: id, Prepare: ilpcore.Prepare{
		ExpiresAt: n.now().Add(settleMessageTimeout).UTC().Truncate(time.Millisecond), Condition: ilpcore.PeerCondition,
		Destination: []byte(PeerSettle), Data: data,
	}})
	if !reply.Fulfilled {
		return nil, fmt.Errorf("%w: %s %s", ErrMessage, reply.Code, reply.Message)
	}
	return reply.Data, nil
}

// settlementMessage answers a packet to peer.settle with what the account's engine says.
func (d *dispatch) settlementMessage(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	n := d.node
	switch {
	case n.messages == nil:
		return ilpcore.Reject(ilpcore.F02, n.self(), "this node has no settlement engine for the account", nil)
	case in.Condition != ilpcore.PeerCondition && in.Condition != emptyCondition:
		return ilpcore.Reject(ilpcore.F00, PeerSettle, "a settlement message has the condition of the all-zero fulfillment", nil)
	case in.Amount != 0:
		return ilpcore.Reject(ilpcore.F00, PeerSettle, "a settlement message carries no money", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, min(in.ExpiresAt.Sub(n.now()), settleMessageTimeout))
	defer cancel()
	answer, err := n.messages.Message(ctx, d.account.ID, bytes.Clone(in.Data))
	switch {
	case errors.Is(err, ErrNoEngine):
		return ilpcore.Reject(ilpcore.F02, n.self(), "this node has no settlement engine for the account", nil)
	case err != nil:
		return ilpcore.Reject(ilpcore.T00, PeerSettle, "the settlement engine did not answer", nil)
	case len(answer) > MaxSettleMessage:
		return ilpcore.Reject(ilpcore.T00, PeerSettle, "the settlement engine's answer is too long for a packet", nil)
	}
	return ilpcore.Fulfill(ilpcore.PeerFulfillment, answer)
}
