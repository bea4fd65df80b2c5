package cli

// This file shows requests and answers with -v, and keeps the secrets in them out of sight.

import (
	"net/http"
	"net/url"
	"strings"
)

// watch returns a transport that shows each request and answer with -v.
func (d *display) watch(base http.RoundTripper) http.RoundTripper {
	if !d.verbose {
		return base
	}
	return shown{base, d}
}

type shown struct {
	http.RoundTripper
	show *display
}

// RoundTrip shows the headers on both ways.
func (s shown) RoundTrip(r *http.Request) (*http.Response, error) {
	s.show.step(">", "%s %s", r.Method, s.show.name(r.URL))
	s.show.headers(">", r.Header)
	response, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		s.show.step("*", "%s", clean(plain(err).Error()))
		return nil, err
	}
	s.show.step("<", "%s %s", response.Proto, clean(response.Status))
	s.show.headers("<", response.Header)
	return response, nil
}

// CloseIdleConnections lets the connections below go.
func (s shown) CloseIdleConnections() {
	if base, ok := s.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

func (d *display) headers(mark string, h http.Header) {
	for _, name := range headerNames(h) {
		for _, value := range h[name] {
			d.step(mark, "%s: %s", name, masked(name, value))
		}
	}
	d.step(mark, "")
}

// masked is the value of a header without what is secret in it.
func masked(name, value string) string {
	switch name {
	case "Pay-Token":
		return maskedToken(value)
	case "Pay":
		if fields := strings.Fields(value); len(fields) > 2 {
			fields[2] = "SECRET"
			return clean(strings.Join(fields, " "))
		}
	case "Location", "Content-Location", "Referer":
		u, err := url.Parse(value)
		if err != nil {
			return "SECRET"
		}
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		return clean(u.String())
	case "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie":
		return "SECRET"
	}
	for _, end := range []string{"token", "secret", "password", "key"} {
		if strings.HasSuffix(strings.ToLower(name), end) {
			return "SECRET"
		}
	}
	return clean(value)
}

// maskedToken shows enough of a token to tell it from others.
func maskedToken(token string) string { return clean(token[:min(4, len(token))]) + "…" }
