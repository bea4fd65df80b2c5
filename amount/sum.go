package amount

// This file is the 128-bit sum that audits need: adding up many Amounts must neither overflow nor saturate.

import (
	"cmp"
	"math/bits"
	"strconv"
)

// Sum is an exact total of Amounts: Hi*2^64 + Lo base units, 0 to 2^128-1. Even 2^64 additions of Max fit. The zero value is 0, and
// equal sums are == to each other.
type Sum struct{ Hi, Lo uint64 }

// Sum returns a as a Sum.
func (a Amount) Sum() Sum { return Sum{Lo: uint64(a)} }

// Add returns s+t; ok is false, and the sum 0, when it would not fit 128 bits.
func (s Sum) Add(t Sum) (sum Sum, ok bool) {
	lo, carry := bits.Add64(s.Lo, t.Lo, 0)
	hi, carry := bits.Add64(s.Hi, t.Hi, carry)
	if carry != 0 {
		return Sum{}, false
	}
	return Sum{Hi: hi, Lo: lo}, true
}

// Sub returns s-t; ok is false, and the difference 0, when t exceeds s.
func (s Sum) Sub(t Sum) (difference Sum, ok bool) {
	lo, borrow := bits.Sub64(s.Lo, t.Lo, 0)
	hi, borrow := bits.Sub64(s.Hi, t.Hi, borrow)
	if borrow != 0 {
		return Sum{}, false
	}
	return Sum{Hi: hi, Lo: lo}, true
}

// Cmp returns -1, 0 or 1 when s is less than, equal to or greater than t.
func (s Sum) Cmp(t Sum) int {
	if c := cmp.Compare(s.Hi, t.Hi); c != 0 {
		return c
	}
	return cmp.Compare(s.Lo, t.Lo)
}

// Amount returns s as an Amount; ok is false when it does not fit 64 bits.
func (s Sum) Amount() (a Amount, ok bool) {
	if s.Hi != 0 {
		return 0, false
	}
	return Amount(s.Lo), true
}

// ParseSum reads a decimal integer of base units as Parse does, up to 2^128-1. The errors are ErrSyntax and ErrRange.
func ParseSum(s string) (Sum, error) {
	if !plainInteger(s) {
		return Sum{}, ErrSyntax
	}
	var sum Sum
	for i := 0; i < len(s); i++ {
		carry, lo := bits.Mul64(sum.Lo, 10)
		over, hi := bits.Mul64(sum.Hi, 10)
		hi, c := bits.Add64(hi, carry, 0)
		next, ok := Sum{Hi: hi, Lo: lo}.Add(Sum{Lo: uint64(s[i] - '0')})
		if over != 0 || c != 0 || !ok {
			return Sum{}, ErrRange
		}
		sum = next
	}
	return sum, nil
}

// String returns the decimal digits of s.
func (s Sum) String() string { return string(s.Append(nil)) }

// Append appends the decimal digits of s to dst.
func (s Sum) Append(dst []byte) []byte {
	if s.Hi == 0 {
		return strconv.AppendUint(dst, s.Lo, 10)
	}
	// 10^19 is the largest power of ten in 64 bits, so that s has at most three groups of 19 digits.
	quotient := Sum{Hi: s.Hi / maxPower, Lo: 0}
	var rest uint64
	quotient.Lo, rest = bits.Div64(s.Hi%maxPower, s.Lo, maxPower)
	dst = quotient.Append(dst)
	for power := uint64(maxPower / 10); power > rest && power > 1; power /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, rest, 10)
}
