package paywall

// These tests look at the bytes of HTTP/1.1: upgrades, 100 Continue and request trailers.

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// An upgraded connection is one request: charged before the 101, then a raw pipe.
func TestWebSocket(t *testing.T) {
	target := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(101)
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.Copy(conn, buffered)
	})
	s := newSite(t, false, target)
	s.ledger.credit(t, testToken, 15)
	conn, err := net.Dial("tcp", s.gateway.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nPay-Token: %s\r\n\r\n", testToken)
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Pay-Balance") != "5" || res.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("%v %v", res, err)
	}
	if left, reserved := s.ledger.state(t, testToken); left != 5 || reserved != 0 {
		t.Errorf("balance %d, reserved %d", left, reserved)
	}
	for _, word := range []string{"ping", "pong"} {
		fmt.Fprintln(conn, word)
		if line, err := reader.ReadString('\n'); err != nil || line != word+"\n" {
			t.Errorf("%q, %v", line, err)
		}
	}
}

// An h2c upgrade would be a tunnel for unpaid requests: the backend never sees it.
func TestH2CIsNotTunnelled(t *testing.T) {
	target := backend(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Upgrade"), r.Header.Get("Http2-Settings"))
	})
	for _, path := range []string{"/", "/free"} {
		s := newSite(t, false, target, rules(t, "price 10", "free /free")...)
		s.ledger.credit(t, testToken, 10)
		r, _ := http.NewRequest("GET", s.gateway.URL+path, nil)
		r.Header.Set("Pay-Token", testToken)
		r.Header.Set("Connection", "Upgrade, HTTP2-Settings")
		r.Header.Set("Upgrade", "h2c")
		r.Header.Set("HTTP2-Settings", "AAMAAABkAAQAAP__")
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || len(body) != 0 {
			t.Errorf("%s: %d %q", path, res.StatusCode, body)
		}
	}
}

// Expect: 100-continue: an unpaid upload is refused before its body is sent, a paid one gets its 100.
func TestExpectContinue(t *testing.T) {
	target := backend(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	s := newSite(t, false, target)
	for _, step := range []string{"402 Payment Required", "100 Continue"} {
		conn, err := net.Dial("tcp", s.gateway.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\nPay-Token: %s\r\n\r\n", testToken)
		reader := bufio.NewReader(conn)
		line, err := reader.ReadString('\n')
		if err != nil || line != "HTTP/1.1 "+step+"\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		if step == "100 Continue" {
			reader.ReadString('\n')
			fmt.Fprint(conn, "abc")
			res, err := http.ReadResponse(reader, nil)
			for err == nil && res.StatusCode == 100 { // the backend's own may follow
				res, err = http.ReadResponse(reader, nil)
			}
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("%v %v", res, err)
			}
			if body, _ := io.ReadAll(res.Body); string(body) != "3" {
				t.Errorf("%q", body)
			}
		}
		conn.Close()
		s.ledger.credit(t, testToken, 10)
	}
}

// A trailer of the client under our names does not reach the backend.
func TestRequestTrailers(t *testing.T) {
	s := newBench(t)
	s.ledger.credit(t, testToken, 10)
	var got http.Header
	gateway := httptest.NewServer(s.handler(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := io.Copy(io.Discard, r.Body)
		got = r.Trailer
		return err
	}))
	defer gateway.Close()
	conn, err := net.Dial("tcp", gateway.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Pay-Token\r\nPay-Token: %s\r\n\r\n"+
		"1\r\na\r\n0\r\nX-Sum: 1\r\nPay-Token: evil\r\nPaydoor-Account: evil\r\n\r\n", testToken)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	if len(got) != 1 || got.Get("X-Sum") != "1" {
		t.Errorf("%v", got)
	}
}
