package payer

// This file is the verifier's side of STREAM receipts (RFC 39): it chooses the terms of a payment, asks the receiver for receipts, and reads what
// they prove.

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// NewReceiptTerms chooses a nonce and a secret. They are for one payment, since receipts count from its beginning. The error is that of random,
// which has to be cryptographically secure: who can guess the secret can sign receipts.
func NewReceiptTerms(random io.Reader) (*ReceiptTerms, error) {
	t := &ReceiptTerms{Secret: make([]byte, 32)}
	if _, err := io.ReadFull(random, t.Nonce[:]); err != nil {
		return nil, fmt.Errorf("making the nonce of receipts: %w", err)
	}
	if _, err := io.ReadFull(random, t.Secret); err != nil {
		return nil, fmt.Errorf("making the secret of receipts: %w", err)
	}
	return t, nil
}

// String keeps the secret out of logs.
func (t ReceiptTerms) String() string { return fmt.Sprintf("receipts of nonce %x", t.Nonce) }

// GoString keeps the secret out of logs.
func (t ReceiptTerms) GoString() string { return t.String() }

// ResolveWithReceipts is Resolve, and has the receiver give receipts under the terms, whose secret has 32 bytes. Endpoint.Receipts says whether it
// will; only then set Payment.Receipts to the terms, for a payment that wants receipts stops at the first packet without.
func (r Resolver) ResolveWithReceipts(ctx context.Context, pointer string, terms *ReceiptTerms) (Endpoint, error) {
	if len(terms.Secret) != 32 {
		return Endpoint{}, fmt.Errorf("%w: the secret of receipts has %d bytes, not 32", ErrPayment, len(terms.Secret))
	}
	return r.resolve(ctx, pointer, func(h http.Header) {
		h.Set("Receipt-Nonce", base64.StdEncoding.EncodeToString(terms.Nonce[:]))
		h.Set("Receipt-Secret", base64.StdEncoding.EncodeToString(terms.Secret))
	})
}

// Verify reads a receipt of 58 bytes, and checks that it was signed under these terms. The error is ErrReceipt.
func (t *ReceiptTerms) Verify(receipt []byte) (stream.Receipt, error) {
	r, err := stream.VerifyReceipt(receipt, t.Secret)
	if err != nil || len(t.Secret) != 32 || r.Nonce != t.Nonce {
		return stream.Receipt{}, ErrReceipt
	}
	return r, nil
}

// Proven returns how much the latest receipt of a payment proves that the receiver got, in its base units: Delivered of an honest
// receiver, once every packet was answered. The error is ErrReceipt, also where there is no receipt.
func (t *ReceiptTerms) Proven(r Result) (amount.Amount, error) {
	receipt, err := t.Verify(r.Receipt)
	if err != nil || receipt.StreamID != moneyStream {
		return 0, ErrReceipt
	}
	return receipt.TotalReceived, nil
}
