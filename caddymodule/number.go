package caddymodule

// This file is an amount as a config writes it: digits, or a placeholder that stands for digits.

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/paydoor/paydoor/amount"
)

// Number is an amount in base units as written in a config: decimal digits from "0" to "18446744073709551615", or a placeholder
// such as "{env.PRICE}" that is resolved when the config is loaded. In JSON it may also be a plain integer.
type Number string

// UnmarshalJSON reads a JSON string or a JSON integer, whose digits are kept as they are.
func (n *Number) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		var number json.Number
		if err := json.Unmarshal(b, &number); err != nil {
			return fmt.Errorf("reading an amount: %w", err)
		}
		*n = Number(number.String())
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("reading an amount: %w", err)
	}
	*n = Number(text)
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
	if _, err := amount.Parse(s); err != nil {
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
