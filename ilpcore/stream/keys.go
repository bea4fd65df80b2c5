package stream

// This file derives the keys of a connection (RFC 29, section 5.1.2).

import "github.com/paydoor/paydoor/ilpcore"

const (
	encryptionLabel  = "ilp_stream_encryption"
	fulfillmentLabel = "ilp_stream_fulfillment"
)

// Keys returns the keys that both sides of a connection derive from their shared secret, normally 32 bytes. They serve both
// directions, so every packet needs a fresh random IV. Deriving costs about a microsecond: keep them while packets come.
func Keys(secret []byte) *ilpcore.EndToEnd {
	return ilpcore.NewEndToEnd(secret, encryptionLabel, fulfillmentLabel)
}
