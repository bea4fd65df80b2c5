package ilpheaders

// This file holds the names of the headers and the forms of their values (draft 1, sections "Request" and "Response").

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// The headers, as net/http spells them.
const (
	destinationHeader = "Ilp-Destination"
	conditionHeader   = "Ilp-Condition"
	expiryHeader      = "Ilp-Expiry"
	amountHeader      = "Ilp-Amount"

	fulfillmentHeader = "Ilp-Fulfillment"

	codeHeader        = "Ilp-Error-Code"
	nameHeader        = "Ilp-Error-Name"
	triggeredByHeader = "Ilp-Error-Triggered-By"
	triggeredAtHeader = "Ilp-Error-Triggered-At"
	forwardedByHeader = "Ilp-Error-Forwarded-By"
	messageHeader     = "Ilp-Error-Message"

	ilpPrefix = "Ilp-"
)

var (
	// ErrMissing says that a header is not there.
	ErrMissing = errors.New("is missing")
	// ErrTwice says that there are several lines of one header. None of them is believed.
	ErrTwice = errors.New("is there twice")
	// ErrBase64 says that a value does not stand for 32 bytes.
	ErrBase64 = errors.New("is not base64 of 32 bytes")
	// ErrTime says that a value is no moment in UTC.
	ErrTime = errors.New("is not a time in UTC such as 2017-12-07T18:47:59.015Z")
)

// ofHeader puts a header's name, as the draft writes it, in front of what is wrong with it.
func ofHeader(name string, err error) error {
	return fmt.Errorf("the header %s %w", "ILP-"+name[len(ilpPrefix):], err)
}

// once refuses several lines of one ILP header, but for the list ILP-Error-Forwarded-By, which HTTP lets anybody split.
func once(h http.Header) error {
	for name, values := range h {
		if len(values) > 1 && strings.HasPrefix(name, ilpPrefix) && name != forwardedByHeader {
			return ofHeader(name, ErrTwice)
		}
	}
	return nil
}

// the returns the value of a header.
func the(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// formatHash returns 32 bytes in the form the draft asks for: base64 with padding.
func formatHash(b [32]byte) string { return base64.StdEncoding.EncodeToString(b[:]) }

var (
	standardBase64 = base64.RawStdEncoding.Strict()
	urlBase64      = base64.RawURLEncoding.Strict()
)

// parseHash reads 32 bytes in any form there is: base64 and base64url, with and without padding. Bits that stand for nothing are zero, so
// that each value has one spelling in each form.
func parseHash(s string) (b [32]byte, err error) {
	const unpadded = 43
	if len(s) == unpadded+1 {
		s = strings.TrimSuffix(s, "=")
	}
	if len(s) != unpadded {
		return b, ErrBase64
	}
	encoding := standardBase64
	if strings.ContainsAny(s, "-_") {
		encoding = urlBase64
	}
	if n, err := encoding.Decode(b[:], []byte(s)); err != nil || n != len(b) {
		return [32]byte{}, ErrBase64
	}
	return b, nil
}

const timeLayout = "2006-01-02T15:04:05.000Z"

// formatTime returns t in the draft's form with three digits of milliseconds. The error is ErrTime for years outside 0 to 9999.
func formatTime(t time.Time) (string, error) {
	t = t.UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		return "", ErrTime
	}
	return t.Format(timeLayout), nil
}

// parseTime reads ISO 8601 in UTC: 2017-12-07T18:47:59Z, with up to nine digits of a fraction, of which milliseconds are kept; +00:00 may
// stand for Z. Every field is checked against its range; there are no leap seconds.
func parseTime(s string) (time.Time, error) {
	s, utc := strings.CutSuffix(s, "Z")
	if !utc {
		if s, utc = strings.CutSuffix(s, "+00:00"); !utc {
			return time.Time{}, ErrTime
		}
	}
	const whole = len("2017-12-07T18:47:59")
	if len(s) < whole || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, ErrTime
	}
	digits := make([]byte, 0, ilpcore.TimestampLength)
	digits = append(append(append(digits, s[:4]...), s[5:7]...), s[8:10]...)
	digits = append(append(append(digits, s[11:13]...), s[14:16]...), s[17:whole]...)
	digits, ok := appendMilliseconds(digits, s[whole:])
	if !ok {
		return time.Time{}, ErrTime
	}
	t, err := ilpcore.ParseTimestamp(digits)
	if err != nil {
		return time.Time{}, ErrTime
	}
	return t, nil
}

// appendMilliseconds appends the first three digits of a fraction with its point, or of none.
func appendMilliseconds(dst []byte, fraction string) (digits []byte, ok bool) {
	if fraction == "" {
		return append(dst, "000"...), true
	}
	if fraction[0] != '.' || len(fraction) == 1 || len(fraction) > len(".123456789") {
		return dst, false
	}
	for _, c := range []byte(fraction[1:]) {
		if c < '0' || c > '9' {
			return dst, false
		}
	}
	return append(dst, (fraction[1:] + "00")[:3]...), true
}
