package paywall

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
)

var errBackend = errors.New("dial tcp: connection refused")

// sendUpstream does what a transport does when it has written the request's headers.
func sendUpstream(r *http.Request) { httptrace.ContextClientTrace(r.Context()).WroteHeaders() }

// TestOutcomes is D6 row by row: who pays in the end, and what the client sees. The client in "leaves" cancels its request.
func TestOutcomes(t *testing.T) {
	write := func(w http.ResponseWriter, s string) error {
		_, err := io.WriteString(w, s)
		return err
	}
	for _, test := range []struct {
		name     string
		config   func(*Config)
		next     func(w http.ResponseWriter, r *http.Request, leave func()) error
		charged  amount.Amount
		status   int
		outcomes string
	}{
		{name: "200", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error { return write(w, "ok") }, charged: 10, status: 200},
		{name: "no header, no body", next: func(http.ResponseWriter, *http.Request, func()) error { return nil }, charged: 10, status: 200},
		{name: "empty write", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error { return write(w, "") }, charged: 10, status: 200},
		{name: "only a flush", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error {
			return http.NewResponseController(w).Flush()
		}, charged: 10, status: 200},
		{name: "only ReadFrom", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error {
			_, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("ok"))
			return err
		}, charged: 10, status: 200},
		{name: "206", next: status(206), charged: 10, status: 206},
		{name: "304", next: status(304), charged: 10, status: 304},
		{name: "404", next: status(404), charged: 10, status: 404},
		{name: "500", next: status(500), charged: 10, status: 500},
		{name: "502 of the backend", next: status(502), charged: 10, status: 502},
		{name: "500 with refund_on 5xx", config: refundOn("5xx"), next: status(500), status: 500},
		{name: "404 with refund_on 5xx", config: refundOn("5xx"), next: status(404), charged: 10, status: 404},
		{name: "404 with refund_on 404 503", config: refundOn("404", "503"), next: status(404), status: 404},
		{name: "503 with refund_on 404 503", config: refundOn("404", "503"), next: status(503), status: 503},
		{name: "402", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error {
			w.Header().Set("X-Backend", "x")
			w.WriteHeader(402)
			return write(w, "pay me too")
		}, status: 502},
		{name: "402 passed", config: func(c *Config) { c.PassBackend402 = true }, next: status(402), charged: 10, status: 402},
		{name: "103 then 200", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error {
			w.WriteHeader(103)
			return write(w, "ok")
		}, charged: 10, status: 200},
		{name: "103 then error", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error {
			w.WriteHeader(103)
			return errBackend
		}, status: 502},
		{name: "error", next: func(http.ResponseWriter, *http.Request, func()) error { return errBackend }, status: 502},
		{name: "error after the request was sent", next: func(_ http.ResponseWriter, r *http.Request, _ func()) error {
			sendUpstream(r)
			return errBackend
		}, status: 502},
		{name: "error after the header", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error {
			w.WriteHeader(200)
			return errBackend
		}, charged: 10, status: 200},
		{name: "proxy writes its own 502", next: func(w http.ResponseWriter, r *http.Request, _ func()) error {
			Undelivered(r.Context(), errBackend)
			w.WriteHeader(502)
			return nil
		}, status: 502},
		{name: "client leaves before anything was sent", next: func(_ http.ResponseWriter, _ *http.Request, leave func()) error {
			leave()
			return context.Canceled
		}, status: 502},
		{name: "client leaves after it was sent", next: func(_ http.ResponseWriter, r *http.Request, leave func()) error {
			sendUpstream(r)
			leave()
			return context.Canceled
		}, charged: 10, status: 502},
		{name: "client leaves, 499, not sent", next: func(w http.ResponseWriter, _ *http.Request, leave func()) error {
			leave()
			w.WriteHeader(499)
			return nil
		}, status: 499},
		{name: "client leaves, 499, sent", next: func(w http.ResponseWriter, r *http.Request, leave func()) error {
			sendUpstream(r)
			leave()
			w.WriteHeader(499)
			return nil
		}, charged: 10, status: 499},
		{name: "499 of the backend", next: status(499), charged: 10, status: 499},
		{name: "client leaves silently, not sent", next: func(_ http.ResponseWriter, _ *http.Request, leave func()) error {
			leave()
			return nil
		}, status: 200},
		{name: "client leaves while the answer comes", next: func(w http.ResponseWriter, r *http.Request, leave func()) error {
			sendUpstream(r)
			leave()
			return write(w, "ok")
		}, charged: 10, status: 200},
		{name: "too many headers", next: func(w http.ResponseWriter, _ *http.Request, _ func()) error {
			w.WriteHeader(200)
			w.WriteHeader(500)
			return nil
		}, charged: 10, status: 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.ledger.credit(t, testToken, 25)
			if test.config != nil {
				test.config(&b.config)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			w := b.do(func(w http.ResponseWriter, r *http.Request) error { return test.next(w, r, cancel) },
				request("GET", "/", testToken).WithContext(ctx))
			left, reserved := b.ledger.state(t, testToken)
			if w.Code != test.status || left != 25-test.charged || reserved != 0 || b.ledger.settled != test.charged {
				t.Errorf("%d, balance %d, reserved %d, charged %d", w.Code, left, reserved, b.ledger.settled)
			}
			if h := w.Header(); len(h["Pay-Balance"]) != 1 || h.Get("Pay-Balance") != left.String() || len(h["Pay"]) != 1 || h.Get("Vary") != "Pay-Token" || h.Get("Cache-Control") != "private" {
				t.Errorf("headers %v", h)
			}
			want := "reserved released "
			if test.charged > 0 {
				want = "reserved settled "
			}
			if b.outcomes() != want {
				t.Errorf("%s", b.outcomes())
			}
			if test.name == "402" && (w.Header().Get("X-Backend") != "" || strings.Contains(w.Body.String(), "pay me too") || !strings.Contains(w.Body.String(), "given back")) {
				t.Errorf("%v %s", w.Header(), w.Body)
			}
		})
	}
}

