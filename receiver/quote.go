package receiver

// This file mints quotes: the address and the shared secret that a payer needs.

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// cappedLifetime is how long the quote of a 402 is honoured.
const cappedLifetime = 24 * time.Hour

// ErrNoAddress says that the node does not know its Interledger address yet, so that nobody could pay it.
var ErrNoAddress = errors.New("the node has no Interledger address yet")

// QuoteRequest says what a quote is for.
type QuoteRequest struct {
	Payee Payee
	Token []byte        // the token, 16 to 64 bytes, to recognise it in a PSK2 memo; nil: any memo passes
	Due   amount.Amount // the price, or with Capped the shortfall
	// Capped makes a quote of its own, which takes no more than Due by STREAM: for senders that pay all that they may and
	// forget the token. Without it, the quote takes any amount, and the same request gets the same quote each time.
	Capped bool
}

// Quote is what a payer needs to pay.
type Quote struct {
	Address      string   // the node's address and one segment
	SharedSecret [32]byte // known to payer and receiver only
}

// Quote mints the quote for q. It stores nothing. The error is ErrNoAddress, or one of the source of randomness.
func (r *Receiver) Quote(q QuoteRequest) (Quote, error) {
	own, _, ok := r.addresses.Address()
	if !ok {
		return Quote{}, ErrNoAddress
	}
	t := terms{payee: q.Payee, due: q.Due, memo: newMemo(q.Token)}
	if q.Capped {
		t.capped = true
		t.expiry = r.now().Add(cappedLifetime)
		if _, err := io.ReadFull(r.random, t.id[:]); err != nil {
			return Quote{}, fmt.Errorf("making a quote id: %w", err)
		}
	}
	keys := r.secrets[0]
	room := quoteRoom.Get().(*[]byte)
	defer quoteRoom.Put(room)
	sealed := keys.encode((*room)[:0], t)
	address := sealed[len(sealed):]
	address = append(address, own...)
	address = append(address, '.')
	address = canonical.AppendEncode(address, sealed)
	quote := Quote{Address: string(address), SharedSecret: keys.secret(sealed)}
	*room = sealed[:0]
	return quote, nil
}

// quoteRoom holds buffers for quotes in the making.
var quoteRoom = sync.Pool{New: func() any {
	b := make([]byte, 0, 4*sealedLength)
	return &b
}}
