package ilpheaders

// This file is the codec of a Prepare (draft 1, section "Request").

import (
	"errors"
	"net/http"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

var (
	// ErrDestination says that ILP-Destination is not an ILP address. It does not repeat it, since it may hold a payment's token.
	ErrDestination = errors.New("is not an ILP address")
	// ErrAmount says that ILP-Amount is not a plain decimal number of 64 bits.
	ErrAmount = errors.New("is not a whole number from 0 to 18446744073709551615, written without sign, spaces and leading zeros")
)

// decodeRequest reads the headers of a Prepare; its Data is left to the body. The errors are ErrMissing, ErrTwice, ErrDestination, ErrBase64,
// ErrTime and ErrAmount with the header's name in front of them.
func decodeRequest(h http.Header) (p ilpcore.Prepare, err error) {
	if err := once(h); err != nil {
		return p, err
	}
	for _, name := range []string{destinationHeader, conditionHeader, expiryHeader, amountHeader} {
		if len(h[name]) == 0 {
			return p, ofHeader(name, ErrMissing)
		}
	}
	p.Destination = []byte(the(h, destinationHeader))
	if !ilpcore.ValidAddress(p.Destination) {
		return p, ofHeader(destinationHeader, ErrDestination)
	}
	if p.Condition, err = parseHash(the(h, conditionHeader)); err != nil {
		return p, ofHeader(conditionHeader, err)
	}
	if p.ExpiresAt, err = parseTime(the(h, expiryHeader)); err != nil {
		return p, ofHeader(expiryHeader, err)
	}
	if p.Amount, err = amount.Parse(the(h, amountHeader)); err != nil {
		return p, ofHeader(amountHeader, ErrAmount)
	}
	return p, nil
}

// encodeRequest writes the headers of a Prepare. The errors are ErrDestination, ErrTime and ilpcore.ErrDataTooLong.
func encodeRequest(h http.Header, p *ilpcore.Prepare) error {
	if !ilpcore.ValidAddress(p.Destination) {
		return ofHeader(destinationHeader, ErrDestination)
	}
	if len(p.Data) > ilpcore.MaxData {
		return ilpcore.ErrDataTooLong
	}
	expiry, err := formatTime(p.ExpiresAt)
	if err != nil {
		return ofHeader(expiryHeader, err)
	}
	h[destinationHeader] = []string{string(p.Destination)}
	h[conditionHeader] = []string{formatHash(p.Condition)}
	h[expiryHeader] = []string{expiry}
	h[amountHeader] = []string{p.Amount.String()}
	return nil
}