func status(code int) func(http.ResponseWriter, *http.Request, func()) error {
	return func(w http.ResponseWriter, _ *http.Request, _ func()) error {
		w.WriteHeader(code)
		return nil
	}
}

func refundOn(statuses ...string) func(*Config) {
	return func(c *Config) {
		for _, s := range statuses {
			r, err := ParseStatusRange(s)
			if err != nil {
				panic(err)
			}
			c.RefundOn = append(c.RefundOn, r)
		}
	}
}

func TestStatusRanges(t *testing.T) {
	for _, s := range []string{"", "5", "5XX", "1xx", "100", "600", "5x", "-04", "+40", "99", "xxx", "4040"} {
		if r, err := ParseStatusRange(s); err == nil {
			t.Errorf("%q: %v", s, r)
		}
	}
}

func TestErrorIsReturnedUnchanged(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 10)
	err := b.paywall().ServeHTTP(httptest.NewRecorder(), request("GET", "/", testToken), func(http.ResponseWriter, *http.Request) error { return errBackend })
	if err != errBackend {
		t.Errorf("%v", err)
	}
}

func TestPanicReleasesAndPasses(t *testing.T) {
	for _, value := range []any{http.ErrAbortHandler, "some panic"} {
		for charged, after := range map[amount.Amount]func(http.ResponseWriter){0: func(http.ResponseWriter) {}, 10: func(w http.ResponseWriter) { w.WriteHeader(200) }} {
			b := newBench(t)
			b.ledger.credit(t, testToken, 10)
			func() {
				defer func() {
					if got := recover(); got != value {
						t.Errorf("recovered %v, want %v", got, value)
					}
				}()
				b.do(func(w http.ResponseWriter, _ *http.Request) error {
					after(w)
					panic(value)
				}, request("GET", "/", testToken))
			}()
			if left, reserved := b.ledger.state(t, testToken); left != 10-charged || reserved != 0 {
				t.Errorf("%v: balance %d, reserved %d", value, left, reserved)
			}
		}
	}
}

