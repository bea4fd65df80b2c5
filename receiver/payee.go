package receiver

// This file says who is paid, and what the receiver needs of the ledger to pay them.

import (
	"context"
	"errors"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// Payee is what a quote's money is credited to: the balance of a token, or of an account of the node.
type Payee struct {
	Account bool     // an account of the node, not a token
	ID      [32]byte // the hash that the ledger keeps the balance under
}

// TokenPayee is the payee of the token whose ledger key is id.
func TokenPayee(id [32]byte) Payee { return Payee{ID: id} }

// Credit is a payment that passed every check of the receiver.
type Credit struct {
	Payee     Payee
	Amount    amount.Amount
	Condition [32]byte
	Digest    [32]byte          // over destination, amount and data; the expiry may differ in a retry
	From      ilpcore.AccountID // the account of the link it came in on
	Deadline  time.Time         // durable later than this is too late: the credit is taken back
	Quote     [8]byte           // of a quote with QuoteRequest.Capped, its random id; else zero
	Due       amount.Amount     // what the quote asked for; other quotes take any amount
}

// Crediter is what the receiver needs of the ledger.
type Crediter interface {
	// Credit returns when the credit is durable and spendable. repeated says that the identical credit was made before, so
	// that nothing was added. Its errors are the sentinels of this package; any other is an unavailable ledger.
	Credit(ctx context.Context, c Credit) (repeated bool, err error)
	// Lookup says whether the condition was credited within the duplicate window, and with which digest.
	Lookup(ctx context.Context, condition [32]byte) (digest [32]byte, found bool, err error)
}

// What a Crediter answers, and the reject that the sender gets for it.
var (
	ErrTooLate     = errors.New("durable after the deadline")             // R00
	ErrMismatch    = errors.New("condition known with other content")     // F00
	ErrBusy        = errors.New("too much work for now")                  // T03
	ErrMaxBalance  = errors.New("the balance would exceed its maximum")   // F99, with the protocol's own way to stop
	ErrUnavailable = errors.New("the ledger cannot take credits for now") // T00
)
