package btp

// This file reads and appends the GeneralizedTime of BTP Errors (RFC 30, section "Variable-length Timestamps").

import (
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// timeLength is the length of YYYYMMDDHHmmSS.fffZ.
const timeLength = 19

// AppendTime appends t in UTC as YYYYMMDDHHmmSS.fffZ. RFC 30 would drop trailing zeros, but the JavaScript implementations cannot
// read that, while everyone reads three digits. The error is ilpcore.ErrTimestamp for years outside 0 to 9999.
func AppendTime(dst []byte, t time.Time) ([]byte, error) {
	start := len(dst)
	dst, err := ilpcore.AppendTimestamp(dst, t)
	if err != nil {
		return dst, err
	}
	dst = append(dst, 0, 0)
	milli := dst[start+14:]
	copy(milli[1:], milli[:3])
	milli[0], milli[4] = '.', 'Z'
	return dst, nil
}

// ParseTime reads YYYYMMDDHHmmSS, optionally a dot and 1 to 9 digits of which three count, and Z. It is more lenient than RFC 30,
// which forbids trailing zeros. A leap second, :60, is the first moment of the next minute. The error is ilpcore.ErrTimestamp.
func ParseTime(b []byte) (time.Time, error) {
	if len(b) < 15 || len(b) > 25 || b[len(b)-1] != 'Z' {
		return time.Time{}, ilpcore.ErrTimestamp
	}
	digits := [ilpcore.TimestampLength]byte{14: '0', '0', '0'}
	copy(digits[:14], b)
	if fraction := b[14 : len(b)-1]; len(fraction) > 0 {
		if fraction[0] != '.' || len(fraction) == 1 {
			return time.Time{}, ilpcore.ErrTimestamp
		}
		for _, c := range fraction[1:] {
			if c < '0' || c > '9' {
				return time.Time{}, ilpcore.ErrTimestamp
			}
		}
		copy(digits[14:], fraction[1:])
	}
	var leap time.Duration
	if digits[12] == '6' && digits[13] == '0' {
		digits[12], digits[13] = '5', '9'
		leap = time.Second
	}
	t, err := ilpcore.ParseTimestamp(digits[:])
	if err != nil {
		return time.Time{}, err
	}
	if t = t.Add(leap); t.Year() > 9999 {
		return time.Time{}, ilpcore.ErrTimestamp
	}
	return t, nil
}
