package connector

// This file is an exchange rate: an exact decimal number above 0.

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// ErrRate says that a text is not an exchange rate.
var ErrRate = errors.New("not a decimal number above 0 of at most 40 digits before and after the point")

// rateDigits bounds the digits on either side of the point, and so what an exponent can ask for.
const rateDigits = 40

// Rate is how much one unit of an asset is worth, compared with the rates of the others; or a spread. It is exact. Two Rates of the same
// number are equal. The zero value is no rate.
type Rate struct{ text string } // no leading or trailing zeros but for "0." before a fraction; no exponent

// ParseRate reads a decimal number above 0, such as "2", "0.517" or "1.5e-9", with at most 40 digits before and after the point when it
// is written without exponent. The error is ErrRate.
func ParseRate(s string) (Rate, error) {
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.ParseInt(s[i+1:], 10, 16)
		if err != nil || n > 2*rateDigits || n < -2*rateDigits {
			return Rate{}, fmt.Errorf("%q is %w", clip(s), ErrRate)
		}
		mantissa, exponent = s[:i], int(n)
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	if len(mantissa) > 4*rateDigits || !decimalDigits(whole) || point && !decimalDigits(fraction) {
		return Rate{}, fmt.Errorf("%q is %w", clip(s), ErrRate)
	}
	whole, fraction = shift(whole, fraction, exponent)
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	switch {
	case len(whole) > rateDigits || len(fraction) > rateDigits || whole+fraction == "":
		return Rate{}, fmt.Errorf("%q is %w", clip(s), ErrRate)
	case whole == "":
		whole = "0"
	}
	if fraction == "" {
		return Rate{whole}, nil
	}
	return Rate{whole + "." + fraction}, nil
}

// shift moves the point between whole and fraction by n places to the right.
func shift(whole, fraction string, n int) (string, string) {
	if n > 0 {
		fraction += strings.Repeat("0", max(0, n-len(fraction)))
		return whole + fraction[:n], fraction[n:]
	}
	whole = strings.Repeat("0", max(0, -n-len(whole))) + whole
	return whole[:len(whole)+n], whole[len(whole)+n:] + fraction
}

// String returns the number without exponent, such as "0.517", which ParseRate reads back; "" for the zero value.
func (r Rate) String() string { return r.text }

// MarshalText returns what String does, so that a Rate is a JSON string.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText reads what ParseRate does. The error is ErrRate.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

// fraction returns the number as a fraction; 0 for the zero value.
func (r Rate) fraction() *big.Rat {
	f, ok := new(big.Rat).SetString(r.text)
	if !ok {
		return new(big.Rat)
	}
	return f
}

// decimalDigits says whether s is one or more digits.
func decimalDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// clip keeps an error short.
func clip(s string) string {
	if len(s) > rateDigits {
		return s[:rateDigits] + "…"
	}
	return s
}
