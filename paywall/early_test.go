package paywall

// These tests send requests before the TLS handshake is complete, when anybody who has seen them may send them again.

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

// TestEarlyDataIsNotCharged: what came in early data can be replayed without the token being known, so it spends nothing; the client is told to
// send it once more, as RFC 8470 has it. What costs nothing is answered.
func TestEarlyDataIsNotCharged(t *testing.T) {
	early := func(r *http.Request) { r.TLS = &tls.ConnectionState{} }
	forwarded := func(r *http.Request) { r.Header.Set("Early-Data", "1") }
	for _, test := range []struct {
		name, method, path, token string
		change                    func(*http.Request)
		status                    int
		charged                   string
	}{
		{"early", "GET", "/", testToken, early, 425, "0"},
		{"early at a proxy before this server", "GET", "/", testToken, forwarded, 425, "0"},
		{"after the handshake", "GET", "/", testToken, func(r *http.Request) { r.TLS = &tls.ConnectionState{HandshakeComplete: true} }, 200, "10"},
		{"without TLS", "GET", "/", testToken, func(*http.Request) {}, 200, "10"},
		{"no token", "GET", "/", "", early, 402, "0"},
		{"a price query", "OPTIONS", "/", testToken, early, 204, "0"},
		{"free", "GET", "/free", testToken, early, 200, "0"},
	} {
		b := newBench(t, rules(t, "price 10", "free /free")...)
		b.ledger.credit(t, testToken, 25)
		r := request(test.method, test.path, test.token)
		test.change(r)
		called := false
		w := b.do(func(w http.ResponseWriter, _ *http.Request) error {
			called = true
			w.WriteHeader(200)
			return nil
		}, r)
		if w.Code != test.status || b.ledger.settled.String() != test.charged || called != (test.status == 200) {
			t.Errorf("%s: %d, charged %s, the backend was called: %t", test.name, w.Code, b.ledger.settled, called)
		}
		if w.Code == 425 && (!strings.Contains(w.Body.String(), "too-early") || w.Header().Get("Cache-Control") != "private, no-store" || b.outcomes() != "invalid ") {
			t.Errorf("%s: %v %s", test.name, w.Header(), w.Body)
		}
	}
}
