package btp

// This file reads the URLs BTP peers are written as, and keeps their tokens out of sight.

import (
	"errors"
	"net/url"
	"strings"

	"github.com/paydoor/paydoor/internal/loopback"
)

var (
	// ErrURL says that a text is no BTP URL. It never repeats the text, which holds a secret.
	ErrURL = errors.New("not a BTP URL such as btp+wss://account:token@host:port/path")
	// ErrInsecure says that the token and the packets would cross a network unencrypted.
	ErrInsecure = errors.New("btp+ws to another host shows the token to the network; use btp+wss, or allow it with insecure")
)

// URL is where a BTP peer is, and who we are there.
type URL struct {
	Endpoint string // ws://… or wss://…, without userinfo
	User     string // may be empty; many peers look at the token alone
	Token    string `json:"-"`
}

// ParseURL reads btp+ws://user:token@host and btp+wss://user:token@host, with or without port, path and query; "btp+" may be missing.
// User and token are taken as they stand, without percent-decoding: that is what JavaScript peers compare. The user may be empty, the
// token not. The error is ErrURL.
func ParseURL(s string) (URL, error) {
	s = strings.TrimPrefix(s, "btp+")
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme != "ws" && scheme != "wss" {
		return URL{}, ErrURL
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return URL{}, ErrURL
	}
	user, token, _ := strings.Cut(authority[:at], ":")
	u := URL{Endpoint: scheme + "://" + authority[at+1:] + tail, User: user, Token: token}
	return u, u.check()
}

// check says whether the parts, which may also come from separate settings, make a URL.
func (u URL) check() error {
	parsed, err := url.Parse(u.Endpoint)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || parsed.Fragment != "" ||
		parsed.Scheme != "ws" && parsed.Scheme != "wss" {
		return ErrURL
	}
	if u.Token == "" || !printable(u.User) || !printable(u.Token) {
		return ErrURL
	}
	return nil
}

// Exposed says whether the token would cross a network unencrypted: ws to a host that is not this one.
func (u URL) Exposed() bool {
	parsed, err := url.Parse(u.Endpoint)
	if err != nil || parsed.Scheme == "wss" {
		return false
	}
	return !loopback.Host(parsed.Hostname())
}

// String returns the URL for people: scheme and host. User, token, path and query stay out of it.
func (u URL) String() string {
	parsed, err := url.Parse(u.Endpoint)
	if err != nil {
		return "btp+?"
	}
	return "btp+" + parsed.Scheme + "://" + parsed.Host
}

// GoString keeps %#v from showing the token.
func (u URL) GoString() string { return "btp.URL{" + u.String() + "}" }

// printable refuses control characters: userinfo has none, and a peer's log might not expect them.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return len(s) <= 4096
}
