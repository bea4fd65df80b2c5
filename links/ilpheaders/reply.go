package ilpheaders

// This file writes an answer (draft 1, section "Response").

import (
	"net/http"
	"strings"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// encodeReply writes the headers of a reply by the node self at the time now, and returns the HTTP status. The errors are
// ilpcore.ErrDataTooLong and ilpcore.ErrCode; then nothing is written.
func encodeReply(h http.Header, reply *ilpcore.Reply, self ilpcore.Address, now time.Time) (status int, err error) {
	if len(reply.Data) > ilpcore.MaxData {
		return 0, ilpcore.ErrDataTooLong
	}
	if reply.Fulfilled {
		h[fulfillmentHeader] = []string{formatHash(reply.Fulfillment)}
		return http.StatusOK, nil
	}
	if _, err := ilpcore.ParseCode(reply.Code.String()); err != nil {
		return 0, err
	}
	h[codeHeader] = []string{reply.Code.String()}
	set(h, nameHeader, reply.Code.Name())
	set(h, messageHeader, headerText(reply.Message))
	encodeOrigin(h, reply, self, now)
	return statusOf(reply.Code), nil
}

// encodeOrigin says who made a Reject, when, and who passed it on. A Reject that names nobody and has come over no link like this one
// is the node's own: its links make such ones. Of a Reject that came over a link which tells no time, the time is when it got here.
func encodeOrigin(h http.Header, reply *ilpcore.Reply, self ilpcore.Address, now time.Time) {
	origin, trail := triggeredBy(reply.TriggeredBy), reply.Trail
	own := trail == nil && (origin == "" || origin == string(self))
	if own {
		origin = string(self)
	}
	set(h, triggeredByHeader, origin)
	if trail == nil {
		trail = new(ilpcore.RejectTrail)
	}
	at := trail.TriggeredAt
	if at.IsZero() {
		at = now
	}
	if text, err := formatTime(at); err == nil {
		set(h, triggeredAtHeader, text)
	}
	if own {
		self = ""
	}
	set(h, forwardedByHeader, forwardedBy(trail.ForwardedBy, self))
}

// forwardedBy returns the list with self, if any, at its end. A list that is as long as it may be stays as it is.
func forwardedBy(names []ilpcore.Address, self ilpcore.Address) string {
	var list strings.Builder
	add := func(name ilpcore.Address) {
		if !name.Valid() || list.Len()+1+len(name) > maxForwardedBy {
			return
		}
		if list.Len() > 0 {
			list.WriteByte(',')
		}
		list.WriteString(string(name))
	}
	for _, name := range names[:min(len(names), maxForwarders)] {
		add(name)
	}
	if len(names) < maxForwarders {
		add(self)
	}
	return list.String()
}

// headerText returns a message as one line of ASCII: nothing in it can begin another header.
func headerText(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case r > '~':
			return '?'
		}
		return r
	}, s))
}

// set leaves a header without value out.
func set(h http.Header, name, value string) {
	if value != "" {
		h[name] = []string{value}
	}
}

// statusOf chooses the HTTP status of an error. It is for people and proxies; the ILP headers say what happened.
func statusOf(code ilpcore.Code) int {
	switch code {
	case ilpcore.F02:
		return http.StatusNotFound
	case ilpcore.F08:
		return http.StatusRequestEntityTooLarge
	case ilpcore.T00:
		return http.StatusInternalServerError
	case ilpcore.T05:
		return http.StatusTooManyRequests
	case ilpcore.R00:
		return http.StatusGatewayTimeout
	}
	switch {
	case code.Final(), code.Relative():
		return http.StatusBadRequest
	case code.Temporary():
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
