//go:build linux

package main

// This file is a node over HTTP without accounts and packets: a request that Caddy serves, its body in a request by Paydoor's own client,
// and the body of that answer in ours.

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/paydoor/paydoor/links/posting"
)

const (
	largestBody = 64 << 10
	mediaType   = "application/octet-stream"
)

func init() {
	caddy.RegisterModule(new(forwarded))
	httpcaddyfile.RegisterHandlerDirective("forwarded", readForwarded)
	httpcaddyfile.RegisterDirectiveOrder("forwarded", httpcaddyfile.Before, "reverse_proxy")
}

// forwarded is the handler.
type forwarded struct {
	To string `json:"to"` // the URL

	direct *posting.Direct
	head   []byte
	bodies sync.Pool // of *bodies
}

type bodies struct{ request, answer []byte }

var (
	_ caddy.Provisioner           = (*forwarded)(nil)
	_ caddyhttp.MiddlewareHandler = (*forwarded)(nil)
)

func readForwarded(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	f := new(forwarded)
	if h.Next(); !h.Args(&f.To) {
		return nil, h.Err("write the URL to post to: forwarded http://127.0.0.1:3000/")
	}
	return f, nil
}

func (*forwarded) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.forwarded", New: func() caddy.Module { return new(forwarded) }}
}

func (f *forwarded) Provision(caddy.Context) error {
	to, err := url.Parse(f.To)
	if err != nil {
		return err
	}
	if f.direct = posting.NewDirect(posting.NewTransport(), to); f.direct == nil {
		return errors.New("forwarded needs an http URL that is reached without a proxy")
	}
	f.head = []byte("POST " + to.RequestURI() + " HTTP/1.1\r\nHost: " + to.Host + "\r\nContent-Type: " + mediaType + "\r\nContent-Length: ")
	f.bodies.New = func() any { return new(bodies) }
	return nil
}

func (f *forwarded) Cleanup() error {
	if f.direct != nil {
		f.direct.CloseIdleConnections()
	}
	return nil
}

func (f *forwarded) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	if r.ContentLength < 0 || r.ContentLength > largestBody {
		return caddyhttp.Error(http.StatusLengthRequired, errors.New("a body of known length is needed"))
	}
	b := f.bodies.Get().(*bodies)
	defer f.bodies.Put(b)
	b.request = append(b.request[:0], make([]byte, r.ContentLength)...)
	if _, err := io.ReadFull(r.Body, b.request); err != nil {
		return caddyhttp.Error(http.StatusBadRequest, err)
	}
	status, answer, err := f.direct.Post(r.Context(), time.Now().Add(10*time.Second), f.head, b.request, b.answer[:0], largestBody)
	b.answer = answer
	if err != nil {
		return caddyhttp.Error(http.StatusBadGateway, err)
	}
	w.Header()["Content-Type"] = []string{mediaType}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))}
	w.WriteHeader(status)
	_, err = w.Write(answer)
	return err
}
