package paywall

// This file names charges: each gets an id that no other charge has, also of another process or machine.

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"
)

// chargeIDs gives ids of 16 bytes: 8 random ones of this paywall, and a count that begins at a random number. They are unique, but no
// secrets.
type chargeIDs struct {
	paywall [8]byte
	count   atomic.Uint64
}

func (c *chargeIDs) init(random io.Reader) error {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return fmt.Errorf("paywall: drawing charge ids: %w", err)
	}
	copy(c.paywall[:], b[:8])
	c.count.Store(binary.BigEndian.Uint64(b[8:]))
	return nil
}

// append appends the next id, 22 characters of base64url, to b.
func (c *chargeIDs) append(b []byte) []byte {
	var id [16]byte
	copy(id[:], c.paywall[:])
	binary.BigEndian.PutUint64(id[8:], c.count.Add(1))
	return base64.RawURLEncoding.AppendEncode(b, id[:])
}
