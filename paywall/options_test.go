package paywall

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/balances"
)

func noBackend(t *testing.T) Next {
	return func(http.ResponseWriter, *http.Request) error {
		t.Error("the backend was called")
		return nil
	}
}

func TestPriceQuery(t *testing.T) {
	b := newBench(t, rules(t, "price 10", "price POST /upload 2 per_byte", "price POST /capped 2 per_byte max 100", "price /both 5", "price POST /both 7", "free /health")...)
	b.ledger.credit(t, testToken, 90)
	for _, test := range []struct {
		path   string
		header http.Header
		status int
		price  string
	}{
		{path: "/", status: 204, price: "10"},
		{path: "/upload", header: http.Header{"Unhash-Content-Length": {"123"}}, status: 204, price: "246"},
		{path: "/upload", header: http.Header{"Unhash-Content-Length": {"0"}}, status: 204, price: "2"},
		{path: "/upload", status: 411},
		{path: "/upload", header: http.Header{"Unhash-Content-Length": {"-1"}}, status: 400},
		{path: "/upload", header: http.Header{"Unhash-Content-Length": {"1", "2"}}, status: 400},
		{path: "/upload", header: http.Header{"Unhash-Content-Length": {"18446744073709551615"}}, status: 413},
		{path: "/capped", status: 204, price: "200"},
		{path: "/capped", header: http.Header{"Unhash-Content-Length": {"101"}}, status: 413},
		{path: "/both", status: 204, price: "7"},
		{path: "/", header: http.Header{"Pay-Accept": {"interledger-stream"}}, status: 204, price: "10"},
	} {
		r := request("OPTIONS", test.path, testToken)
		method := "interledger-psk2"
		for name, values := range test.header {
			r.Header[name] = values
			if name == "Pay-Accept" {
				method = values[0]
			}
		}
		w := b.do(noBackend(t), r)
		if w.Code != test.status {
			t.Errorf("%s %v: %d %s", test.path, test.header, w.Code, w.Body)
		}
		fields := strings.Split(w.Header().Get("Pay"), " ")
		if test.price == "" {
			if len(w.Header()["Pay"]) != 0 {
				t.Errorf("%s: Pay on %d", test.path, w.Code)
			}
			continue
		}
		if len(w.Header()["Pay"]) != 1 || len(fields) != 4 || fields[0] != method || !strings.HasPrefix(fields[1], "test.shop.") || fields[2] != "c2VjcmV0" || fields[3] != test.price {
			t.Errorf("%s: Pay %q", test.path, w.Header()["Pay"])
		}
		if got := w.Header().Get("Pay-Balance"); got != "90" {
			t.Errorf("Pay-Balance %q", got)
		}
		if w.Header().Get("Cache-Control") != "private, no-store" || w.Header().Get("Vary") != "Pay-Token" || w.Header().Get("Pay-Asset") != "USD 9" {
			t.Errorf("headers %v", w.Header())
		}
	}
	for _, ask := range b.quoter.asks {
		if ask.OneTime || ask.Shortfall != 0 || ask.Account != accountOf(t, testToken) || len(ask.Token) != 32 {
			t.Errorf("asked for %+v", ask)
		}
	}
}

func TestOptionsWithoutToken(t *testing.T) {
	for _, target := range []string{"/", "*"} {
		r := request("OPTIONS", "/", "")
		r.URL.Path = target
		w := newBench(t).do(noBackend(t), r)
		if w.Code != 204 || w.Header().Get("Allow") == "" || w.Header().Get("Pay") != "" || w.Header().Get("Pay-Balance") != "" {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
	}
}

func TestOptionsOfAFreeRouteIsTheBackends(t *testing.T) {
	b := newBench(t, rules(t, "price 10", "free /health")...)
	called := 0
	w := b.do(func(w http.ResponseWriter, r *http.Request) error {
		called++
		if len(r.Header["Pay-Token"]) != 0 {
			t.Error("the token reached the backend")
		}
		w.Header().Set("Pay", "mine")
		w.WriteHeader(200)
		return nil
	}, request("OPTIONS", "/health", testToken))
	if called != 1 || w.Code != 200 || len(w.Header()) != 0 {
		t.Errorf("%d calls, %d %v", called, w.Code, w.Header())
	}
}

func TestQuoteFailures(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*bench)
		typ    string
	}{
		{"no address", func(b *bench) { b.quoter.err = ErrNoAddress }, "no-address"},
		{"quoter", func(b *bench) { b.quoter.err = errors.New("broken") }, "unavailable"},
		{"ledger", func(b *bench) { b.ledger.failing = balances.ErrUnavailable }, "unavailable"},
	} {
		for _, method := range []string{"OPTIONS", "GET"} {
			b := newBench(t)
			test.change(b)
			w := b.do(noBackend(t), request(method, "/", testToken))
			if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Pay") != "" || !strings.Contains(w.Body.String(), test.typ) {
				t.Errorf("%s %s: %d %v %s", test.name, method, w.Code, w.Header(), w.Body)
			}
			if b.outcomes() != "unavailable " {
				t.Errorf("%s %s: %s", test.name, method, b.outcomes())
			}
		}
	}
}

