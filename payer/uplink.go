package payer

// This file asks the other end of a link which address and asset the sender has there (ILDCP, RFC 31).

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// ErrUplink says that the other end of a link did not tell an address and an asset.
var ErrUplink = errors.New("the connector does not tell our address and asset")

// Uplink asks the node at the other end of link for the address and the asset that the sender has there. The asset is what Sent, MaxSend
// and the like count. The error wraps ErrUplink, and a *RejectError if the node refused.
func Uplink(ctx context.Context, link ilpcore.Handler, now func() time.Time) (ilpcore.ILDCP, error) {
	ctx, cancel := context.WithTimeout(ctx, packetLifetime)
	defer cancel()
	request := ilpcore.ILDCPRequest(now().Add(2 * packetLifetime).UTC().Truncate(time.Millisecond))
	reply := link.HandlePrepare(ctx, ilpcore.Incoming{Prepare: request})
	if !reply.Fulfilled {
		return ilpcore.ILDCP{}, fmt.Errorf("%w: %w", ErrUplink, rejection(reply))
	}
	if reply.Fulfillment != ilpcore.PeerFulfillment {
		return ilpcore.ILDCP{}, fmt.Errorf("%w: %w", ErrUplink, ErrUnverified)
	}
	c, err := ilpcore.DecodeILDCP(reply.Data)
	if err != nil {
		return ilpcore.ILDCP{}, fmt.Errorf("%w: %w", ErrUplink, err)
	}
	return c, nil
}