// The charge is durable before the first byte goes to the client.
func TestSettleComesBeforeTheFirstByte(t *testing.T) {
	for name, next := range map[string]Next{
		"WriteHeader": answer(200),
		"Write":       func(w http.ResponseWriter, _ *http.Request) error { _, err := w.Write([]byte("x")); return err },
		"ReadFrom": func(w http.ResponseWriter, _ *http.Request) error {
			_, err := io.Copy(w, bytes.NewReader([]byte("x")))
			return err
		},
		"Flush": func(w http.ResponseWriter, _ *http.Request) error { w.(http.Flusher).Flush(); return nil },
		"Hijack": func(w http.ResponseWriter, _ *http.Request) error {
			_, _, err := w.(http.Hijacker).Hijack()
			return err
		},
		"101": func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(101)
			_, _, err := http.NewResponseController(w).Hijack()
			return err
		},
	} {
		b := newBench(t)
		b.ledger.credit(t, testToken, 10)
		out := &spyWriter{header: http.Header{}}
		b.ledger.onSettle = func() {
			if out.touched {
				t.Errorf("%s: something went out before the charge", name)
			}
		}
		if err := b.paywall().ServeHTTP(out, request("GET", "/", testToken), next); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if b.ledger.settles != 1 || !out.touched {
			t.Errorf("%s: %d charges", name, b.ledger.settles)
		}
	}
}

// spyWriter is a server's writer that notes whether anything went out.
type spyWriter struct {
	header  http.Header
	touched bool
	status  int
	body    bytes.Buffer
}

func (s *spyWriter) Header() http.Header { return s.header }
func (s *spyWriter) WriteHeader(status int) {
	s.touched, s.status = true, status
}
func (s *spyWriter) Write(p []byte) (int, error) {
	s.touched = true
	return s.body.Write(p)
}
func (s *spyWriter) Flush() { s.touched = true }
func (s *spyWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	s.touched = true
	return nil, nil, nil
}

// A charge that cannot be made durable withholds the answer: 503 with nothing of the backend's.
func TestFailedSettle(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 10)
	b.ledger.noSettle = errors.New("disk full")
	w := httptest.NewRecorder()
	w.Header().Set("Server", "outer")
	err := b.paywall().ServeHTTP(w, request("GET", "/", testToken), func(w http.ResponseWriter, _ *http.Request) error {
		h := w.Header()
		h.Set("Server", "backend")
		h.Set("Set-Cookie", "session=1")
		w.WriteHeader(200)
		if _, err := w.Write([]byte("secret content")); err == nil {
			t.Error("Write took the content")
		}
		if _, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("secret content")); err == nil {
			t.Error("ReadFrom took the content")
		}
		if err := http.NewResponseController(w).Flush(); err == nil {
			t.Error("Flush says that all is well")
		}
		_, _, err := http.NewResponseController(w).Hijack()
		return err
	})
	if err != nil {
		t.Errorf("%v", err)
	}
	if w.Code != 503 || w.Header().Get("Server") != "outer" || w.Header().Get("Set-Cookie") != "" || strings.Contains(w.Body.String(), "secret content") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w.Header().Get("Retry-After") == "" || w.Header().Get("Pay-Balance") != "" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v", w.Header())
	}
	if left, reserved := b.ledger.state(t, testToken); left != 10 || reserved != 0 || b.outcomes() != "reserved unsettled " {
		t.Errorf("balance %d, reserved %d, %s", left, reserved, b.outcomes())
	}
}

func TestHijackThatCannotWorkIsNotCharged(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 10)
	w := b.do(func(w http.ResponseWriter, _ *http.Request) error {
		_, _, err := w.(http.Hijacker).Hijack() // the recorder cannot
		return err
	}, request("GET", "/", testToken))
	if w.Code != 502 || b.ledger.settles != 0 {
		t.Errorf("%d, %d charges", w.Code, b.ledger.settles)
	}
}

// A node that lost its address still serves what is paid for.
func TestPaidAnswerWithoutAddress(t *testing.T) {
	b := newBench(t)
	b.quoter.err = ErrNoAddress
	b.ledger.credit(t, testToken, 10)
	w := b.do(answer(200), request("GET", "/", testToken))
	if w.Code != 200 || w.Header().Get("Pay-Balance") != "0" || len(w.Header()["Pay"]) != 0 {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestBackendMayNotMakeItPublic(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 10)
	w := b.do(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", "public, max-age=60, s-maxage=600")
		w.Header().Set("CDN-Cache-Control", "max-age=600")
		w.Header().Set("Vary", "Accept-Encoding")
		return nil
	}, request("GET", "/", testToken))
	if h := w.Header(); h.Get("Cache-Control") != "private, max-age=60" || h.Get("CDN-Cache-Control") != "" || strings.Join(h["Vary"], ", ") != "Accept-Encoding, Pay-Token" {
		t.Errorf("%v", h)
	}
}
