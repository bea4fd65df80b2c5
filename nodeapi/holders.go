package nodeapi

// This file is between the node and the receiver: it has packets for the holders of accounts received, and tells who listens.

import (
	"context"
	"errors"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
)

// Payment is what an account has received with one packet, or that the sender has closed the connection.
type Payment struct {
	To          ilpcore.AccountID
	From        ilpcore.AccountID // of this node, that the packet came from; not the sender
	Destination ilpcore.Address
	Amount      amount.Amount // in the receiving account's asset; 0 when the connection was closed
	Sequence    uint64        // of the STREAM packet; 0 with PSK2
	Closed      bool          // the sender has closed the connection
	At          time.Time
}

// Holders is the node's connector.AccountReceiver. Its fields are set before the first packet.
type Holders struct {
	Receiver *receiver.Receiver
	History  Historian     // nil: nothing is kept
	Notify   func(Payment) // does not block; nil: nobody is told
	Now      func() time.Time
}

// Historian keeps the history of what accounts receive, as *API does. Neither method blocks.
type Historian interface {
	// Arriving returns what is to be told of the money of a packet, together with the balance; nil: nothing is.
	Arriving(a *connector.Arrival, at time.Time) connector.Along
	// Closed is told that the sender of a packet has closed the connection.
	Closed(a *connector.Arrival)
}

// Recognises says whether rest was minted for the account with that UUID.
func (h *Holders) Recognises(uuid string, rest []byte) bool {
	return h.Receiver.Recognises(uuid, rest)
}

// Receive answers a packet for the holder of an account.
func (h *Holders) Receive(ctx context.Context, a *connector.Arrival) ilpcore.Reply {
	account := receiver.Account{UUID: a.UUID, Asset: a.Asset, Crediter: arrival{a}}
	if h.History != nil {
		a.Along = h.History.Arriving(a, h.Now().UTC())
	}
	if h.Notify != nil || h.History != nil {
		account.Received = func(r receiver.Received) {
			if r.Closed && h.History != nil {
				h.History.Closed(a)
			}
			if h.Notify == nil {
				return
			}
			h.Notify(Payment{
				To: a.To, From: a.From, Destination: ilpcore.Address(a.Destination), Amount: r.Amount, Sequence: r.Sequence, Closed: r.Closed, At: h.Now(),
			})
		}
	}
	return h.Receiver.ReceiveFor(ctx, a.Incoming, a.Rest, &account)
}

// arrival is the receiver's Crediter for one packet.
type arrival struct{ *connector.Arrival }

func (a arrival) Credit(_ context.Context, c receiver.Credit) (repeated bool, err error) {
	repeated, err = a.Take(c.Digest, c.Deadline)
	for _, pair := range []struct{ ours, theirs error }{
		{connector.ErrTooLate, receiver.ErrTooLate}, {connector.ErrMismatch, receiver.ErrMismatch}, {connector.ErrBusy, receiver.ErrBusy},
	} {
		if errors.Is(err, pair.ours) {
			return repeated, pair.theirs
		}
	}
	return repeated, err
}

func (a arrival) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	digest, found = a.Known()
	return digest, found, nil
}

var (
	_ connector.AccountReceiver = (*Holders)(nil)
	_ receiver.Crediter         = arrival{}
)
