package paywall

// These tests run the paywall in a real server before a real httputil.ReverseProxy and a real backend.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/internal/testport"
)

// site is a gateway before a backend, over HTTP/1.1 or HTTP/2.
type site struct {
	*bench
	gateway *httptest.Server
	client  *http.Client
	timeout time.Duration // for the backend's response header
}

func newSite(t testing.TB, http2 bool, target string, rules ...Rule) *site {
	s := &site{bench: newBench(t, rules...), timeout: time.Minute}
	return s.start(http2, target)
}

// newImpatientSite gives a backend a second to begin its answer.
func newImpatientSite(t testing.TB, http2 bool, target string) *site {
	s := &site{bench: newBench(t), timeout: time.Second}
	return s.start(http2, target)
}

func (s *site) start(http2 bool, target string) *site {
	u, err := url.Parse(target)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 50, ResponseHeaderTimeout: s.timeout}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(u) },
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			Undelivered(r.Context(), err)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	s.gateway = httptest.NewUnstartedServer(s.handler(func(w http.ResponseWriter, r *http.Request) error {
		proxy.ServeHTTP(w, r)
		return nil
	}))
	s.gateway.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.gateway.EnableHTTP2 = http2
	if http2 {
		s.gateway.StartTLS()
	} else {
		s.gateway.Start()
	}
	s.client = s.gateway.Client()
	s.t.Cleanup(func() {
		s.client.CloseIdleConnections()
		s.gateway.Close()
		transport.CloseIdleConnections()
	})
	return s
}

func (s *site) get(method, path, token string) (*http.Response, string, error) {
	r, err := http.NewRequest(method, s.gateway.URL+path, nil)
	if err != nil {
		return nil, "", err
	}
	if token != "" {
		r.Header.Set("Pay-Token", token)
	}
	res, err := s.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func backend(t testing.TB, h http.HandlerFunc) string {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func bothVersions(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP/2", func(t *testing.T) { test(t, true) })
}

// 200 concurrent requests on a balance for 10: the backend counts 10, 190 answers are 402, and nothing is left.
func TestNoDoubleSpending(t *testing.T) {
	bothVersions(t, func(t *testing.T, http2 bool) {
		var hits atomic.Int64
		s := newSite(t, http2, backend(t, func(w http.ResponseWriter, _ *http.Request) {
			hits.Add(1)
			fmt.Fprint(w, "paid")
		}))
		s.ledger.credit(t, testToken, 100)
		var paid, refused, other atomic.Int64
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				res, body, err := s.get("GET", "/", testToken)
				switch {
				case err == nil && res.StatusCode == 200 && body == "paid" && res.Header.Get("Pay") != "":
					paid.Add(1)
				case err == nil && res.StatusCode == 402 && len(res.Header["Pay"]) == 1:
					refused.Add(1)
				default:
					other.Add(1)
				}
			})
		}
		wg.Wait()
		if hits.Load() != 10 || paid.Load() != 10 || refused.Load() != 190 || other.Load() != 0 {
			t.Errorf("%d hits, %d paid, %d refused, %d other", hits.Load(), paid.Load(), refused.Load(), other.Load())
		}
		res, _, err := s.get("OPTIONS", "/", testToken)
		if err != nil || res.Header.Get("Pay-Balance") != "0" {
			t.Errorf("%v %v", res, err)
		}
		if left, reserved := s.ledger.state(t, testToken); left != 0 || reserved != 0 || s.ledger.settled != 100 {
			t.Errorf("balance %d, reserved %d, charged %d", left, reserved, s.ledger.settled)
		}
	})
}

// A backend that gives no response costs nothing, and the answer's Pay-Balance says so.
func TestBackendFailures(t *testing.T) {
	closed, err := testport.Next()
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + closed.String()
	release := make(chan struct{})
	failing := backend(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/reset":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			}
		case "/close":
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.Close()
			}
		case "/early":
			w.WriteHeader(103)
			panic(http.ErrAbortHandler)
		case "/hang":
			<-release
		case "/panic":
			panic("backend bug")
		}
	})
	t.Cleanup(func() { close(release) })
	bothVersions(t, func(t *testing.T, http2 bool) {
		for _, test := range []struct{ target, path string }{
			{refusing, "/"}, {failing, "/reset"}, {failing, "/close"}, {failing, "/early"}, {failing, "/hang"}, {failing, "/panic"},
		} {
			s := newImpatientSite(t, http2, test.target)
			s.ledger.credit(t, testToken, 25)
			res, _, err := s.get("POST", test.path, testToken)
			if err != nil {
				t.Errorf("%s: %v", test.path, err)
				continue
			}
			left, reserved := s.ledger.state(t, testToken)
			if res.StatusCode != 502 || res.Header.Get("Pay-Balance") != "25" || left != 25 || reserved != 0 {
				t.Errorf("%s: %d %v, balance %d, reserved %d", test.path, res.StatusCode, res.Header, left, reserved)
			}
		}
	})
}

// A status that no server sends breaks the connection, and costs nothing.
func TestStatusThatIsNone(t *testing.T) {
	target := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			fmt.Fprint(conn, "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n")
			conn.Close()
		}
	})
	bothVersions(t, func(t *testing.T, http2 bool) {
		s := newSite(t, http2, target)
		s.ledger.credit(t, testToken, 25)
		if res, _, err := s.get("POST", "/", testToken); err == nil {
			t.Errorf("it is answered %s", res.Status)
		}
		s.handling.Wait()
		if left, reserved := s.ledger.state(t, testToken); left != 25 || reserved != 0 {
			t.Errorf("balance %d, reserved %d", left, reserved)
		}
	})
}

