package caddymodule

// This file looks at what other servers see of a request before it comes to the paywall.

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestForwardAuthAsDocumented: the service that forward_auth asks gets no token with the line that the documents give; who it turns away is not charged, and
// who it lets through is.
func TestForwardAuthAsDocumented(t *testing.T) {
	s := newServer(t)
	seen := make(chan http.Header, 8)
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		if r.Header.Get("X-Key") != "right" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer auth.Close()
	s.site += fmt.Sprintf("\nforward_auth %s {\n\turi /verify\n\theader_up -Pay-Token\n}", strings.TrimPrefix(auth.URL, "http://"))
	s.load()
	right := []string{"X-Key", "right"}
	s.payTo(s.do(http.MethodOptions, "/", right...).Header.Get("Pay"), "100")
	s.want(s.do(http.MethodGet, "/"), http.StatusUnauthorized, "")
	s.want(s.do(http.MethodGet, "/", right...), http.StatusOK, "90")
	for range 3 {
		if h := <-seen; h.Get("Pay-Token") != "" {
			t.Errorf("the service gets %v", h)
		}
	}
}

// TestErrorPagesAsDocumented: a request that fails before the paywall comes to the error routes with its token, which the documented line takes off.
func TestErrorPagesAsDocumented(t *testing.T) {
	s := newServer(t)
	seen := make(chan http.Header, 1)
	s.handler = func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }
	s.site += "\nhandle_errors {\n\trequest_header -Pay-Token\n\treverse_proxy " + s.backend.Listener.Addr().String() + "\n}"
	s.site = strings.Replace(s.site, "paywall 10", "basic_auth {\n\tuser $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n}\npaywall 10", 1)
	s.load()
	s.do(http.MethodGet, "/")
	if h := <-seen; h.Get("Pay-Token") != "" {
		t.Errorf("the error page's server gets %v", h)
	}
}
