package amount

// This file reads and prints Amounts as decimal numbers of an asset's unit: 1.5 at scale 9 is 1500000000 base units.

import (
	"errors"
	"strings"
)

// ErrPrecision says that a decimal number has more digits after the point than the scale can hold.
var ErrPrecision = errors.New("more decimal places than the asset's scale")

// ParseDecimal reads a number of an asset's units, such as "1.5", as base units of 10^-scale: exactly, or not at all. The form
// is digits, optionally followed by a point and more digits; signs, spaces, exponents, separators, a missing digit on either
// side of the point and leading zeros are ErrSyntax. Digits other than 0 beyond the scale are ErrPrecision; what does not fit is
// ErrRange.
func ParseDecimal(s string, scale uint8) (Amount, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if !plainInteger(whole) || (point && !digits(fraction)) {
		return 0, ErrSyntax
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > int(scale) {
		return 0, ErrPrecision
	}
	a, err := Parse(whole)
	if err != nil {
		return 0, err
	}
	for i := range int(scale) {
		digit := Amount(0)
		if i < len(fraction) {
			digit = Amount(fraction[i] - '0')
		} else if a == 0 {
			break // nothing but zeros from here on
		}
		var ok bool
		if a, ok = a.Mul(10); ok {
			a, ok = a.Add(digit)
		}
		if !ok {
			return 0, ErrRange
		}
	}
	return a, nil
}

// Decimal returns a, base units of 10^-scale, as the shortest exact decimal number of the asset's units: no exponent, no
// trailing zeros, and no point when it is whole. ParseDecimal reads it back.
func (a Amount) Decimal(scale uint8) string { return string(a.AppendDecimal(nil, scale)) }

// AppendDecimal appends Decimal(scale) to dst.
func (a Amount) AppendDecimal(dst []byte, scale uint8) []byte {
	if scale == 0 || a == 0 {
		return a.Append(dst)
	}
	places := int(scale)
	for places > 0 && a%10 == 0 {
		a /= 10
		places--
	}
	var buffer [20]byte // 2^64-1 has 20 digits
	number := a.Append(buffer[:0])
	if places == 0 {
		return append(dst, number...)
	}
	if len(number) > places {
		dst = append(dst, number[:len(number)-places]...)
		number = number[len(number)-places:]
		return append(append(dst, '.'), number...)
	}
	dst = append(dst, "0."...)
	for range places - len(number) {
		dst = append(dst, '0')
	}
	return append(dst, number...)
}

// plainInteger reports whether s is decimal digits without leading zeros.
func plainInteger(s string) bool { return digits(s) && (len(s) == 1 || s[0] != '0') }

// digits reports whether s is one decimal digit or more.
func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