func TestBackendErrorsAreCharged(t *testing.T) {
	target := backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	bothVersions(t, func(t *testing.T, http2 bool) {
		for _, refund := range []bool{false, true} {
			s := &site{bench: newBench(t)}
			want := "15"
			if refund {
				refundOn("5xx")(&s.config)
				want = "25"
			}
			s.start(http2, target)
			s.ledger.credit(t, testToken, 25)
			res, _, err := s.get("GET", "/", testToken)
			if err != nil || res.StatusCode != 500 || res.Header.Get("Pay-Balance") != want {
				t.Errorf("refund %t: %v %v", refund, res, err)
			}
		}
	})
}

// A response that breaks off after its header was served: the charge stays, and the client sees the break.
func TestPartialBodyIsCharged(t *testing.T) {
	target := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "a part")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	bothVersions(t, func(t *testing.T, http2 bool) {
		s := newSite(t, http2, target)
		s.ledger.credit(t, testToken, 25)
		if _, body, err := s.get("GET", "/", testToken); err == nil {
			t.Errorf("all is well: %q", body)
		}
		s.handling.Wait()
		if left, reserved := s.ledger.state(t, testToken); left != 15 || reserved != 0 {
			t.Errorf("balance %d, reserved %d", left, reserved)
		}
	})
}

func TestClientLeaves(t *testing.T) {
	reached := make(chan struct{}, 1)
	target := backend(t, func(_ http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		<-r.Context().Done()
	})
	bothVersions(t, func(t *testing.T, http2 bool) {
		s := newSite(t, http2, target)
		s.ledger.credit(t, testToken, 25)
		ctx, cancel := context.WithCancel(context.Background())
		r, err := http.NewRequestWithContext(ctx, "GET", s.gateway.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Pay-Token", testToken)
		go func() {
			<-reached
			cancel()
		}()
		if res, err := s.client.Do(r); err == nil {
			res.Body.Close()
			t.Fatalf("%v", res)
		}
		s.handling.Wait()
		// The backend had the request when the client left: it is charged, though the proxy calls that undelivered.
		if left, reserved := s.ledger.state(t, testToken); left != 15 || reserved != 0 {
			t.Errorf("balance %d, reserved %d", left, reserved)
		}
	})
}

func TestEventsArriveOneByOne(t *testing.T) {
	next := make(chan struct{})
	target := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 5 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			http.NewResponseController(w).Flush()
			<-next
		}
	})
	bothVersions(t, func(t *testing.T, http2 bool) {
		s := newSite(t, http2, target)
		s.ledger.credit(t, testToken, 10)
		r, err := http.NewRequest("GET", s.gateway.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Pay-Token", testToken)
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.Header.Get("Pay-Balance") != "0" {
			t.Errorf("%v", res.Header)
		}
		lines := bufio.NewReader(res.Body)
		for i := range 5 {
			// The backend does not go on until this event has arrived.
			line, err := lines.ReadString('\n')
			if err != nil || line != fmt.Sprintf("data: %d\n", i) {
				t.Fatalf("%q, %v", line, err)
			}
			if _, err = lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			next <- struct{}{}
		}
	})
}

// A failed settle reaches the client as a whole 503, though the proxy gives up on its body.
func TestFailedSettleThroughAProxy(t *testing.T) {
	target := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Backend", "x")
		io.WriteString(w, strings.Repeat("content", 10000))
	})
	bothVersions(t, func(t *testing.T, http2 bool) {
		s := newSite(t, http2, target)
		s.ledger.credit(t, testToken, 10)
		s.ledger.noSettle = fmt.Errorf("disk full")
		res, body, err := s.get("GET", "/", testToken)
		if err != nil || res.StatusCode != 503 || res.Header.Get("X-Backend") != "" || !strings.Contains(body, "withheld") {
			t.Errorf("%v %q %v", res, body, err)
		}
	})
}

// Trailers pass, except for names of ours; 402 of the backend turns into a whole 502.
func TestTrailersAndForeign402(t *testing.T) {
	target := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/402" {
			w.WriteHeader(402)
			io.WriteString(w, strings.Repeat("pay me", 10000))
			return
		}
		w.Header().Set("Trailer", "X-Sum, Pay-Balance")
		fmt.Fprint(w, "body")
		w.Header().Set("X-Sum", "1")
		w.Header().Set("Pay-Balance", "1000")
		w.Header().Set(http.TrailerPrefix+"Pay", "evil")
	})
	bothVersions(t, func(t *testing.T, http2 bool) {
		s := newSite(t, http2, target)
		s.ledger.credit(t, testToken, 20)
		res, _, err := s.get("GET", "/", testToken)
		if err != nil || res.Trailer.Get("X-Sum") != "1" || len(res.Trailer["Pay-Balance"]) != 0 || len(res.Trailer["Pay"]) != 0 || res.Header.Get("Pay-Balance") != "10" {
			t.Errorf("%v %v", res, err)
		}
		res, body, err := s.get("GET", "/402", testToken)
		if err != nil || res.StatusCode != 502 || res.Header.Get("Pay-Balance") != "10" || strings.Contains(body, "pay me") || !strings.Contains(body, "given back") {
			t.Errorf("%v %q %v", res, body, err)
		}
	})
}
