package payer

// This file keeps http.Transport from sending a request twice by itself. It does so with some when a kept connection of HTTP/1 breaks before the
// answer; the server may have charged for the first, and would charge for the second. Over HTTP/2 it repeats only what no server has looked at.

import (
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
)

// repeatHeaders are those by which http.Transport takes any request for one that it may repeat.
var repeatHeaders = []string{"Idempotency-Key", "X-Idempotency-Key"}

// roundTrip sends r once. One of which nothing was sent, because the connection was closed while it was idle, is sent on another.
func (p *paidRequest) roundTrip(base http.RoundTripper, r *http.Request) (*http.Response, error) {
	if !p.host.speaksHTTP1() || !repeatable(r) {
		return base.RoundTrip(r)
	}
	for before := net.Conn(nil); ; {
		var used atomic.Pointer[httptrace.GotConnInfo]
		var written atomic.Bool
		response, err := base.RoundTrip(unrepeatable(r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			GotConn:      func(info httptrace.GotConnInfo) { used.Store(&info) },
			WroteHeaders: func() { written.Store(true) },
		}))))
		got := used.Load()
		if err == nil || got == nil || !got.Reused || written.Load() || r.Context().Err() != nil {
			return response, err
		}
		if got.Conn != nil && got.Conn == before { // it stands, so it is the request that cannot be sent, over HTTP/2 after all
			return response, err
		}
		before = got.Conn
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// repeatable says whether http.Transport would repeat r, and a server charge for both. For OPTIONS, which asks the price, none does.
func repeatable(r *http.Request) bool {
	if !replayable(r) || r.Method == http.MethodOptions {
		return false
	}
	return repeatedMethod(r) || slices.ContainsFunc(repeatHeaders, func(name string) bool { _, there := r.Header[name]; return there })
}

// repeatedMethod says whether http.Transport repeats whatever has the method of r.
func repeatedMethod(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodTrace:
		return true
	}
	return false
}

// unrepeatable changes r into one that http.Transport does not repeat, and that is the same on the wire.
func unrepeatable(r *http.Request) *http.Request {
	r.GetBody = nil // with a body this is enough
	switch {
	case r.Body != nil && r.Body != http.NoBody:
	case repeatedMethod(r):
		r.Body, r.TransferEncoding = noBody{}, []string{"identity"} // not as a body of chunks
	default: // its Content-Length of 0 needs the body of none, so the headers go, which have no case, under names that http.Transport does not look for
		r.Header = r.Header.Clone()
		for _, name := range repeatHeaders {
			if values, there := r.Header[name]; there {
				delete(r.Header, name)
				r.Header[strings.ToLower(name)] = values
			}
		}
	}
	return r
}

// noBody is http.NoBody under another name: by that, http.Transport takes a request for one that it may repeat. It sends the same.
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Close() error             { return nil }
