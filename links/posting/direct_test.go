//go:build unix

package posting

// This file has peers of all kinds answer a Direct.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/internal/testpeer"
)

func newTestDirect(t *testing.T, transport *http.Transport, endpoint string) *Direct {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDirect(transport, u)
	if d == nil {
		t.Fatalf("%s is not direct", endpoint)
	}
	t.Cleanup(d.CloseIdleConnections)
	return d
}

// send posts text and returns what came back.
func send(ctx context.Context, d *Direct, text string, patience time.Duration) (int, string, error) {
	head := []byte("POST /ilp HTTP/1.1\r\nHost: peer\r\nContent-Length: ")
	status, answer, err := d.Post(ctx, time.Now().Add(patience), head, []byte(text), nil, 1000)
	return status, string(answer), err
}

// peer is a server that counts its connections and answers with what it was sent.
type peer struct {
	*httptest.Server
	opened  atomic.Int64
	open    atomic.Int64
	most    atomic.Int64
	handled atomic.Int64
}

func startPeer(t *testing.T, handler http.HandlerFunc) *peer {
	t.Helper()
	p := new(peer)
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.handled.Add(1)
		handler(w, r)
	}))
	p.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			p.opened.Add(1)
			p.most.Store(max(p.most.Load(), p.open.Add(1)))
		case http.StateClosed, http.StateHijacked:
			p.open.Add(-1)
		}
	}
	p.Start()
	t.Cleanup(p.Close)
	return p
}

func echo(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }

func TestDirectKeepsItsConnection(t *testing.T) {
	p := startPeer(t, echo)
	d := newTestDirect(t, NewTransport(), p.URL)
	for n := range 5 {
		text := strings.Repeat("x", n)
		if status, got, err := send(t.Context(), d, text, time.Minute); status != 200 || got != text || err != nil {
			t.Fatalf("status %d, %q, %v", status, got, err)
		}
	}
	if n := p.opened.Load(); n != 1 {
		t.Errorf("%d connections were opened", n)
	}
	d.CloseIdleConnections()
	await(t, "the connection is open still", func() bool { return p.open.Load() == 0 })
}

// A connection that the other side has closed is not used, so that no packet is lost with it.
func TestDirectNoticesClosedConnections(t *testing.T) {
	p := startPeer(t, echo)
	d := newTestDirect(t, NewTransport(), p.URL)
	for n := range 10 {
		if status, _, err := send(t.Context(), d, "x", time.Minute); status != 200 || err != nil {
			t.Fatalf("request %d: status %d, %v", n, status, err)
		}
		p.CloseClientConnections()
		await(t, "the connection is open still", func() bool { return p.open.Load() == 0 })
		time.Sleep(fresh)
	}
	if n := p.handled.Load(); n != 10 {
		t.Errorf("%d requests arrived", n)
	}
}

// Some servers close each connection after the answer and do not say so.
func TestDirectGetsAlongWithPeersThatJustHangUp(t *testing.T) {
	d := newTestDirect(t, NewTransport(), "http://"+testpeer.Listen(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}))
	for n := range 20 {
		status, got, err := send(t.Context(), d, "x", time.Minute)
		if status != 200 || got != "ok" || err != nil {
			t.Fatalf("request %d: status %d, %q, %v", n, status, got, err)
		}
		await(t, "the connection is open still", func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return len(d.idle) == 0 || !d.idle[0].look.silent()
		})
	}
}

// A connection whose last deadline is over is as good as any.
func TestDirectKeepsConnectionsPastTheirDeadline(t *testing.T) {
	p := startPeer(t, echo)
	d := newTestDirect(t, NewTransport(), p.URL)
	for n := range 3 {
		if status, _, err := send(t.Context(), d, "x", 100*time.Millisecond); status != 200 || err != nil {
			t.Fatalf("request %d: status %d, %v", n, status, err)
		}
		time.Sleep(120 * time.Millisecond)
	}
	if n := p.opened.Load(); n != 1 {
		t.Errorf("%d connections were opened", n)
	}
}

