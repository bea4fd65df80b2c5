package ilpcore

// This file is the envelope that PSK2 (RFC 25) and STREAM (RFC 29) share: AES-256-GCM under a key of the shared secret, and a
// fulfillment that is an HMAC of the whole envelope.

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	ivSize  = 12
	tagSize = 16
	// EnvelopeOverhead is what Seal adds to a plaintext: an IV of 12 bytes and a tag of 16 in front of the ciphertext.
	EnvelopeOverhead = ivSize + tagSize
)

// ErrEnvelope says that data was not sealed with this key, or was changed. There is only this one error, so that a stranger learns
// nothing from it.
var ErrEnvelope = errors.New("the data cannot be decrypted")

// EndToEnd holds the keys of one shared secret, ready for use; deriving them takes longer than handling a packet, so owners
// cache it. It is safe for concurrent use and never prints its keys.
type EndToEnd struct {
	aead        cipher.AEAD
	fulfillment MAC
}

// NewEndToEnd derives the two keys HMAC-SHA256(secret, label). The labels differ between PSK2 and STREAM. Secrets are 32 bytes, but
// any length works.
func NewEndToEnd(secret []byte, encryptionLabel, fulfillmentLabel string) *EndToEnd {
	derive := NewMAC(secret)
	key := derive.Sum([]byte(encryptionLabel))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("ilpcore: a 32-byte AES key is refused: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("ilpcore: AES has no GCM: " + err.Error())
	}
	key = derive.Sum([]byte(fulfillmentLabel))
	return &EndToEnd{aead: aead, fulfillment: NewMAC(key[:])}
}

// Open decrypts the data field of a packet, IV (12 bytes) | tag (16) | ciphertext, and appends the plaintext to dst. With
// len(data) bytes to spare in dst it allocates nothing. data is not changed and must not overlap the spare part of dst. The
// error is ErrEnvelope; then dst comes back as it was, though its spare part may have been written to.
func (k *EndToEnd) Open(dst, data []byte) ([]byte, error) {
	if len(data) < EnvelopeOverhead {
		return dst, ErrEnvelope
	}
	iv, tag, ciphertext := data[:ivSize], data[ivSize:EnvelopeOverhead], data[EnvelopeOverhead:]
	start := len(dst)
	out := slices.Grow(dst, len(ciphertext)+tagSize)
	// Go's AEAD wants the tag behind the ciphertext, and decrypts in place.
	out = append(append(out, ciphertext...), tag...)
	out, err := k.aead.Open(out[:start], iv, out[start:], nil)
	if err != nil {
		return dst, ErrEnvelope
	}
	return out, nil
}

// Seal encrypts plaintext under an IV of 12 bytes from random and appends IV | tag | ciphertext to dst, in at most one
// allocation; none with EnvelopeOverhead+16+len(plaintext) bytes to spare in dst. The plaintext may lie anywhere outside the spare
// part of dst, or at exactly its place in the result: EnvelopeOverhead bytes behind the end of dst. The error is random's;
// then dst comes back as it was.
func (k *EndToEnd) Seal(dst, plaintext []byte, random io.Reader) ([]byte, error) {
	start := len(dst)
	end := start + EnvelopeOverhead + len(plaintext)
	out := slices.Grow(dst, EnvelopeOverhead+len(plaintext)+tagSize)[:end+tagSize]
	iv := out[start : start+ivSize]
	if _, err := io.ReadFull(random, iv); err != nil {
		return dst, fmt.Errorf("draw the IV of a packet: %w", err)
	}
	k.aead.Seal(out[:start+EnvelopeOverhead], iv, plaintext, nil)
	copy(out[start+ivSize:], out[end:end+tagSize])
	return out[:end], nil
}

// Fulfillment returns HMAC-SHA256(fulfillment key, data), data being the whole data field of a Prepare.
func (k *EndToEnd) Fulfillment(data []byte) [32]byte { return k.fulfillment.Sum(data) }

// Condition returns the SHA-256 of Fulfillment(data).
func (k *EndToEnd) Condition(data []byte) [32]byte {
	return ConditionOf(k.Fulfillment(data))
}

// String keeps the keys out of logs.
func (EndToEnd) String() string { return "EndToEnd(keys)" }

// GoString keeps the keys out of logs.
func (EndToEnd) GoString() string { return "EndToEnd(keys)" }
