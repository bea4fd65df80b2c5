package payer

// This file reads the Pay header of a server (seed 003, section 2.2, and what older servers send).

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// The payment methods of a Pay header that this package understands.
const (
	MethodPSK2   = "interledger-psk2"
	MethodStream = "interledger-stream"
)

// ErrPayHeader says that a Pay header cannot be understood; the error that wraps it says why.
var ErrPayHeader = errors.New("unusable Pay header")

// Ask is what a server asks for: where to pay, the secret shared with the receiver, and the price of the request.
type Ask struct {
	Method  string // MethodPSK2 or MethodStream
	Address ilpcore.Address
	Secret  []byte // 16 to 64 bytes
	// Price is what the request costs in base units of the receiver; Priced says that the header tells it.
	Price  amount.Amount
	Priced bool
}

// ParsePay reads a Pay header: "<method> <address> <secret> [<price>]". The secret is base64 or base64url, padded or not,
// because servers differ. The error wraps ErrPayHeader and never shows the secret.
func ParsePay(header string) (Ask, error) {
	fields := strings.Fields(header)
	if len(fields) < 3 || len(fields) > 4 {
		return Ask{}, fmt.Errorf("%w: it has %d fields, not method, address, secret and price", ErrPayHeader, len(fields))
	}
	a := Ask{Method: fields[0]}
	if a.Method != MethodPSK2 && a.Method != MethodStream {
		return Ask{}, fmt.Errorf("%w: the payment method %.40q is neither %s nor %s", ErrPayHeader, a.Method, MethodPSK2, MethodStream)
	}
	var err error
	if a.Address, err = ilpcore.ParseAddress(fields[1]); err != nil {
		return Ask{}, fmt.Errorf("%w: %w", ErrPayHeader, err)
	}
	if a.Secret, err = parseSecret(fields[2]); err != nil {
		return Ask{}, err
	}
	if len(fields) == 4 {
		if a.Price, err = amount.Parse(fields[3]); err != nil {
			return Ask{}, fmt.Errorf("%w: price: %w", ErrPayHeader, err)
		}
		a.Priced = true
	}
	return a, nil
}

func parseSecret(s string) ([]byte, error) {
	s = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(s), "=")
	secret, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(secret) < 16 || len(secret) > 64 {
		return nil, fmt.Errorf("%w: the secret is not base64 of 16 to 64 bytes", ErrPayHeader)
	}
	return secret, nil
}
