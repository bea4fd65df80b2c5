package paywall

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestPayHeaderNames(t *testing.T) {
	for name, want := range map[string]bool{
		"Pay": true, "PAY": true, "pay-token": true, "Pay-Balance": true, "Pay_Token": true, "Paydoor-Account": true, "paydoor": true, "PAYDOOR_X": true,
		"Payload-Digest": false, "Payment-Signature": false, "Pa": false, "": false, "X-Pay-Token": false, "Repay": false,
	} {
		if isPayHeader(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

func TestCacheControl(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "private",
		"public, max-age=60":                 "private, max-age=60",
		"s-maxage=10, max-age=5":             "private, max-age=5",
		"Public":                             "private",
		"no-store":                           "private, no-store",
		"private":                            "private",
		"private, max-age=1":                 "private, max-age=1",
		`private="Set-Cookie, X", public`:    "private, no-cache",
		"max-age=60, stale-if-error=5":       "private, max-age=60, stale-if-error=5",
		"S-MaxAge = 5 , proxy-revalidate, x": "private, x",
	} {
		h := http.Header{"Cdn-Cache-Control": {"public"}, "Surrogate-Control": {"max-age=9"}, "Cloudflare-Cdn-Cache-Control": {"x"}}
		if in != "" {
			h.Set("Cache-Control", in)
		}
		makePrivate(h)
		if len(h) != 1 || len(h["Cache-Control"]) != 1 || h.Get("Cache-Control") != want {
			t.Errorf("%q: %v, want %q", in, h, want)
		}
	}
}

func TestVaryIsMerged(t *testing.T) {
	for in, want := range map[string]string{"": "Pay-Token", "Accept": "Accept|Pay-Token", "accept, pay-token": "accept, pay-token", "*": "*"} {
		h := http.Header{}
		if in != "" {
			h.Set("Vary", in)
		}
		varyBy(h, "Pay-Token")
		if got := strings.Join(h["Vary"], "|"); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestConnectionMustNotNamePayHeaders(t *testing.T) {
	for _, value := range []string{"Pay-Token", "close, pay-token", "Paydoor-Account", "keep-alive,PAY"} {
		for _, path := range []string{"/", "/free"} {
			b := newBench(t, rules(t, "price 10", "free /free")...)
			b.ledger.credit(t, testToken, 10)
			r := request("GET", path, testToken)
			r.Header.Set("Connection", value)
			if w := b.do(noBackend(t), r); w.Code != 400 || !strings.Contains(w.Body.String(), "Connection header") {
				t.Errorf("%s: %d", value, w.Code)
			}
		}
	}
}

// What a client sends under our names never reaches the backend, and what the backend gets is ours.
func TestRequestHeadersToBackend(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 35)
	r := request("GET", "/", testToken)
	for name, value := range map[string]string{
		"Pay": "x", "Pay-Accept": "x", "Pay_Token": "x", "Paydoor-Account": "forged", "Paydoor-Extra": "forged", "Pay-Balance": "1000000",
		"X-Http-Method-Override": "DELETE", "X-HTTP-Method": "DELETE", "X_Method_Override": "DELETE",
		"Upgrade": "h2c", "Http2-Settings": "AAA", "Connection": "Upgrade, HTTP2-Settings, keep-alive", "X-Own": "stays",
	} {
		r.Header.Set(name, value)
	}
	w := b.do(func(w http.ResponseWriter, r *http.Request) error {
		var names []string
		for name := range r.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != "Connection Paydoor-Account Paydoor-Balance Paydoor-Charge-Id Paydoor-Price X-Own" {
			t.Errorf("the backend got %s", got)
		}
		if r.Header.Get("Connection") != "keep-alive" || r.Header.Get("Paydoor-Price") != "10" || r.Header.Get("Paydoor-Balance") != "25" {
			t.Errorf("the backend got %v", r.Header)
		}
		if account := accountOf(t, testToken); len(r.Header.Get("Paydoor-Charge-Id")) != 22 || r.Header.Get("Paydoor-Account") != hexOf(account[:]) {
			t.Errorf("the backend got %v", r.Header)
		}
		return nil
	}, r)
	if w.Code != 200 || w.Header().Get("Pay-Balance") != "25" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if len(r.Header["Paydoor-Account"]) != 0 || len(r.Header["Pay-Token"]) != 0 {
		t.Errorf("left behind for error routes: %v", r.Header)
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	s := ""
	for _, c := range b {
		s += string(digits[c>>4]) + string(digits[c&15])
	}
	return s
}

func TestWebSocketUpgradeStays(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 10)
	r := request("GET", "/", testToken)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "WebSocket")
	b.do(func(w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("Upgrade") != "WebSocket" || r.Header.Get("Connection") != "Upgrade" {
			t.Errorf("%v", r.Header)
		}
		return nil
	}, r)
}

// What the backend sends under our names never reaches the client, trailers and informational answers included.
func TestResponseHeadersToClient(t *testing.T) {
	for _, path := range []string{"/", "/free"} {
		b := newBench(t, rules(t, "price 10", "free /free")...)
		b.ledger.credit(t, testToken, 10)
		w := b.do(func(w http.ResponseWriter, _ *http.Request) error {
			h := w.Header()
			h["pay"] = []string{"interledger-psk2 test.attacker c2VjcmV0 1"}
			h["PAY-BALANCE"] = []string{"7"}
			for name, value := range map[string]string{
				"Pay": "interledger-psk2 test.attacker c2VjcmV0 1", "Pay-Token": testToken, "Paydoor-Account": "x", "Trailer": "X-Sum, Pay-Balance", "X-Own": "stays",
			} {
				h.Set(name, value)
			}
			w.WriteHeader(200)
			h.Set("X-Sum", "1")
			h.Set("Pay-Balance", "8")
			h.Add("Pay", "interledger-psk2 test.attacker c2VjcmV0 1")
			h.Set("Trailer:Pay", "evil")
			h.Set("Trailer:X-More", "1")
			return nil
		}, request("GET", path, testToken))
		result := w.Result()
		for _, h := range []http.Header{result.Header, w.Header()} {
			for name, values := range h {
				if strings.Contains(strings.Join(values, " "), "attacker") || strings.Contains(name, "evil") || len(values) != 1 {
					t.Errorf("%s: %s: %v", path, name, values)
				}
			}
			if paid := path == "/"; (h.Get("Pay-Balance") == "0") != paid || (h.Get("Pay") != "") != paid || h.Get("X-Own") != "stays" {
				t.Errorf("%s: %v", path, h)
			}
			if h.Get("Pay-Token") != "" || h.Get("Paydoor-Account") != "" || h.Get("Trailer") != "X-Sum" {
				t.Errorf("%s: %v", path, h)
			}
		}
		if result.Trailer.Get("Pay-Balance") != "" || result.Trailer.Get("Pay") != "" || result.Trailer.Get("X-Sum") != "1" || result.Trailer.Get("X-More") != "1" {
			t.Errorf("%s: trailers %v", path, result.Trailer)
		}
	}
}
