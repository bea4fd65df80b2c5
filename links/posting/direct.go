package posting

// This file posts packets to a node that is reached without TLS and without a proxy. net/http has two goroutines for each connection, and a
// packet is handed from one to the other four times on its way, which costs more than sending it. Here whoever sends a packet writes
// the request and reads the answer.

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// ErrLate says that there was no answer in time.
var ErrLate = errors.New("there was no answer in time")

// Direct posts to one endpoint, over connections that it keeps. It is safe for concurrent use.
type Direct struct {
	address string
	limits  *http.Transport
	busy    chan struct{} // has an element for each request under way

	mu     sync.Mutex
	idle   []*directConn // the one used last is the last
	sweep  *time.Timer   // of idle; nil: there is nothing to sweep
	closed bool          // since the last request
}

// NewDirect returns one with the dialer and the limits of t, or nil where it cannot stand in for t: with TLS, with a proxy, for a host that is not
// written as it is sent, on Windows, or if t is not like that of NewTransport.
func NewDirect(t http.RoundTripper, endpoint *url.URL) *Direct {
	limits, ok := t.(*http.Transport)
	if !canLook || !ok || endpoint.Scheme != "http" || !HeaderSafe(endpoint.Host) || strings.Contains(endpoint.Host, "%") || !likeDirect(limits) {
		return nil
	}
	if limits.Proxy != nil {
		if proxy, err := limits.Proxy(&http.Request{URL: endpoint}); proxy != nil || err != nil {
			return nil
		}
	}
	port := endpoint.Port()
	if port == "" {
		port = "80"
	}
	return &Direct{address: net.JoinHostPort(endpoint.Hostname(), port), limits: limits, busy: make(chan struct{}, limits.MaxConnsPerHost)}
}

// likeDirect says whether t keeps as many connections as it makes, by HTTP/1.1, and has no other limits than a Direct.
func likeDirect(t *http.Transport) bool {
	return t.DialContext != nil && t.MaxConnsPerHost > 0 && t.MaxIdleConnsPerHost >= t.MaxConnsPerHost && t.MaxIdleConns == 0 &&
		!t.DisableKeepAlives && t.ResponseHeaderTimeout == 0 && (t.Protocols == nil || !t.Protocols.UnencryptedHTTP2())
}

// Post sends a POST request, of which head is everything from the request line to "Content-Length: ". It returns the status of the answer, and its
// body of up to limit bytes in the memory of dst, or in more. The errors are that of ctx, ErrLate after the deadline, ErrTooLarge, and
// those of connections; none of them says whether the request arrived.
func (d *Direct) Post(ctx context.Context, deadline time.Time, head, body, dst []byte, limit int) (status int, answer []byte, err error) {
	if err := d.enter(ctx, deadline); err != nil {
		return 0, dst, err
	}
	defer func() { <-d.busy }()
	for {
		c, err := d.connect(ctx, deadline)
		if err != nil {
			return 0, dst, err
		}
		status, answer, err = c.exchange(ctx, deadline, request{head, body}, dst, limit)
		if err == nil && c.reusable {
			d.keep(c)
		} else {
			_ = c.Close()
		}
		if !errors.Is(err, errUnsent) {
			return status, answer, ended(ctx, deadline, err)
		}
	}
}

// enter waits until there may be another request.
func (d *Direct) enter(ctx context.Context, deadline time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case d.busy <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case d.busy <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrLate
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connect returns a connection that was used before and still stands, or a new one.
func (d *Direct) connect(ctx context.Context, deadline time.Time) (*directConn, error) {
	for c := d.takeIdle(); c != nil; c = d.takeIdle() {
		if c.stands() {
			return c, nil
		}
		_ = c.Close()
	}
	limited, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	c, err := d.limits.DialContext(limited, "tcp", d.address)
	if err != nil {
		return nil, ended(ctx, deadline, err)
	}
	return newDirectConn(c, d.limits.MaxResponseHeaderBytes), nil
}

// ended returns why there was an error, if that is the end of ctx or the deadline.
func ended(ctx context.Context, deadline time.Time, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !time.Now().Before(deadline):
		return ErrLate
	}
	return err
}

func (d *Direct) takeIdle() *directConn {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = false
	n := len(d.idle)
	if n == 0 {
		return nil
	}
	c := d.idle[n-1]
	d.idle[n-1], d.idle = nil, d.idle[:n-1]
	return c
}

// keep takes back a connection that can be used again.
func (d *Direct) keep(c *directConn) {
	c.since = time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		_ = c.Close()
		return
	}
	d.idle = append(d.idle, c)
	if d.sweep == nil && d.limits.IdleConnTimeout > 0 {
		d.sweep = time.AfterFunc(d.limits.IdleConnTimeout, d.closeOld)
	}
}

// closeOld closes the connections that were not used for long.
func (d *Direct) closeOld() {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := 0
	for ; old < len(d.idle) && time.Since(d.idle[old].since) >= d.limits.IdleConnTimeout; old++ {
		_ = d.idle[old].Close()
	}
	d.idle = append(d.idle[:0:0], d.idle[old:]...)
	d.sweep = nil
	if len(d.idle) > 0 {
		d.sweep = time.AfterFunc(d.limits.IdleConnTimeout-time.Since(d.idle[0].since), d.closeOld)
	}
}

// CloseIdleConnections closes those that no request uses, and, until there is another request, those that become idle.
func (d *Direct) CloseIdleConnections() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.idle {
		_ = c.Close()
	}
	d.idle, d.closed = nil, true
	if d.sweep != nil {
		d.sweep.Stop()
		d.sweep = nil
	}
}
