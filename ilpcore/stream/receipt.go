package stream

// This file signs and verifies STREAM receipts (RFC 39): proof for a third party of what a stream has received.

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// ReceiptLength is the length of an encoded receipt in bytes.
const ReceiptLength = signedLength + sha256.Size

const (
	receiptVersion = 1
	signedLength   = 1 + 16 + 1 + 8 // version, nonce, stream id, total
)

// ErrReceipt says that bytes are no receipt signed with the given secret.
var ErrReceipt = errors.New("stream: not a receipt under this secret")

// Receipt says how much a stream has received so far. A later receipt of the same nonce and stream replaces an earlier one.
type Receipt struct {
	Nonce         [16]byte // names the connection; the verifier chose it
	StreamID      uint8    // streams above 255 can have no receipt
	TotalReceived amount.Amount
}

// Append appends the receipt, ReceiptLength bytes, signed with the secret of 32 bytes that the verifier gave to the receiver.
func (r Receipt) Append(dst, secret []byte) []byte {
	start := len(dst)
	dst = append(dst, receiptVersion)
	dst = append(dst, r.Nonce[:]...)
	dst = append(dst, r.StreamID)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.TotalReceived))
	mac := hmac.New(sha256.New, secret)
	mac.Write(dst[start:])
	return mac.Sum(dst)
}

// ReceiptNonce returns the nonce inside b unverified, for a verifier that derives the secret from it. ok is false when b cannot
// be a receipt.
func ReceiptNonce(b []byte) (nonce [16]byte, ok bool) {
	if len(b) != ReceiptLength || b[0] != receiptVersion {
		return nonce, false
	}
	copy(nonce[:], b[1:])
	return nonce, true
}

// VerifyReceipt reads a receipt and checks its signature in constant time. The error is ErrReceipt.
func VerifyReceipt(b, secret []byte) (Receipt, error) {
	nonce, ok := ReceiptNonce(b)
	if !ok {
		return Receipt{}, ErrReceipt
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(b[:signedLength])
	if !hmac.Equal(mac.Sum(nil), b[signedLength:]) {
		return Receipt{}, ErrReceipt
	}
	r := ilpcore.NewReader(b[1+len(nonce) : signedLength])
	return Receipt{Nonce: nonce, StreamID: r.Uint8(), TotalReceived: amount.Amount(r.Uint64())}, nil
}
