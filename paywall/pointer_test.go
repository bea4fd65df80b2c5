package paywall

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/spsp"
)

const testPointer = "sealed-name_of_the_account"

// fakePointers names one account.
type fakePointers struct {
	t     testing.TB
	err   error
	terms []*spsp.ReceiptTerms
}

func (f *fakePointers) Pointer(a balances.Account) (string, error) {
	if f.err != nil {
		return "", f.err
	}
	if a != accountOf(f.t, testToken) {
		return strings.Repeat("x", len(testPointer)), nil
	}
	return testPointer, nil
}

func (f *fakePointers) QuotePointer(pointer string, terms *spsp.ReceiptTerms) (spsp.Answer, error) {
	f.terms = append(f.terms, terms)
	if f.err == nil && pointer != testPointer {
		return spsp.Answer{}, ErrPointer
	}
	return spsp.Answer{Address: "test.shop.quote", Secret: [32]byte{1}, Receipts: terms != nil}, f.err
}

func newPointerBench(t testing.TB, rules ...Rule) (*bench, *fakePointers) {
	b, f := newBench(t, rules...), &fakePointers{t: t}
	b.config.Pointers = &Pointers{Quoter: f, Length: len(testPointer)}
	return b, f
}

func TestPointerIsAnswered(t *testing.T) {
	nonce, secret := "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	const target = "/.well-known/pay/" + testPointer
	for _, test := range []struct {
		name, method, target string
		header               http.Header
		failing              error
		status               int
		body                 string // a part
	}{
		{name: "asked", method: "GET", target: target, status: 200, body: `{"destination_account":"test.shop.quote","shared_secret":"AQ`},
		{name: "with a token that is none", method: "GET", target: target, header: http.Header{"Pay-Token": {"x"}}, status: 200, body: "destination_account"},
		{name: "receipts", method: "GET", target: target, header: http.Header{"Receipt-Nonce": {nonce}, "Receipt-Secret": {secret}}, status: 200, body: `"receipts_enabled":true`},
		{name: "half of the terms", method: "GET", target: target, header: http.Header{"Receipt-Nonce": {nonce}}, status: 400, body: "Receipt-Secret"},
		{name: "head", method: "HEAD", target: target, status: 200},
		{name: "preflight", method: "OPTIONS", target: target, header: http.Header{"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"GET"}}, status: 204},
		{name: "post", method: "POST", target: target, status: 405, body: "by GET"},
		{name: "unknown", method: "GET", target: target[:len(target)-1] + "X", status: 404, body: `"id":"InvalidReceiverError","message":"Invalid receiver"`},
		{name: "no address", method: "GET", target: target, failing: ErrNoAddress, status: 503, body: "urn:paydoor:problem:no-address"},
		{name: "failing", method: "GET", target: target, failing: errors.New("no disk"), status: 503, body: "urn:paydoor:problem:unavailable"},
	} {
		b, f := newPointerBench(t)
		f.err = test.failing
		var failed []error
		b.config.Pointers.Failed = func(_ *http.Request, err error) { failed = append(failed, err) }
		r := request(test.method, test.target, "")
		for name, values := range test.header {
			r.Header[name] = values
		}
		w := b.do(noBackend(t), r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("%s: %d %v %s", test.name, w.Code, w.Header(), w.Body)
		}
		h := w.Header()
		if h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: no page can ask: %v", test.name, h)
		}
		if cached := h.Get("Cache-Control"); test.status == 200 && cached != "no-cache, private" || test.status >= 400 && cached != "no-store" {
			t.Errorf("%s: Cache-Control %q", test.name, cached)
		}
		if wantFailed := test.name == "failing"; wantFailed != (len(failed) == 1) || strings.Contains(w.Body.String(), "no disk") {
			t.Errorf("%s: told of %v", test.name, failed)
		}
		if b.outcomes() != "" || len(b.quoter.asks) != 0 {
			t.Errorf("%s: it was taken for a paid request: %s", test.name, b.outcomes())
		}
	}
}

// TestOtherPathsBesidePointers: what has not the form of a pointer is priced like any other path.
func TestOtherPathsBesidePointers(t *testing.T) {
	for _, target := range []string{
		"/.well-known/pay", "/.well-known/pay/", "/.well-known/pay/alice", "/.well-known/pay/" + testPointer + "/x", "/.well-known/pay/" + testPointer + "/",
		"/.well-known/PAY/" + testPointer, "/x/.well-known/pay/" + testPointer, "/.well-known/pay/" + testPointer[1:] + ".",
	} {
		b, f := newPointerBench(t)
		if w := b.do(noBackend(t), request("GET", target, testToken)); w.Code != 402 || len(f.terms) != 0 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if w := newBench(t).do(noBackend(t), request("GET", "/.well-known/pay/"+testPointer, testToken)); w.Code != 402 || w.Header().Get("Link") != "" {
		t.Errorf("without pointers: %d %v", w.Code, w.Header())
	}
}

func TestPointersAreLimitedTogether(t *testing.T) {
	b, _ := newPointerBench(t)
	now := time.Now()
	b.config.Pointers.Now = func() time.Time { return now }
	b.config.Pointers.Client = func(r *http.Request) string { return r.Header.Get("X-Client") }
	one, other := b.handler(noBackend(t)), b.handler(noBackend(t))
	refused := 0
	for range spsp.AsksAtOnce + 5 {
		one, other = other, one
		r := request("GET", "/.well-known/pay/"+testPointer, "")
		r.Header.Set("X-Client", "192.0.2.1")
		w := recorded(one, r)
		if w.Code == http.StatusTooManyRequests {
			refused++
			if w.Header().Get("Retry-After") != "1" {
				t.Errorf("headers %v", w.Header())
			}
		}
	}
	if refused != 5 {
		t.Errorf("%d were refused, want 5", refused)
	}
	if w := recorded(one, request("GET", "/", testToken)); w.Code != http.StatusPaymentRequired {
		t.Errorf("a request at the limit: %d", w.Code)
	}
}

func TestRefusalsTellThePointer(t *testing.T) {
	for _, test := range []struct {
		name, host, proto string
		tls               bool
		pointer, endpoint string
	}{
		{"https", "api.example", "", true, "$api.example/.well-known/pay/", "https://api.example/.well-known/pay/"},
		{"the usual port", "api.example:443", "", true, "$api.example/.well-known/pay/", "https://api.example/.well-known/pay/"},
		{"another port", "api.example:8443", "", true, "", "https://api.example:8443/.well-known/pay/"},
		{"an IPv6 address", "[2001:db8::1]", "", true, "", "https://[2001:db8::1]/.well-known/pay/"},
		{"behind a proxy", "api.example", "https", false, "$api.example/.well-known/pay/", "https://api.example/.well-known/pay/"},
		{"plain", "localhost:2015", "", false, "", "http://localhost:2015/.well-known/pay/"},
		{"no host", "", "", true, "", ""},
		{"a strange host", "a b/c\"<", "", true, "", ""},
	} {
		for token, name := range map[string]string{testToken: testPointer, "": strings.Repeat("x", len(testPointer))} {
			b, _ := newPointerBench(t)
			b.config.CORS = &CORS{Origins: []string{"https://page.example"}}
			r := request("GET", "/", token)
			r.Header.Set("Origin", "https://page.example")
			r.Host = test.host
			if test.tls {
				r.TLS = &tls.ConnectionState{HandshakeComplete: true}
			}
			if test.proto != "" {
				r.Header.Set("X-Forwarded-Proto", test.proto)
			}
			w := b.do(noBackend(t), r)
			var body struct {
				Pointer  string   `json:"payment_pointer"`
				Endpoint string   `json:"spsp_endpoint"`
				Steps    []string `json:"steps"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if body.Pointer != ended(test.pointer, name) || body.Endpoint != ended(test.endpoint, name) {
				t.Errorf("%s: %q, %q", test.name, body.Pointer, body.Endpoint)
			}
			if text := body.Pointer + body.Endpoint; text != "" && !strings.Contains(body.Steps[0], name) {
				t.Errorf("%s: steps %q", test.name, body.Steps)
			}
			if link := w.Header()["Link"]; len(link) != 1 || link[0] != "</.well-known/pay/"+name+`>; rel="payment"` {
				t.Errorf("%s: Link %q", test.name, link)
			}
			if exposed := w.Header().Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "Link") {
				t.Errorf("%s: exposed %q", test.name, exposed)
			}
		}
	}
}

func TestPointersElsewhere(t *testing.T) {
	for base, pointer := range map[string]string{"https://pay.example": "$pay.example", "https://pay.example:8443": "", "http://pay.example": ""} {
		b, _ := newPointerBench(t)
		b.config.PointerBase = base
		w := b.do(noBackend(t), request("GET", "/", testToken))
		var body struct {
			Pointer  string `json:"payment_pointer"`
			Endpoint string `json:"spsp_endpoint"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		const path = "/.well-known/pay/" + testPointer
		if body.Endpoint != base+path || body.Pointer != ended(pointer, path) || w.Header().Get("Link") != "<"+base+path+`>; rel="payment"` {
			t.Errorf("%s: %+v, %q", base, body, w.Header().Get("Link"))
		}
	}
	for _, base := range []string{"pay.example", "ftp://pay.example", "https://pay.example/x", "https://u@pay.example", "https://", "https://pay example", "https://pay.example?"} {
		b, _ := newPointerBench(t)
		b.config.PointerBase = base
		if _, err := New(b.config); err == nil || !strings.Contains(err.Error(), "https://pay.example.com") {
			t.Errorf("%s: %v", base, err)
		}
	}
}

// TestRewrittenPointers: a wallet knows the path that it was told, whatever becomes of it on the way here.
func TestRewrittenPointers(t *testing.T) {
	b, _ := newPointerBench(t)
	b.config.Pointers.Original = func(r *http.Request) string { return r.Header.Get("X-Original") }
	r := request("GET", "/index.php", "")
	r.Header.Set("X-Original", "/.well-known/pay/"+testPointer)
	if w := b.do(noBackend(t), r); w.Code != 200 {
		t.Errorf("a wallet: %d %s", w.Code, w.Body)
	}
	r.Header.Set("Pay-Token", testToken)
	if w := b.do(noBackend(t), r); w.Code != 402 {
		t.Errorf("with a token: %d", w.Code)
	}
}

func ended(s, end string) string {
	if s == "" {
		return ""
	}
	return s + end
}

func TestPagesAndPriceQueriesTellThePointer(t *testing.T) {
	b, f := newPointerBench(t)
	page := func(secure bool) string {
		r := request("GET", "/", testToken)
		r.Header.Set("Accept", "text/html")
		if secure {
			r.TLS = &tls.ConnectionState{HandshakeComplete: true}
		}
		return b.do(noBackend(t), r).Body.String()
	}
	if got := page(true); !strings.Contains(got, "<dt>Payment pointer</dt><dd>$example.com/.well-known/pay/"+testPointer+"</dd>") {
		t.Errorf("the page is %s", got)
	}
	if got := page(false); !strings.Contains(got, "<dt>SPSP endpoint</dt><dd>http://example.com/.well-known/pay/"+testPointer+"</dd>") {
		t.Errorf("the page without TLS is %s", got)
	}
	w := b.do(noBackend(t), request("OPTIONS", "/", testToken))
	if link := w.Header().Get("Link"); w.Code != 204 || link != "</.well-known/pay/"+testPointer+`>; rel="payment"` {
		t.Errorf("a price query: %d %q", w.Code, link)
	}
	f.err = errors.New("no node")
	if w := b.do(noBackend(t), request("GET", "/", testToken)); w.Code != 402 || w.Header()["Link"] != nil || strings.Contains(w.Body.String(), "spsp_endpoint") {
		t.Errorf("without a pointer: %d %v", w.Code, w.Header())
	}
	f.err = nil
	b.ledger.credit(t, testToken, 10)
	if w := b.do(answer(200), request("GET", "/", testToken)); w.Code != 200 || w.Header()["Link"] != nil {
		t.Errorf("a paid answer: %d %v", w.Code, w.Header())
	}
}

func recorded(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
