package receiver

// This file receives for the holders of the node's accounts (SPSP): as for tokens, but at an address below the account's own, in its asset,
// and into its balance, which the one who brings the packet keeps.

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// Account is the account that a packet is for.
type Account struct {
	UUID     string         // which no other account of the node has, or had; not its name, which a later one may get
	Asset    ilpcore.Asset  // what the account, and the packet's amount, count in
	Crediter Crediter       // takes the money of this packet
	Received func(Received) // called, if not nil, when money was credited, and when the sender closes the connection
}

// Received is what came with one packet that was fulfilled.
type Received struct {
	Amount   amount.Amount // 0 when the connection was closed
	Sequence uint64        // of the STREAM packet; 0 with PSK2
	Closed   bool          // the sender has closed the connection
}

// accountLabel begins what an account's payee is the hash of. With v1 it was the account's name that followed: what was minted so may have been meant for
// a predecessor, and is no address any more.
const accountLabel = "paydoor/account/v2"

// AccountPayee is the payee of an account of the node.
func AccountPayee(uuid string) Payee {
	return Payee{Account: true, ID: sha256.Sum256([]byte(accountLabel + uuid))}
}

// QuoteAccount mints a quote for whoever wants to pay an account; address is the account's own. Each has another address and secret, takes
// any amount, does not expire before the account is deleted, and is stored nowhere. With receipts, each
// packet that STREAM brings is answered with one. The errors are ErrNoAddress for an empty address, and those of the source of randomness.
func (r *Receiver) QuoteAccount(uuid string, address ilpcore.Address, receipts *ReceiptTerms) (Quote, error) {
	if address == "" {
		return Quote{}, ErrNoAddress
	}
	t := terms{payee: AccountPayee(uuid), receipts: receipts}
	if _, err := io.ReadFull(r.random, t.id[:]); err != nil {
		return Quote{}, fmt.Errorf("making a quote id: %w", err)
	}
	keys := r.secrets[0]
	sealed := keys.encode(nil, t)
	full, err := address.With(canonical.EncodeToString(sealed))
	if err != nil {
		return Quote{}, fmt.Errorf("the address %s leaves no room for that of a payment: %w", address, err)
	}
	return Quote{Address: string(full), SharedSecret: keys.secret(sealed)}, nil
}

// Recognises says whether rest, what follows the account's address in a destination, was made by QuoteAccount for the account. An empty UUID is nobody's.
func (r *Receiver) Recognises(uuid string, rest []byte) bool {
	segment, ok := firstSegment(rest)
	if !ok || uuid == "" {
		return false
	}
	q, _, err := r.open(segment, r.now())
	return err == nil && q.payee == AccountPayee(uuid)
}

// ReceiveFor answers a packet for an account; rest is what follows the account's address in the destination. The amount is in
// a.Asset already. What Recognises does not recognise is F02.
func (r *Receiver) ReceiveFor(ctx context.Context, in ilpcore.Incoming, rest []byte, a *Account) ilpcore.Reply {
	return r.receive(ctx, in, rest, a)
}

// paidBy says whether money for payee belongs where the packet was brought: to an account, or, for nil, to a token.
func (a *Account) paidBy(payee Payee) bool {
	if a == nil {
		return !payee.Account
	}
	return a.UUID != "" && payee == AccountPayee(a.UUID)
}

func (a *Account) tell(what Received) {
	if a != nil && a.Received != nil {
		a.Received(what)
	}
}
