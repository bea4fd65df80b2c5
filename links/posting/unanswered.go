package posting

// This file says what an HTTP answer without a packet means to the sender of the packet.

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/paydoor/paydoor/ilpcore"
)

// RejectStatus maps a status without a packet (RFC 35 asks for T00 on 5xx, and leaves the others open). Where somebody can mend
// the cause while the sender retries, the code is temporary.
func RejectStatus(status int) ilpcore.Reply {
	code, message := ilpcore.T01, "the peer answered without an ILP packet"
	switch {
	case status >= 500:
		code, message = ilpcore.T00, "the peer failed"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		message = "the peer refused our credentials"
	case status == http.StatusTooManyRequests:
		code, message = ilpcore.T02, "the peer is busy"
	case status == http.StatusBadRequest:
		code, message = ilpcore.F00, "the peer could not read the packet"
	case status == http.StatusRequestEntityTooLarge:
		code, message = ilpcore.F00, "the packet is too long for the peer"
	case status == http.StatusAccepted:
		message = "the peer wants to answer later, which this link does not do"
	case status >= 300 && status < 400:
		message = "the peer redirects, which a link does not follow"
	}
	return ilpcore.Reject(code, "", message, nil)
}

// reason returns the error without the URL that net/http puts around it: a path or query may hold a secret.
func reason(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
