package caddymodule

// This file knows how an end of a connection that Caddy's HTTP/3 brings about looks to a handler.

import (
	"errors"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// endedHere says whether err, of a request's body or answer, means that this server has ended the connection: when grace_period is over, be
// it after a reload, HTTP/3 closes those that are left, which HTTP/1 and 2 do not. Other ends of ours are for what the client has done.
func endedHere(err error) bool {
	if e, ok := errors.AsType[*http3.Error](err); ok {
		return !e.Remote && e.ErrorCode == http3.ErrCodeNoError
	}
	e, ok := errors.AsType[*quic.ApplicationError](err)
	return ok && !e.Remote && e.ErrorCode == quic.ApplicationErrorCode(http3.ErrCodeNoError)
}
