package ilpheaders

// This file reads an answer (draft 1, section "Response"). The ILP headers say what it is, and its HTTP status only if there are none.

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/paydoor/paydoor/ilpcore"
)

// Bounds of what is told of a Reject, so that it fits the 16 KiB of headers that we, and Node, read.
const (
	maxMessage     = 1024 // bytes of ILP-Error-Message
	maxForwardedBy = 4096 // bytes of ILP-Error-Forwarded-By
	maxForwarders  = 32   // more than any path has hops
)

// answer is what the headers of a response say. A peer that is out of its mind may send both, or neither.
type answer struct {
	claimsFulfilled bool     // there is an ILP-Fulfillment,
	fulfilled       bool     // and it has the form of one:
	fulfillment     [32]byte // this, which may yet be a wrong one
	rejected        bool     // there is an ILP-Error-Code:
	reject          ilpcore.Reply
}

// decodeResponse reads the headers of an answer. The error is ErrTwice. Other implementations put odd things into an error, and losing one
// would hide why a payment failed: so what is wrong beside its code is left out.
func decodeResponse(h http.Header) (a answer, err error) {
	if err := once(h); err != nil {
		return a, err
	}
	if _, a.claimsFulfilled = h[fulfillmentHeader]; a.claimsFulfilled {
		a.fulfillment, err = parseHash(the(h, fulfillmentHeader))
		a.fulfilled = err == nil
	}
	code, err := ilpcore.ParseCode(the(h, codeHeader))
	if err != nil {
		return a, nil
	}
	a.rejected = true
	a.reject = ilpcore.Reject(code, triggeredBy(the(h, triggeredByHeader)), message(h), nil)
	a.reject.Trail = decodeTrail(h)
	return a, nil
}

// triggeredBy takes what a binary Reject can hold.
func triggeredBy(s string) string {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	if len(s) > ilpcore.MaxAddress {
		return ""
	}
	return s
}

// message returns ILP-Error-Message, which the draft does not have, or else the name of the error.
func message(h http.Header) string {
	text := the(h, messageHeader)
	if text == "" {
		text = the(h, nameHeader)
	}
	if len(text) > maxMessage {
		text = text[:maxMessage]
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "?")
	}
	return text
}

func decodeTrail(h http.Header) *ilpcore.RejectTrail {
	trail := new(ilpcore.RejectTrail)
	if at, err := parseTime(the(h, triggeredAtHeader)); err == nil {
		trail.TriggeredAt = at
	}
	for _, line := range h[forwardedByHeader] {
		for name := range strings.SplitSeq(line, ",") {
			address, err := ilpcore.ParseAddress(strings.Trim(name, " \t"))
			if err == nil && len(trail.ForwardedBy) < maxForwarders {
				trail.ForwardedBy = append(trail.ForwardedBy, address)
			}
		}
	}
	return trail
}