// Answers that a connection of the test writes as they stand.
func TestDirectReadsAnswers(t *testing.T) {
	long := "A: " + strings.Repeat("b", 5000) + "\r\n"
	for name, test := range map[string]struct {
		answer string
		status int
		body   string
		again  bool // the connection can be used again
		err    error
	}{
		"usual":               {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true, nil},
		"in chunks":           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, "ok", true, nil},
		"a long head":         {"HTTP/1.1 200 OK\r\n" + long + "Content-Length: 2\r\n\r\nok", 200, "ok", true, nil},
		"the longest body":    {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 1000), 200, strings.Repeat("x", 1000), true, nil},
		"after interim":       {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true, nil},
		"the last":            {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, nil},
		"HTTP/1.0":            {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, nil},
		"more than one":       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "ok", false, nil},
		"an error":            {"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno", 500, "no", true, nil},
		"a long error":        {"HTTP/1.1 500 Oops\r\nContent-Length: 2000\r\n\r\n" + strings.Repeat("x", 2000), 500, "", false, nil},
		"no content":          {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true, nil},
		"too long":            {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", 0, "", false, ErrTooLarge},
		"too long, in chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + strings.Repeat("x", 1001) + "\r\n0\r\n\r\n", 200, strings.Repeat("x", 1001), false, ErrTooLarge},
		"an endless head":     {"HTTP/1.1 200 OK\r\n" + strings.Repeat(long, 4), 0, "", false, errHead},
		"line feeds alone":    {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok", true, nil},
		"one line feed alone": {"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nok", 200, "ok", true, nil},
		"another protocol":    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 0, "", false, errStatus},
		"endless interim":     {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 10), 0, "", false, errStatus},
	} {
		t.Run(name, func(t *testing.T) {
			var conns atomic.Int64
			d := newTestDirect(t, NewTransport(), "http://"+testpeer.Listen(t, func(c net.Conn) {
				conns.Add(1)
				for {
					if _, err := c.Read(make([]byte, 4096)); err != nil {
						return
					}
					_, _ = io.WriteString(c, test.answer)
				}
			}))
			for range 2 {
				status, got, err := send(t.Context(), d, "x", time.Minute)
				if status != test.status || got != test.body || !errors.Is(err, test.err) {
					t.Fatalf("status %d, %.20q, error %v", status, got, err)
				}
			}
			want := int64(2)
			if test.again {
				want = 1
			}
			if n := conns.Load(); n != want {
				t.Errorf("%d connections, want %d", n, want)
			}
		})
	}
}

// A peer that speaks something else is noticed at its first words, not when the packet's time is over.
func TestDirectIsNotKeptByOtherProtocols(t *testing.T) {
	d := newTestDirect(t, NewTransport(), "http://"+testpeer.Listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.9\r\n")
		_, _ = io.Copy(io.Discard, c)
	}))
	if status, _, err := send(t.Context(), d, "x", 5*time.Second); err == nil || errors.Is(err, ErrLate) {
		t.Errorf("status %d, error %v", status, err)
	}
}

