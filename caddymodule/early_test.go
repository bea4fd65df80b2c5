package caddymodule

// This file sends requests over HTTP/3 in early data, which Caddy takes unless told otherwise.

import (
	"crypto/tls"
	"net/http"
	"strconv"
	"testing"

	"github.com/quic-go/quic-go/http3"
)

// notedSessions says when the server has given a session to resume.
type notedSessions struct {
	tls.ClientSessionCache
	put chan struct{}
}

func (n notedSessions) Put(key string, session *tls.ClientSessionState) {
	n.ClientSessionCache.Put(key, session)
	select {
	case n.put <- struct{}{}:
	default:
	}
}

// TestEarlyDataOverHTTP3 resumes sessions, so that requests come before the handshake is complete: those get 425 and cost nothing. A slow machine may read one
// after the handshake; it is then like any other.
func TestEarlyDataOverHTTP3(t *testing.T) {
	s := newServer(t)
	url, trust := s.overHTTP3()
	s.load()
	s.pay("1000")
	sessions := notedSessions{tls.NewLRUClientSessionCache(1), make(chan struct{}, 1)}
	get := func(method string) int {
		transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, ClientSessionCache: sessions}}
		defer func() { _ = transport.Close() }()
		request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Pay-Token", token)
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		<-sessions.put
		return response.StatusCode
	}
	if status := get(http.MethodGet); status != http.StatusOK {
		t.Fatalf("a request after the handshake is answered %d", status)
	}
	balance, status := 990, 0
	for range 50 {
		if status = get(http3.MethodGet0RTT); status != http.StatusOK {
			break
		}
		balance -= 10
	}
	if status != http.StatusTooEarly {
		t.Errorf("a request in early data is answered %d", status)
	}
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, strconv.Itoa(balance))
}
