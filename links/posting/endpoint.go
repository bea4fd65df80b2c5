package posting

// This file checks where a link may send to, and how.

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/paydoor/paydoor/internal/loopback"
)

var (
	// ErrEndpoint says that a URL is not one to POST packets to. It never repeats the URL, which may hold a secret.
	ErrEndpoint = errors.New("not an http or https URL without userinfo and fragment")
	// ErrInsecure says that tokens and packets would cross a network unencrypted.
	ErrInsecure = errors.New("plain http to another host shows tokens to the network; use https, or allow it with insecure")
)

// CheckEndpoint returns nil for an https URL, and for an http URL of this machine, or of any with insecure; else ErrEndpoint or ErrInsecure.
func CheckEndpoint(endpoint string, insecure bool) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return ErrEndpoint
	}
	switch u.Scheme {
	case "https":
		return nil
	case "http":
		if insecure || loopback.Host(u.Hostname()) {
			return nil
		}
		return ErrInsecure
	}
	return ErrEndpoint
}

// NewTransport returns the transport a link uses by default: connections are kept, few and bounded in number, HTTP/2 where the
// other side offers it, and never compressed.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxConnsPerHost:        64,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}
}

// NoRedirects is for http.Client.CheckRedirect: it keeps the token with the host it was given for.
func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// HeaderSafe says whether s can stand in a header value as it is: ASCII without control characters.
func HeaderSafe(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
