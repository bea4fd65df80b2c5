package ilphttp

// This file names what a Client shares with the other link over HTTP.

import (
	"net/http"

	"github.com/paydoor/paydoor/links/posting"
)

var (
	// ErrEndpoint says that a URL is not one to POST packets to. It never repeats the URL, which may hold a secret.
	ErrEndpoint = posting.ErrEndpoint
	// ErrInsecure says that tokens and packets would cross a network unencrypted.
	ErrInsecure = posting.ErrInsecure
)

// NewTransport returns the transport a Client uses by default.
func NewTransport() *http.Transport { return posting.NewTransport() }
