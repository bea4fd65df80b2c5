package posting

// This file reads the head of an answer in the form that nearly all have.

import "bytes"

var usualStatus = []byte("HTTP/1.1 200 ")

// usual returns the length of the body behind a head, from the status line to the empty line, of status 200 whose connection goes on and whose
// body has a plain length. For all others, whatever is wrong or only rare about them, ok is false.
func usual(head []byte) (length int, ok bool) {
	if !bytes.HasPrefix(head, usualStatus) {
		return 0, false
	}
	length = -1
	line, rest, _ := bytes.Cut(head[len(usualStatus):], []byte("\r\n"))
	if !plain(line) {
		return 0, false
	}
	for {
		if line, rest, ok = bytes.Cut(rest, []byte("\r\n")); !ok {
			return 0, false
		}
		if len(line) == 0 {
			return length, length >= 0 && len(rest) == 0
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || !token(name) || !plain(value) {
			return 0, false
		}
		value = bytes.Trim(value, " ")
		switch {
		case len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")):
			if length >= 0 {
				return 0, false
			}
			if length = digits(value); length < 0 {
				return 0, false
			}
		case len(name) == len("Connection") && bytes.EqualFold(name, []byte("Connection")):
			if !bytes.EqualFold(value, []byte("keep-alive")) {
				return 0, false
			}
		case len(name) == len("Transfer-Encoding") && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return 0, false
		}
	}
}

// mayBeUsual says whether what has come of a head without its end may still become a usual one.
func mayBeUsual(seen []byte) bool {
	n := min(len(seen), len(usualStatus))
	return bytes.Equal(seen[:n], usualStatus[:n]) && !bytes.Contains(seen, []byte("\n\n")) && !bytes.Contains(seen, []byte("\n\r\n"))
}

// token says whether b is letters, digits and hyphens, of which the names of headers are made.
func token(b []byte) bool {
	for _, c := range b {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(b) > 0
}

// plain says whether b is ASCII without control characters.
func plain(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// digits returns the number that one to seven digits are, or -1.
func digits(b []byte) (n int) {
	if len(b) == 0 || len(b) > 7 {
		return -1
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
