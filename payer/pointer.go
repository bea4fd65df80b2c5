package payer

// This file reads payment pointers (Interledger's payment pointer syntax) and the URLs that may stand in their place.

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrPointer says that a text is neither a payment pointer nor a URL that may be used as one.
var ErrPointer = errors.New("not a payment pointer")

// wellKnown is the path of a payment pointer without one.
const wellKnown = "/.well-known/pay"

// ParsePointer reads a payment pointer such as "$wallet.example/alice" and returns the https URL that it stands for: a path that
// is empty or "/" becomes "/.well-known/pay", and a slash at the end of others is dropped. A URL is taken as it is, if it is an
// https URL, or an http one with insecure, which also makes payment pointers http. User names, fragments and, in payment
// pointers, ports (but for insecure) and queries are refused. The error wraps ErrPointer.
func ParsePointer(s string, insecure bool) (*url.URL, error) {
	scheme := "https"
	if insecure {
		scheme = "http"
	}
	rest, pointer := strings.CutPrefix(s, "$")
	if pointer {
		s = scheme + "://" + rest
	}
	u, err := url.Parse(s)
	switch {
	case err != nil && strings.Contains(s, "@"): // what stands before that may be a password
		return nil, fmt.Errorf("%w: it cannot be read, and seems to hold a user name", ErrPointer)
	case err != nil:
		return nil, fmt.Errorf("%w: %.100q cannot be read", ErrPointer, s) // url's own error repeats all of it
	case pointer && (u.RawQuery != "" || u.ForceQuery || u.Port() != "" && !insecure || strings.HasSuffix(u.Host, ":")):
		return nil, fmt.Errorf("%w: a host and a path, without port and query, make a payment pointer", ErrPointer)
	}
	if err := checkPointerURL(u, insecure); err != nil {
		return nil, err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = wellKnown, ""
	} else if pointer {
		u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	}
	return u, nil
}

// checkPointerURL checks what holds for a pointer's URL and for each that it redirects to.
func checkPointerURL(u *url.URL, insecure bool) error {
	switch {
	case u.Scheme == "http" && !insecure:
		return fmt.Errorf("%w: %.100q is not https", ErrPointer, u.Redacted())
	case u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "" || u.Hostname() == "" || strings.ContainsAny(u.Hostname(), "!$&'()*+,;=% "):
		return fmt.Errorf("%w: write $host/path or https://host/path", ErrPointer)
	case u.User != nil:
		return fmt.Errorf("%w: it holds a user name", ErrPointer)
	case u.Fragment != "" || u.RawFragment != "":
		return fmt.Errorf("%w: it holds a fragment", ErrPointer)
	}
	return nil
}
