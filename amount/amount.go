// Package amount is money: one checked, unsigned integer type that counts base units of an asset.
//
// Nothing in Paydoor computes money in any other type, and no operation here wraps around or rounds silently:
// each one that can overflow says so.
//
//	a, err := amount.Parse("100")        // decimal base units, strict: no sign, space, exponent or leading zero
//	b, ok := a.Add(25)                   // ok is false when the sum would not fit
//	fmt.Println(b)                       // 125
package amount

import (
	"errors"
	"math/bits"
	"strconv"
)

// Amount counts base units of an asset: 0 to 2^64-1. How much one unit is worth is the asset's scale's business.
type Amount uint64

// Max is the largest Amount, 2^64-1.
const Max Amount = 1<<64 - 1

// ErrSyntax says that a text is not a plain decimal integer.
var ErrSyntax = errors.New("not a decimal integer without sign, space or leading zeros")

// ErrRange says that a number does not fit 64 bits.
var ErrRange = errors.New("amount does not fit 64 bits")

// Add returns a+b; ok is false, and the sum 0, when it would exceed Max.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	s, carry := bits.Add64(uint64(a), uint64(b), 0)
	if carry != 0 {
		return 0, false
	}
	return Amount(s), true
}

// Sub returns a-b; ok is false, and the difference 0, when b exceeds a.
func (a Amount) Sub(b Amount) (difference Amount, ok bool) {
	if b > a {
		return 0, false
	}
	return a - b, true
}

// Mul returns a*n; ok is false, and the product 0, when it would exceed Max.
func (a Amount) Mul(n uint64) (product Amount, ok bool) {
	hi, lo := bits.Mul64(uint64(a), n)
	if hi != 0 {
		return 0, false
	}
	return Amount(lo), true
}

// Saturate returns a+b, or Max when the sum would exceed it.
func (a Amount) Saturate(b Amount) Amount {
	if s, ok := a.Add(b); ok {
		return s
	}
	return Max
}

// Parse reads a decimal integer of base units: "0" to "18446744073709551615". Signs, spaces, exponents, fractions, other
// bases and leading zeros are ErrSyntax; larger numbers are ErrRange.
func Parse(s string) (Amount, error) {
	if s == "" || (len(s) > 1 && s[0] == '0') {
		return 0, ErrSyntax
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, ErrSyntax
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, ErrRange
	}
	return Amount(n), nil
}

// String returns the decimal digits of a.
func (a Amount) String() string { return strconv.FormatUint(uint64(a), 10) }

// Append appends the decimal digits of a to dst.
func (a Amount) Append(dst []byte) []byte { return strconv.AppendUint(dst, uint64(a), 10) }
