package btp

// This file opens a WebSocket to the peer.

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"

	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// NewTransport returns the transport Dial uses by default: it honours the usual proxy variables and gives up a connect after ten seconds.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
	}
}

// open dials endpoint and returns the WebSocket and the socket below it. It does not follow redirects and offers no compression.
func open(ctx context.Context, base *http.Transport, endpoint string, writeTimeout time.Duration) (*socket, error) {
	var below *corked
	transport := base.Clone()
	transport.DialContext = corking(base.DialContext, &below, writeTimeout)
	if base.DialTLSContext != nil {
		transport.DialTLSContext = corking(base.DialTLSContext, &below, writeTimeout)
	}
	onlyHTTP1(transport)
	defer transport.CloseIdleConnections()
	keep := &keeping{RoundTripper: transport}
	client := &http.Client{Transport: keep, CheckRedirect: noRedirects}
	conn, _, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return nil, reason(err)
	}
	s := newSocket(below, keep.stream, true, frames.MaxFrame)
	s.shaken = conn // which would close the connection when it is collected
	return s, nil
}

// keeping keeps the connection that an answer has made of the request: the library does the handshake, and no more.
type keeping struct {
	http.RoundTripper
	stream io.ReadWriter
}

// RoundTrip implements http.RoundTripper.
func (k *keeping) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := k.RoundTripper.RoundTrip(r)
	if err == nil {
		k.stream, _ = answer.Body.(io.ReadWriter)
	}
	return answer, err
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// corking wraps the connection that dial opens and leaves it in below. The transport serves one request, so there is only one.
func corking(dial dialFunc, below **corked, timeout time.Duration) dialFunc {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		*below = &corked{Conn: conn, timeout: timeout}
		return *below, nil
	}
}

// onlyHTTP1 keeps the transport from negotiating HTTP/2, over which the library cannot open a WebSocket.
func onlyHTTP1(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = nil // Clone has copied the configuration, so it is ours
	}
}

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// reason returns the error without the URL that net/http puts around it: its path or query may hold a secret.
func reason(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
