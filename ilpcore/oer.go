package ilpcore

// This file reads and appends the part of OER that Interledger uses (RFC 30): fixed integers, octet strings and VarUInts.

import (
	"encoding/binary"
	"errors"
	"math"
)

var (
	// ErrTruncated says that a field reaches past the end of its message.
	ErrTruncated = errors.New("the message ends inside a field")
	// ErrLength says that a length determinant is not in its one canonical form (RFC 30, section "Variable-length octet strings").
	ErrLength = errors.New("a length determinant is not canonical")
	// ErrVarUint says that a VarUInt is empty or does not fit 64 bits.
	ErrVarUint = errors.New("a VarUInt is empty or longer than 8 bytes")
)

// Reader takes OER fields one after the other off the front of a byte slice. It copies and allocates nothing: the slices it
// returns alias its input. The first field that cannot be read sets Err, and from then on every read returns zero values;
// so a decoder reads all its fields and checks Err once. Bytes after the last field are the caller's business (Rest).
type Reader struct {
	rest []byte
	err  error
}

// NewReader returns a Reader of b.
func NewReader(b []byte) Reader { return Reader{rest: b} }

// Err returns ErrTruncated, ErrLength, ErrVarUint, or nil while everything could be read.
func (r *Reader) Err() error { return r.err }

// Rest returns what has not been read yet; nothing after an error.
func (r *Reader) Rest() []byte { return r.rest }

// Len returns the number of bytes that have not been read yet; 0 after an error.
func (r *Reader) Len() int { return len(r.rest) }

// Bytes reads n bytes without a length determinant (a fixed-size octet string).
func (r *Reader) Bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.fail(ErrTruncated)
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// Uint8 reads one byte.
func (r *Reader) Uint8() uint8 {
	if len(r.rest) < 1 {
		r.fail(ErrTruncated)
		return 0
	}
	n := r.rest[0]
	r.rest = r.rest[1:]
	return n
}

// Uint16 reads 2 bytes, big-endian.
func (r *Reader) Uint16() uint16 {
	if b := r.Bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint32 reads 4 bytes, big-endian.
func (r *Reader) Uint32() uint32 {
	if b := r.Bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Uint64 reads 8 bytes, big-endian.
func (r *Reader) Uint64() uint64 {
	if b := r.Bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// VarOctets reads a length determinant and that many bytes. The length is compared with what is there before it is used.
func (r *Reader) VarOctets() []byte {
	if len(r.rest) == 0 {
		r.fail(ErrTruncated)
		return nil
	}
	first := r.rest[0]
	if first < 0x80 {
		r.rest = r.rest[1:]
		return r.Bytes(int(first))
	}
	return r.longOctets(int(first & 0x7f))
}

// longOctets reads an octet string whose length stands in the size bytes after the first one.
func (r *Reader) longOctets(size int) []byte {
	if size == 0 {
		r.fail(ErrLength)
		return nil
	}
	if len(r.rest) < 1+size {
		r.fail(ErrTruncated)
		return nil
	}
	digits := r.rest[1 : 1+size]
	if digits[0] == 0 || (size == 1 && digits[0] < 0x80) {
		r.fail(ErrLength)
		return nil
	}
	if size > 8 {
		r.fail(ErrTruncated) // without a leading zero this is at least 2^64 bytes
		return nil
	}
	var length uint64
	for _, d := range digits {
		length = length<<8 | uint64(d)
	}
	r.rest = r.rest[1+size:]
	if length > uint64(len(r.rest)) {
		r.fail(ErrTruncated)
		return nil
	}
	return r.Bytes(int(length))
}

// VarUint reads an unsigned integer of 1 to 8 bytes behind a length determinant. Leading zeros are tolerated, as the
// JavaScript implementations do.
func (r *Reader) VarUint() uint64 {
	// The shortest form, one byte of value, is what nearly every field is.
	if len(r.rest) >= 2 && r.rest[0] == 1 {
		n := uint64(r.rest[1])
		r.rest = r.rest[2:]
		return n
	}
	digits := r.VarOctets()
	if r.err != nil {
		return 0
	}
	if len(digits) == 0 || len(digits) > 8 {
		r.fail(ErrVarUint)
		return 0
	}
	return bigEndian(digits)
}

// VarUintSaturating reads like VarUint, but takes an integer of any length and returns 2^64-1 for what does not fit. Two
// STREAM fields are written so (RFC 29, sections "StreamMaxMoney" and "StreamMoneyBlocked").
func (r *Reader) VarUintSaturating() uint64 {
	digits := r.VarOctets()
	if r.err != nil {
		return 0
	}
	if len(digits) == 0 {
		r.fail(ErrVarUint)
		return 0
	}
	for len(digits) > 8 {
		if digits[0] != 0 {
			return math.MaxUint64
		}
		digits = digits[1:]
	}
	return bigEndian(digits)
}

// bigEndian returns the integer in 0 to 8 bytes.
func bigEndian(digits []byte) uint64 {
	var n uint64
	for _, d := range digits {
		n = n<<8 | uint64(d)
	}
	return n
}

// fail records the first error and stops the reader.
func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

// AppendLength appends the length determinant of n bytes, n >= 0.
func AppendLength(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	size := uintSize(uint64(n))
	return appendUint(append(dst, 0x80|byte(size)), uint64(n), size)
}

// AppendVarOctets appends b behind its length determinant.
func AppendVarOctets[T ~[]byte | ~string](dst []byte, b T) []byte {
	return append(AppendLength(dst, len(b)), b...)
}

// AppendVarUint appends n in the fewest bytes behind its length determinant; 0 is the two bytes 01 00.
func AppendVarUint(dst []byte, n uint64) []byte {
	size := uintSize(n)
	return appendUint(append(dst, byte(size)), n, size)
}

// LengthSize returns how many bytes AppendLength appends for n.
func LengthSize(n int) int {
	if n < 0x80 {
		return 1
	}
	return 1 + uintSize(uint64(n))
}

// VarOctetsSize returns how many bytes AppendVarOctets appends for an octet string of n bytes.
func VarOctetsSize(n int) int { return LengthSize(n) + n }

// VarUintSize returns how many bytes AppendVarUint appends for n: 2 to 9.
func VarUintSize(n uint64) int { return 1 + uintSize(n) }

// uintSize returns the fewest bytes that hold n, at least 1.
func uintSize(n uint64) int {
	size := 1
	for n > 0xff {
		n >>= 8
		size++
	}
	return size
}

// appendUint appends the low size bytes of n, big-endian.
func appendUint(dst []byte, n uint64, size int) []byte {
	for shift := (size - 1) * 8; shift >= 0; shift -= 8 {
		dst = append(dst, byte(n>>shift))
	}
	return dst
}
