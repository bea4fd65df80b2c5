package caddymodule

// This file is an amount as a config writes it: digits, or a placeholder that stands for digits; and numbers with a sign or a point.

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/paydoor/paydoor/amount"
)

// Number is an amount in base units as written in a config: decimal digits from "0" to "18446744073709551615", or a placeholder
// such as "{env.PRICE}" that is resolved when the config is loaded. In JSON it may also be a plain integer.
type Number string

// UnmarshalJSON reads a JSON string or a JSON integer, whose digits are kept as they are.
func (n *Number) UnmarshalJSON(b []byte) error { return readNumber(b, (*string)(n)) }

func readNumber(b []byte, into *string) error {
	if len(b) > 0 && b[0] != '"' {
		var number json.Number
		if err := json.Unmarshal(b, &number); err != nil {
			return fmt.Errorf("reading an amount: %w", err)
		}
		*into = number.String()
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("reading an amount: %w", err)
	}
	return nil
}

// parseNumber checks what can be checked before placeholders are known.
func parseNumber(s string) (Number, error) {
	if strings.Contains(s, "{http.") {
		return "", fmt.Errorf("%q would let the client set its own price: write a number, or a placeholder that is known when the config is loaded, such as {env.PRICE}", s)
	}
	if hasPlaceholder(s) {
		return Number(s), nil
	}
	switch _, err := amount.Parse(s); {
	case errors.Is(err, amount.ErrRange):
		return "", fmt.Errorf("%q is too large for an amount: write at most %s", s, amount.Max)
	case err != nil:
		return "", fmt.Errorf("%q is not an amount: write a whole number of the asset's smallest units, such as 10", s)
	}
	return Number(s), nil
}

// resolve returns the amount; what names it in an error.
func (n Number) resolve(what string) (amount.Amount, error) {
	text, err := resolve(string(n), what)
	if err != nil {
		return 0, err
	}
	value, err := amount.Parse(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("%s is %q, which is no amount: write a whole number of the asset's smallest units, such as 10", what, text)
	}
	return value, nil
}

// SignedNumber is a balance in base units as written in a config: decimal digits, with a minus if it is below zero, from
// -9223372036854775808 to 9223372036854775807; or a placeholder. In JSON it may also be a plain integer.
type SignedNumber string

// UnmarshalJSON reads what Number's does.
func (n *SignedNumber) UnmarshalJSON(b []byte) error { return readNumber(b, (*string)(n)) }

// parseSigned checks what can be checked before placeholders are known.
func parseSigned(s string) (SignedNumber, error) {
	if _, err := strconv.ParseInt(s, 10, 64); !hasPlaceholder(s) && (err != nil || s[0] == '+') {
		return "", fmt.Errorf("%q is no balance: write a whole number of the asset's smallest units, such as -1000", s)
	}
	return SignedNumber(s), nil
}

// resolve returns the balance, nil for one that is not set or not known yet; what names it in an error.
func (n SignedNumber) resolve(r resolver, what string) (*int64, error) {
	if n == "" || r.unknown(string(n)) {
		return nil, nil
	}
	text, err := resolve(string(n), what)
	if err != nil {
		return nil, err
	}
	value, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s is %q, which is no balance: write a whole number of the asset's smallest units, such as -1000", what, text)
	}
	return &value, nil
}

// Decimal is an exact decimal number as written in a config, such as "0.517", or a placeholder. In JSON it may also be a plain number.
type Decimal string

// UnmarshalJSON reads what Number's does.
func (n *Decimal) UnmarshalJSON(b []byte) error { return readNumber(b, (*string)(n)) }