func TestDirectEnds(t *testing.T) {
	address := testpeer.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	d := newTestDirect(t, NewTransport(), "http://"+address)
	if _, _, err := send(t.Context(), d, "x", 30*time.Millisecond); !errors.Is(err, ErrLate) {
		t.Errorf("after the deadline: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(30*time.Millisecond, cancel)
	if _, _, err := send(ctx, d, "x", time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("after a cancel: %v", err)
	}
	if _, _, err := send(ctx, d, "x", time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	// While all connections are in use the next request waits, and no longer than it may.
	one := NewTransport()
	one.MaxConnsPerHost = 1
	d = newTestDirect(t, one, "http://"+address)
	var first sync.WaitGroup
	first.Go(func() { _, _, _ = send(t.Context(), d, "x", 200*time.Millisecond) })
	await(t, "no request is under way", func() bool { return len(d.busy) == 1 })
	if _, _, err := send(t.Context(), d, "x", 30*time.Millisecond); !errors.Is(err, ErrLate) {
		t.Errorf("while all is in use: %v", err)
	}
	first.Wait()
}

func TestDirectHasSoManyConnections(t *testing.T) {
	p := startPeer(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Millisecond)
		echo(w, r)
	})
	transport := NewTransport()
	transport.MaxConnsPerHost, transport.IdleConnTimeout = 3, 50*time.Millisecond
	d := newTestDirect(t, transport, p.URL)
	var sending sync.WaitGroup
	for range 20 {
		sending.Go(func() {
			if status, got, err := send(t.Context(), d, "x", time.Minute); status != 200 || got != "x" || err != nil {
				t.Errorf("status %d, %q, %v", status, got, err)
			}
		})
	}
	sending.Wait()
	if n := p.most.Load(); n > 3 {
		t.Errorf("%d connections at once", n)
	}
	await(t, "idle connections are not closed", func() bool { return p.open.Load() == 0 })
}

// With peers that hang up and senders that give up at any moment each request gets its own answer, or none.
func TestDirectMixesNothingUp(t *testing.T) {
	p := startPeer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch rand.IntN(10) {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			time.Sleep(time.Duration(rand.IntN(int(2 * time.Millisecond))))
		case 2:
			w.Header().Set("Connection", "close")
		case 3:
			w.(http.Flusher).Flush() // in chunks
		}
		_, _ = w.Write(body)
	})
	d := newTestDirect(t, NewTransport(), p.URL)
	var answered atomic.Int64
	var sending sync.WaitGroup
	for worker := range 16 {
		sending.Go(func() {
			for n := range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(4) == 0 {
					time.AfterFunc(time.Duration(rand.IntN(int(time.Millisecond))), cancel)
				}
				text := fmt.Sprintf("%d of %d", n, worker)
				status, got, err := send(ctx, d, text, time.Minute)
				cancel()
				if err == nil {
					answered.Add(1)
					if status != 200 || got != text {
						t.Errorf("%q was answered with status %d, %q", text, status, got)
					}
				}
			}
		})
	}
	sending.Wait()
	if n := answered.Load(); n < 100 {
		t.Errorf("only %d requests were answered", n)
	}
}

func TestNewDirect(t *testing.T) {
	with := func(change func(*http.Transport)) *http.Transport {
		transport := NewTransport()
		change(transport)
		return transport
	}
	unencrypted := new(http.Protocols)
	unencrypted.SetUnencryptedHTTP2(true)
	proxy := func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy.example") }
	for name, test := range map[string]struct {
		transport http.RoundTripper
		endpoint  string
		want      string // where it connects to
	}{
		"plain":              {NewTransport(), "http://127.0.0.1:8080/ilp", "127.0.0.1:8080"},
		"port 80":            {NewTransport(), "http://localhost/", "localhost:80"},
		"IPv6":               {NewTransport(), "http://[::1]/", "[::1]:80"},
		"TLS":                {NewTransport(), "https://localhost/", ""},
		"zone":               {NewTransport(), "http://[fe80::1%25lo]/", ""},
		"not ASCII":          {NewTransport(), "http://münchen.example/", ""},
		"proxy":              {with(func(t *http.Transport) { t.Proxy = proxy }), "http://peer.example/", ""},
		"no keep-alive":      {with(func(t *http.Transport) { t.DisableKeepAlives = true }), "http://127.0.0.1/", ""},
		"without limit":      {with(func(t *http.Transport) { t.MaxConnsPerHost = 0 }), "http://127.0.0.1/", ""},
		"fewer kept":         {with(func(t *http.Transport) { t.MaxIdleConnsPerHost = 1 }), "http://127.0.0.1/", ""},
		"timeout of its own": {with(func(t *http.Transport) { t.ResponseHeaderTimeout = 1 }), "http://127.0.0.1/", ""},
		"HTTP/2 without TLS": {with(func(t *http.Transport) { t.Protocols = unencrypted }), "http://127.0.0.1/", ""},
		"another round trip": {struct{ http.RoundTripper }{}, "http://127.0.0.1/", ""},
		"without any at all": {nil, "http://127.0.0.1/", ""},
		"dialer of its own":  {with(func(t *http.Transport) { t.DialContext = (&net.Dialer{}).DialContext }), "http://127.0.0.1/", "127.0.0.1:80"},
		"dialer of net/http": {with(func(t *http.Transport) { t.DialContext = nil }), "http://127.0.0.1/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(test.endpoint)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if d := NewDirect(test.transport, u); d != nil {
				got = d.address
			}
			if got != test.want {
				t.Errorf("it connects to %q, want %q", got, test.want)
			}
		})
	}
}

// await waits until ok, for ten seconds at most.
func await(t *testing.T, otherwise string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(otherwise)
		}
	}
}
