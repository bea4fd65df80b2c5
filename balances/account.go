package balances

// This file names what a balance belongs to and what can go wrong with it.

import "errors"

// Account is the 32-byte key of a balance: the hash of a token (D2), or of a node account's id. The ledger never sees the token.
type Account [32]byte

var (
	// ErrInsufficient says that a Reserve asks for more than is spendable; errors.As with *Insufficient gives the balance.
	ErrInsufficient = errors.New("insufficient balance")
	// ErrTooLate says that a credit became durable after its deadline; it has been taken back, and was never spendable.
	ErrTooLate = errors.New("the credit was durable only after its deadline")
	// ErrMismatch says that the condition of a credit is known, with another account, amount or digest.
	ErrMismatch = errors.New("the condition was credited before with other content")
	// ErrMaxBalance says that a credit would take the balance above the account's maximum.
	ErrMaxBalance = errors.New("the credit would exceed the maximum balance")
	// ErrBusy says that the ledger has more work than it takes; nothing was changed and a retry is welcome.
	ErrBusy = errors.New("the ledger is busy")
	// ErrUnavailable says that the store has failed or is closing; the outcome of the operation is unknown or nil.
	ErrUnavailable = errors.New("the ledger is unavailable")
	// ErrAsset says that the ledger is pinned to another asset code or scale (D7).
	ErrAsset = errors.New("the ledger holds another asset")
)
