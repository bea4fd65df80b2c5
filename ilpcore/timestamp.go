package ilpcore

// This file reads and appends the Interledger timestamp (RFC 30): 17 digits YYYYMMDDHHmmSSfff, always UTC.

import (
	"errors"
	"time"
)

// TimestampLength is the length of an Interledger timestamp in bytes.
const TimestampLength = 17

// ErrTimestamp says that a timestamp is not 17 digits that name a moment of the calendar, or that a time is outside the years 0 to 9999.
var ErrTimestamp = errors.New("not a timestamp of the form YYYYMMDDHHmmSSfff")

// ParseTimestamp reads exactly 17 digits. Every field is checked against its range, the day against its month and leap
// year; there are no leap seconds. The result is in UTC. The error is ErrTimestamp.
func ParseTimestamp(b []byte) (time.Time, error) {
	if len(b) != TimestampLength {
		return time.Time{}, ErrTimestamp
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return time.Time{}, ErrTimestamp
		}
	}
	year := pair(b[0:])*100 + pair(b[2:])
	month, day := pair(b[4:]), pair(b[6:])
	hour, minute, second := pair(b[8:]), pair(b[10:]), pair(b[12:])
	milli := pair(b[14:])*10 + int(b[16]-'0')
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, ErrTimestamp
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, milli*int(time.Millisecond), time.UTC), nil
}

// AppendTimestamp appends the 17 digits of t in UTC, cut to the millisecond. The error is ErrTimestamp for years outside 0 to 9999.
func AppendTimestamp(dst []byte, t time.Time) ([]byte, error) {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return dst, ErrTimestamp
	}
	hour, minute, second := t.Clock()
	dst = appendPair(dst, year/100)
	dst = appendPair(dst, year%100)
	dst = appendPair(dst, int(month))
	dst = appendPair(dst, day)
	dst = appendPair(dst, hour)
	dst = appendPair(dst, minute)
	dst = appendPair(dst, second)
	milli := t.Nanosecond() / int(time.Millisecond)
	dst = appendPair(dst, milli/10)
	return append(dst, '0'+byte(milli%10)), nil
}

// pair returns the number written by the first two digits of b.
func pair(b []byte) int { return int(b[0]-'0')*10 + int(b[1]-'0') }

// appendPair appends n, 0 to 99, as two digits.
func appendPair(dst []byte, n int) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }

// daysIn returns the number of days in a month of the Gregorian calendar.
func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
