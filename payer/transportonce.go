package payer

// This file keeps http.Transport from sending a request twice by itself. It does so with a GET or HEAD when a kept connection of HTTP/1 breaks
// before the answer; the server may have charged for the first, and would charge for the second. Over HTTP/2 it repeats only what no server has
// looked at.

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// roundTrip sends r once. One of which nothing was sent, because the connection was closed while it was idle, is sent on another.
func (p *paidRequest) roundTrip(base http.RoundTripper, r *http.Request) (*http.Response, error) {
	if !p.host.speaksHTTP1() || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return base.RoundTrip(r)
	}
	var reused, written atomic.Bool
	once := r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn:      func(info httptrace.GotConnInfo) { reused.Store(info.Reused) },
		WroteHeaders: func() { written.Store(true) },
	}))
	if once.GetBody = nil; once.Body == nil || once.Body == http.NoBody {
		once.Body = noBody{}
	}
	response, err := base.RoundTrip(once)
	if err == nil || !reused.Load() || written.Load() || r.Context().Err() != nil || r.GetBody == nil && once.Body != (noBody{}) {
		return response, err
	}
	if r.GetBody != nil {
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return base.RoundTrip(r)
}

// noBody is http.NoBody under another name: by that, http.Transport takes a request for one that it may repeat. It sends the same.
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Close() error             { return nil }
