package ilpcore

// This file is the codec of the ILP Prepare packet (RFC 27, section "ILP Prepare").

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/paydoor/paydoor/amount"
)

var (
	// ErrType says that the first byte is not the type of the packet asked for.
	ErrType = errors.New("not the packet type expected")
	// ErrDataTooLong says that a data field holds more than 32767 bytes.
	ErrDataTooLong = errors.New("the data is longer than 32767 bytes")
)

// fixedPrepare is the size of the fields in front of the destination: amount 8, expiry 17, condition 32.
const fixedPrepare = 8 + TimestampLength + 32

// DecodePrepare reads a Prepare without allocating. Its Destination and Data alias b. Bytes after the packet, and after the last
// field inside it, are ignored for the sake of later versions (RFC 30). Every error means that the packet is invalid (F01).
func DecodePrepare(b []byte) (Prepare, error) {
	var p Prepare
	r := NewReader(b)
	if r.Uint8() != TypePrepare && r.Err() == nil {
		return Prepare{}, ErrType
	}
	r = Reader{rest: r.VarOctets(), err: r.err}
	p.Amount = amount.Amount(r.Uint64())
	expiry := r.Bytes(TimestampLength)
	copy(p.Condition[:], r.Bytes(32))
	p.Destination = r.VarOctets()
	p.Data = r.VarOctets()
	if err := r.Err(); err != nil {
		return Prepare{}, err
	}
	expiresAt, err := ParseTimestamp(expiry)
	if err != nil {
		return Prepare{}, err
	}
	p.ExpiresAt = expiresAt
	if !ValidAddress(p.Destination) {
		return Prepare{}, ErrAddress
	}
	if len(p.Data) > MaxData {
		return Prepare{}, ErrDataTooLong
	}
	return p, nil
}

// Append appends the encoded Prepare, at most MaxPrepareLength bytes, in at most one allocation. ExpiresAt is cut to the
// millisecond. On error dst comes back as it was: ErrAddress, ErrDataTooLong or ErrTimestamp.
func (p *Prepare) Append(dst []byte) ([]byte, error) {
	if !ValidAddress(p.Destination) {
		return dst, fmt.Errorf("encode the destination of a Prepare: %w", ErrAddress)
	}
	if len(p.Data) > MaxData {
		return dst, ErrDataTooLong
	}
	size := fixedPrepare + VarOctetsSize(len(p.Destination)) + VarOctetsSize(len(p.Data))
	out := slices.Grow(dst, 1+VarOctetsSize(size))
	out = AppendLength(append(out, TypePrepare), size)
	out = binary.BigEndian.AppendUint64(out, uint64(p.Amount))
	out, err := AppendTimestamp(out, p.ExpiresAt)
	if err != nil {
		return dst, fmt.Errorf("encode the expiry of a Prepare: %w", err)
	}
	out = append(out, p.Condition[:]...)
	out = AppendVarOctets(out, p.Destination)
	return AppendVarOctets(out, p.Data), nil
}
