package ilpcore

// This file is HMAC-SHA256 (RFC 2104) with the work that depends only on the key done once: fulfillments are on the path of every packet.

import (
	"crypto/sha256"
	"encoding"
)

// MAC computes HMAC-SHA256 under one key. It keeps the two hash states that follow the key block, so that a sum over a short
// text costs half of what a fresh crypto/hmac does, and it keeps no working state: Sum allocates nothing and is safe for concurrent use.
type MAC struct {
	// states gives two marshalled SHA-256 states that are as secret as the key. They stand behind a function because fmt
	// prints what unexported fields hold and what they point to, but never what a function holds.
	states func() (inner, outer []byte)
}

// NewMAC prepares a key of any length.
func NewMAC(key []byte) MAC {
	var block [sha256.BlockSize]byte
	if len(key) > len(block) {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	copy(block[:], key)
	inner, outer := keyed(block, 0x36), keyed(block, 0x5c)
	return MAC{states: func() ([]byte, []byte) { return inner, outer }}
}

// keyed returns the state of a SHA-256 that has taken in the key block under a pad.
func keyed(block [sha256.BlockSize]byte, pad byte) []byte {
	for i := range block {
		block[i] ^= pad
	}
	h := sha256.New()
	h.Write(block[:])
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("ilpcore: SHA-256 does not give its state: " + err.Error())
	}
	return state
}

// Sum returns the HMAC-SHA256 of data.
func (m MAC) Sum(data []byte) (sum [32]byte) {
	// Written so that the compiler sees the hash's type through New and keeps it on the stack; a test watches that.
	h := sha256.New()
	inner, outer := m.states()
	check(h.(encoding.BinaryUnmarshaler).UnmarshalBinary(inner))
	h.Write(data)
	h.Sum(sum[:0])
	check(h.(encoding.BinaryUnmarshaler).UnmarshalBinary(outer))
	h.Write(sum[:])
	h.Sum(sum[:0])
	return sum
}

// check panics when SHA-256 refuses a state that it gave itself.
func check(err error) {
	if err != nil {
		panic("ilpcore: SHA-256 does not take its own state back: " + err.Error())
	}
}

// String keeps the key out of logs.
func (MAC) String() string { return "MAC(key)" }

// GoString keeps the key out of logs.
func (MAC) GoString() string { return "MAC(key)" }
