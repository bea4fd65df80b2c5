package caddymodule

// This file sends requests that a paywall with a matcher does not see, and that could lead past it.

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestNoWayAroundAMatcher: an h2c tunnel that is opened on a path without a price would carry requests for priced paths, unseen. The backend is
// never asked for one; nor does it see headers that only a paywall may set. WebSockets and the rest go on as they came.
func TestNoWayAroundAMatcher(t *testing.T) {
	for name, paywall := range map[string]string{
		"a path":           "paywall /paid/* 10",
		"a named matcher":  "@paid path /paid/*\npaywall @paid 10",
		"pointers are off": "paywall /paid/* {\nprice 10\npointers off\n}",
		"two paywalls":     "paywall /paid/* 10\npaywall /more/* 20",
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			got := make(chan http.Header, 1)
			s.handler = func(w http.ResponseWriter, r *http.Request) { got <- r.Header }
			s.site = strings.Replace(s.site, "paywall 10", paywall, 1)
			s.load()
			s.payTo(s.do(http.MethodOptions, "/paid/x").Header.Get("Pay"), "100")
			for _, c := range []struct{ path, upgrade, kept, account string }{
				{"/free", "h2c", "", ""},
				{"/free", "websocket", "websocket", ""},
				{"/free", "TLS/1.0", "", ""},
				{"/paid/x", "h2c", "", "ours"},
			} {
				s.raw("GET "+c.path+" HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: "+c.upgrade, "HTTP2-Settings: AAMAAABkAAQAAP__",
					"Pay-Token: "+token, "Paydoor-Account: evil", "Paydoor-Price: 1")
				h := <-got
				account := h.Get("Paydoor-Account")
				if len(account) == 64 {
					account = "ours"
				}
				if h.Get("Upgrade") != c.kept || h.Get("HTTP2-Settings") != "" || account != c.account || (h.Get("Paydoor-Price") == "") != (c.account == "") {
					t.Errorf("%s with Upgrade: %s reaches the backend as %v", c.path, c.upgrade, h)
				}
				if paid := strings.HasPrefix(c.path, "/paid"); (h.Get("Pay-Token") == "") != paid {
					t.Errorf("%s reaches the backend with Pay-Token %q", c.path, h.Get("Pay-Token"))
				}
			}
		})
	}
}

// raw sends the lines of a request's head as they are, and waits for a line of the answer.
func (s *server) raw(lines ...string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.gateway)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, strings.Join(lines, "\r\n")+"\r\nHost: "+s.gateway+"\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		s.t.Fatalf("%s: %q, %v", lines[0], line, err)
	}
}
