package ilpcore

// This file holds the grammar of ILP addresses (RFC 15) and the prefix rule that respects segments.

import "errors"

// ErrAddress says that a text is not an ILP address. It does not repeat the text, which may hold a payment's token.
var ErrAddress = errors.New("not an ILP address")

// Address is an ILP address (RFC 15) such as "test.alice": an allocation scheme (g, private, example, peer, self, test, test1,
// test2, test3, local) and at least one more segment of letters, digits, "_", "~" and "-", joined by dots; case matters;
// at most 1023 bytes. The zero value means that no address is known.
type Address string

// ParseAddress checks s and returns it as an Address, or ErrAddress.
func ParseAddress(s string) (Address, error) {
	if !validAddress(s) {
		return "", ErrAddress
	}
	return Address(s), nil
}

// ValidAddress reports whether b is an ILP address.
func ValidAddress(b []byte) bool { return validAddress(b) }

// ValidSegment reports whether s may stand between two dots of an address: letters, digits, "_", "~" and "-", at least one.
func ValidSegment(s string) bool {
	for i := 0; i < len(s); i++ {
		if !segmentByte[s[i]] {
			return false
		}
	}
	return s != ""
}

// Valid reports whether a is an ILP address; the zero value is not.
func (a Address) Valid() bool { return validAddress(a) }

// String returns the address as text.
func (a Address) String() string { return string(a) }

// Scheme returns the first segment, the allocation scheme: "g", "test", "peer" and so on; "" when a has no dot.
func (a Address) Scheme() string { return string(a[:scheme(a)]) }

// Suffix tells whether dest lies at or below a. It is cut on segment boundaries: a itself gives ("", true), a+".x.y" gives
// ("x.y", true), and a+"x" is not below a. rest aliases dest. Nothing lies below the empty address.
func (a Address) Suffix(dest []byte) (rest []byte, ok bool) {
	if a == "" || len(dest) < len(a) || string(dest[:len(a)]) != string(a) {
		return nil, false
	}
	rest = dest[len(a):]
	if len(rest) == 0 {
		return rest, true
	}
	if rest[0] != '.' {
		return nil, false
	}
	return rest[1:], true
}

// With returns the address one segment below a, or more when segment holds dots. The error is ErrAddress when the result is
// no address or too long.
func (a Address) With(segment string) (Address, error) {
	return ParseAddress(string(a) + "." + segment)
}

// validAddress walks the bytes once: a known scheme, then segments that are not empty.
func validAddress[T ~string | ~[]byte](b T) bool {
	start := scheme(b)
	if start == 0 || len(b) > MaxAddress {
		return false
	}
	segments := b[start+1:]
	empty := true // whether the segment at hand has no byte yet
	for i := 0; i < len(segments); i++ {
		if segmentByte[segments[i]] {
			empty = false
		} else if segments[i] == '.' && !empty {
			empty = true
		} else {
			return false
		}
	}
	return !empty
}

// scheme returns the length of the allocation scheme at the start of b, or 0 when there is none followed by a dot.
func scheme[T ~string | ~[]byte](b T) int {
	for i := 0; i < len(b) && i <= len("private"); i++ {
		if b[i] != '.' {
			continue
		}
		switch string(b[:i]) {
		case "g", "private", "example", "peer", "self", "test", "test1", "test2", "test3", "local":
			return i
		}
		return 0
	}
	return 0
}

// segmentByte holds true for the bytes a segment is made of.
var segmentByte = func() (table [256]bool) {
	for c := range table {
		switch b := byte(c); {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '_', b == '~', b == '-':
			table[c] = true
		}
	}
	return table
}()
