package paywall

// This file names what a paywall needs from others: a ledger that holds balances, and someone who says where to pay.

import (
	"context"
	"errors"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

// Ledger holds the balances. Its methods are called from many goroutines at once.
type Ledger interface {
	// Balance returns what a Reserve could take now. An account that was never credited has 0.
	Balance(ctx context.Context, account balances.Account) (amount.Amount, error)
	// Reserve sets price aside. An error that is balances.ErrInsufficient means that the balance is too small; any other that
	// the ledger cannot tell or cannot take more work.
	Reserve(ctx context.Context, account balances.Account, price amount.Amount) (Reservation, error)
}

// Reservation is a price set aside for one request. Exactly one of its methods takes effect.
type Reservation interface {
	// Settle takes charge, at most the price, and gives the rest back. The charge is durable when it returns nil.
	Settle(ctx context.Context, charge amount.Amount) (balance amount.Amount, err error)
	// Release gives the whole price back; after a Settle or a Release it changes nothing.
	Release() (balance amount.Amount)
	// Left is what could be reserved beside it when it was made.
	Left() amount.Amount
}

// ErrNoAddress says that the node has no Interledger address yet, so that nobody could pay it.
var ErrNoAddress = errors.New("the node has no Interledger address yet")

// Quoter says where to pay for a token.
type Quoter interface {
	Quote(req QuoteRequest) (Quote, error)
}

// QuoteRequest is what a quote is for.
type QuoteRequest struct {
	Token     []byte           // the token's 16 to 64 bytes; valid only during the call
	Account   balances.Account // the account that payments credit
	Price     amount.Amount    // what the request costs
	Shortfall amount.Amount    // with OneTime: what is missing to Price; else 0
	OneTime   bool             // the quote of a 402, with an id of its own; else the same request gives the same quote
	Paid      bool             // the quote goes with a paid answer, so that it may be remembered: strangers must not fill any memory
}

// Quote is where to pay: an ILP address, and the shared secret as unpadded base64url. Neither contains spaces.
type Quote struct {
	Address string
	Secret  string
}

// Asset is what the units of prices and balances count: a code such as USD, and how many decimal places a unit has.
type Asset struct {
	Code  string
	Scale uint8
}