func preflight(target string) *http.Request {
	r := request("OPTIONS", target, "")
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "content-type, pay-token, b@d")
	return r
}

func TestPreflightIsForwardedFree(t *testing.T) {
	b := newBench(t)
	r := preflight("/")
	r.Header.Set("Pay-Token", testToken)
	r.Header.Set("X-HTTP-Method-Override", "POST")
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	w := b.do(func(w http.ResponseWriter, r *http.Request) error {
		for _, name := range []string{"Pay-Token", "X-Http-Method-Override", "Upgrade", "Connection"} {
			if len(r.Header[name]) != 0 {
				t.Errorf("%s reached the backend", name)
			}
		}
		w.Header().Set("Access-Control-Allow-Origin", "https://app.example")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		w.WriteHeader(204)
		return nil
	}, r)
	if got := w.Header().Get("Access-Control-Allow-Headers"); w.Code != 204 || got != "Content-Type, Pay-Token, Pay-Accept" {
		t.Errorf("%d, allowed headers %q", w.Code, got)
	}
	if len(w.Header()["Pay"]) != 0 || len(b.quoter.asks) != 0 || b.outcomes() != "" {
		t.Errorf("a preflight is no price query: %v %s", w.Header(), b.outcomes())
	}
	// A backend that says nothing about origins gets nothing added.
	if w = b.do(answer(404), preflight("/")); w.Header().Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("%v", w.Header())
	}
}

func TestPreflightIsAnswered(t *testing.T) {
	for origin, want := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": "", "null": ""} {
		b := newBench(t)
		b.config.CORS = &CORS{Origins: []string{"https://app.example"}, MaxAge: time.Hour}
		r := preflight("/")
		r.Header.Set("Origin", origin)
		w := b.do(noBackend(t), r)
		h := w.Header()
		if w.Code != 204 || h.Get("Access-Control-Allow-Origin") != want || !slices.Contains(h["Vary"], "Origin") {
			t.Errorf("%s: %d %v", origin, w.Code, h)
		}
		if h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Pay") != "" {
			t.Errorf("%s: %v", origin, h)
		}
		if want != "" && (h.Get("Access-Control-Allow-Headers") != "Pay-Token, Pay-Accept, content-type" ||
			h.Get("Access-Control-Allow-Methods") != "POST" || h.Get("Access-Control-Max-Age") != "3600") {
			t.Errorf("%v", h)
		}
	}
}

func TestPagesOfAllowedOriginsReadPay(t *testing.T) {
	b := newBench(t)
	b.config.CORS = &CORS{Origins: []string{"https://app.example"}}
	b.ledger.credit(t, testToken, 10)
	for _, step := range []struct {
		method string
		status int
	}{{"OPTIONS", 204}, {"GET", 200}, {"GET", 402}} {
		r := request(step.method, "/", testToken)
		r.Header.Set("Origin", "https://app.example")
		w := b.do(answer(200), r)
		h := w.Header()
		if w.Code != step.status || h.Get("Access-Control-Allow-Origin") != "https://app.example" || !strings.HasPrefix(h.Get("Access-Control-Expose-Headers"), "Pay, Pay-Balance") {
			t.Errorf("%v: %d %v", step, w.Code, h)
		}
		r = request(step.method, "/", "")
		r.Header.Set("Origin", "https://evil.example")
		if w = b.do(answer(200), r); w.Header().Get("Access-Control-Expose-Headers") != "" {
			t.Errorf("%v: %v", step, w.Header())
		}
	}
}

func TestAccept(t *testing.T) {
	for accept, html := range map[string]bool{
		"": false, "*/*": false, "text/html": true, "application/json": false, "text/html, application/json": false,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"application/json, text/html;q=0.9":                               false,
		"text/*;q=0.5, application/problem+json;q=0.4":                    true,
		"text/html;q=0":    false,
		"text/html;q=nan":  false,
		"TEXT/HTML;Q=0.01": true,
		";;;,,,q=":         false,
	} {
		var lines []string
		if accept != "" {
			lines = []string{accept}
		}
		if got := prefersHTML(lines); got != html {
			t.Errorf("%q: %t", accept, got)
		}
	}
	for accept, want := range map[string]Method{
		"": PSK2, "interledger-stream": STREAM, "interledger-pull, interledger-stream": STREAM, "Interledger-STREAM;q=1": STREAM,
		"interledger-psk2, interledger-stream": PSK2, "other": PSK2,
	} {
		if got := acceptedMethod([]string{accept}, PSK2); got != want {
			t.Errorf("%q: %s", accept, got)
		}
	}
}
