package psk2

// This file derives the keys of a shared secret (RFC 25, section "Encryption Pseudocode").

import "github.com/paydoor/paydoor/ilpcore"

const (
	encryptionLabel    = "ilp_psk2_encryption"
	rfcEncryptionLabel = "ilp_psk_encryption"
	fulfillmentLabel   = "ilp_psk2_fulfillment"
)

// Keys returns the keys of a shared secret, normally 32 bytes, as every known implementation derives them. Deriving costs
// about a microsecond: keep them while packets come.
func Keys(secret []byte) *ilpcore.EndToEnd {
	return ilpcore.NewEndToEnd(secret, encryptionLabel, fulfillmentLabel)
}

// RFCKeys returns the keys as the text of RFC 25 has them: its encryption label lacks a digit that the implementations use.
// A receiver tries these after Keys, and answers with the keys that opened the request.
func RFCKeys(secret []byte) *ilpcore.EndToEnd {
	return ilpcore.NewEndToEnd(secret, rfcEncryptionLabel, fulfillmentLabel)
}
