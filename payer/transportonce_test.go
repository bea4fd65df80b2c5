package payer

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// breaker is a server that takes requests, and breaks connections instead of answering those to /break.
type breaker struct {
	mu   sync.Mutex
	seen []string
}

func (b *breaker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	what := append(append(r.TransferEncoding, r.Header["Content-Length"]...), r.Method, r.URL.Path, string(body))
	b.seen = append(b.seen, strings.Join(append(append(what, r.Header["Idempotency-Key"]...), r.Header["X-Idempotency-Key"]...), " "))
	b.mu.Unlock()
	if r.URL.Path == "/break" {
		panic(http.ErrAbortHandler)
	}
}

// TestRequestsGoOutOnce breaks a connection that was used before. http.Transport alone would send a GET, HEAD or TRACE again, and what has a header
// for that.
func TestRequestsGoOutOnce(t *testing.T) {
	for _, test := range []struct {
		method, path, body, header string
		want                       []string
		broken                     bool
	}{
		{"GET", "/", "", "", []string{"GET / ", "GET / "}, false},
		{"GET", "/break", "", "", []string{"GET / ", "GET /break "}, true},
		{"HEAD", "/break", "", "", []string{"GET / ", "HEAD /break "}, true},
		{"TRACE", "/break", "", "", []string{"GET / ", "TRACE /break "}, true},
		{"GET", "/break", "body", "", []string{"GET / ", "4 GET /break body"}, true},
		{"POST", "/break", "body", "", []string{"GET / ", "4 POST /break body"}, true},
		{"POST", "/break", "", "", []string{"GET / ", "0 POST /break "}, true},
		{"POST", "/break", "body", "Idempotency-Key", []string{"GET / ", "4 POST /break body k"}, true},
		{"POST", "/break", "", "Idempotency-Key", []string{"GET / ", "0 POST /break  k"}, true},
		{"POST", "/", "", "Idempotency-Key", []string{"GET / ", "0 POST /  k"}, false},
		{"PUT", "/break", "body", "X-Idempotency-Key", []string{"GET / ", "4 PUT /break body k"}, true},
		{"DELETE", "/break", "", "X-Idempotency-Key", []string{"GET / ", "DELETE /break  k"}, true},
	} {
		t.Run(strings.Join([]string{test.method, test.path, test.body, test.header}, " "), func(t *testing.T) {
			b := &breaker{}
			server := httptest.NewServer(b)
			defer server.Close()
			transport := &Transport{Link: &network{}, Random: rand.Reader, Now: time.Now, Budget: &Caps{Now: time.Now}, Secret: make([]byte, 32), Base: &http.Transport{}}
			defer transport.CloseIdleConnections()
			for i, r := range []struct{ method, path, body string }{{"GET", "/", ""}, {test.method, test.path, test.body}} {
				request, err := http.NewRequest(r.method, server.URL+r.path, strings.NewReader(r.body))
				if err != nil {
					t.Fatal(err)
				}
				if i == 1 && test.header != "" {
					request.Header.Set(test.header, "k")
				}
				response, err := transport.RoundTrip(request)
				if broken := i == 1 && test.broken; (err != nil) != broken {
					t.Fatalf("request %d: %v", i, err)
				}
				if err == nil {
					discard(response)
				}
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if diff := cmp.Diff(test.want, b.seen); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// stale is kept connections that fail the second request and some more, at one point or another.
type stale struct {
	reused, written bool
	more            int
	conn            net.Conn // all of them; nil: each is another
	bodies          []string
}

func (s *stale) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	s.bodies = append(s.bodies, body)
	if len(s.bodies) < 2 || len(s.bodies) > 2+s.more {
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{}, Body: http.NoBody}, nil
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		conn := s.conn
		if conn == nil {
			conn = new(net.TCPConn)
		}
		trace.GotConn(httptrace.GotConnInfo{Reused: s.reused, Conn: conn})
		if s.written {
			trace.WroteHeaders()
		}
	}
	return nil, io.EOF
}

// TestUnsentRequestsAreSentAgain: what a connection that was closed meanwhile did not take is sent on another.
func TestUnsentRequestsAreSentAgain(t *testing.T) {
	for _, test := range []struct {
		base stale
		body func() io.Reader
		want []string
		err  error
	}{
		{base: stale{reused: true}, body: func() io.Reader { return nil }, want: []string{"", "", ""}},
		{base: stale{reused: true}, body: func() io.Reader { return strings.NewReader("body") }, want: []string{"body", "body", "body"}},
		{base: stale{reused: true}, body: func() io.Reader { return io.MultiReader(strings.NewReader("once")) }, want: []string{"", "once"}, err: io.EOF}, // after OPTIONS
		{base: stale{reused: true, more: 2}, body: func() io.Reader { return strings.NewReader("body") }, want: []string{"body", "body", "body", "body", "body"}},
		{base: stale{reused: true, more: 1000, conn: new(net.TCPConn)}, body: func() io.Reader { return nil }, want: []string{"", "", ""}, err: io.EOF}, // it is the request
		{base: stale{reused: true, written: true}, body: func() io.Reader { return nil }, want: []string{"", ""}, err: io.EOF},
		{base: stale{}, body: func() io.Reader { return nil }, want: []string{"", ""}, err: io.EOF},
	} {
		transport := &Transport{Link: &network{}, Random: rand.Reader, Now: time.Now, Budget: &Caps{Now: time.Now}, Secret: make([]byte, 32), Base: &test.base}
		var err error
		for range 2 {
			request, made := http.NewRequest("GET", "https://shop.example/", test.body())
			if made != nil {
				t.Fatal(made)
			}
			if _, err = transport.RoundTrip(request); err != nil {
				break
			}
		}
		if diff := cmp.Diff(test.want, test.base.bodies); diff != "" || !errors.Is(err, test.err) {
			t.Errorf("%+v: %v, %s", test.base, err, diff)
		}
	}
}
