package paywall

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

// The example of seed 003: a price query, 100 units paid, requests at 10 each until the balance is used up.
func TestSeedFlow(t *testing.T) {
	b := newBench(t)
	h := b.handler(func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, "content")
		return err
	})
	do := func(method string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(method, "/upload", testToken))
		return w
	}
	w := do("OPTIONS")
	pay := w.Header().Get("Pay")
	if w.Code != 204 || w.Header().Get("Pay-Balance") != "0" || !strings.HasSuffix(pay, " 10") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	b.ledger.credit(t, testToken, 100)
	for _, balance := range []string{"90", "80", "70", "60", "50", "40", "30", "20", "10", "0"} {
		w := do("POST")
		if w.Code != 200 || w.Body.String() != "content" || w.Header().Get("Pay-Balance") != balance || w.Header().Get("Pay") != pay {
			t.Fatalf("%d %v, want balance %s", w.Code, w.Header(), balance)
		}
		if w.Header().Get("Cache-Control") != "private" || w.Header().Get("Vary") != "Pay-Token" {
			t.Errorf("%v", w.Header())
		}
	}
	w = do("POST")
	if w.Code != 402 || w.Header().Get("Pay-Balance") != "0" || len(w.Header()["Pay"]) != 1 || w.Header().Get("Pay") == pay {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
}

func TestPaymentRequired(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 7)
	w := b.do(noBackend(t), request("POST", "/x", testToken))
	var body struct {
		Type, Title, Detail, Price, Balance, Shortfall string
		Status                                         int
		Asset                                          struct {
			Code  string
			Scale int
		}
		Pay      struct{ Method, Address, Secret string }
		PayToken string `json:"pay_token"`
		Steps    []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if w.Code != 402 || body.Status != 402 || body.Price != "10" || body.Balance != "7" || body.Shortfall != "3" || body.Asset.Code != "USD" || body.Asset.Scale != 9 {
		t.Errorf("%d %+v", w.Code, body)
	}
	if line := strings.Join([]string{body.Pay.Method, body.Pay.Address, body.Pay.Secret, body.Price}, " "); line != w.Header().Get("Pay") {
		t.Errorf("body says %q, header %q", line, w.Header().Get("Pay"))
	}
	if len(body.Steps) != 2 || body.PayToken != "" || strings.Contains(w.Body.String(), testToken) {
		t.Errorf("%s", w.Body)
	}
	if ask := b.quoter.asks[0]; !ask.OneTime || ask.Shortfall != 3 || ask.Price != 10 {
		t.Errorf("asked for %+v", ask)
	}
	if w.Header().Get("Cache-Control") != "private, no-store" || w.Header().Get("Pay-Asset") != "USD 9" || b.outcomes() != "refused " {
		t.Errorf("%v %s", w.Header(), b.outcomes())
	}
}

func TestFreshTokenForAClientWithout(t *testing.T) {
	b := newBench(t)
	seen := map[string]bool{}
	for range 3 {
		w := b.do(noBackend(t), request("GET", "/x", ""))
		token := w.Header().Get("Pay-Token")
		if w.Code != 402 || len(token) != 43 || seen[token] || !strings.Contains(w.Body.String(), `"pay_token":"`+token+`"`) {
			t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		seen[token] = true
		if ask := b.quoter.asks[len(b.quoter.asks)-1]; ask.Account != accountOf(t, token) || ask.Shortfall != 10 {
			t.Errorf("asked for %+v", ask)
		}
		b.ledger.credit(t, token, 10)
		if w = b.do(answer(200), request("GET", "/x", token)); w.Code != 200 || w.Header().Get("Pay-Token") != "" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	}
}

func TestPageForPeople(t *testing.T) {
	r := request("GET", "/x", "")
	r.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	w := newBench(t).do(noBackend(t), r)
	if w.Code != 402 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || !strings.Contains(w.Body.String(), "<h1>Payment Required</h1>") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, part := range []string{"10 or more base units of USD (scale 9: 0.00000001 USD)", "the address and secret given here", "<code>paydoor fetch</code>"} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("the page does not say %q: %s", part, w.Body)
		}
	}
	r.Header.Set("Pay-Token", "short")
	if w := newBench(t).do(noBackend(t), r); w.Code != 400 || strings.Contains(w.Body.String(), "paydoor fetch") {
		t.Errorf("a page about a bad token tells how to pay: %s", w.Body)
	}
}

func TestRealmsHaveTheirOwnBalances(t *testing.T) {
	b := newBench(t)
	b.config.Realm = "other"
	b.ledger.credit(t, testToken, 100)
	if w := b.do(noBackend(t), request("GET", "/", testToken)); w.Code != 402 {
		t.Errorf("%d", w.Code)
	}
}

func TestHeadIsPricedLikeGet(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 10)
	if w := b.do(answer(200), request("HEAD", "/", testToken)); w.Code != 200 || w.Header().Get("Pay-Balance") != "0" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := b.do(noBackend(t), request("HEAD", "/", testToken)); w.Code != 402 || w.Header().Get("Pay") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestLedgerTroubleIsNever402(t *testing.T) {
	for _, err := range []error{balances.ErrBusy, balances.ErrUnavailable, errors.New("disk")} {
		for name, fail := range map[string]func(l *fakeLedger){
			"at once":         func(l *fakeLedger) { l.failing = err },
			"after a refusal": func(l *fakeLedger) { l.noBalance = err }, // it is not known then that the balance is still too small
		} {
			b := newBench(t)
			fail(b.ledger)
			if w := b.do(noBackend(t), request("GET", "/", testToken)); w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("Pay") != "" {
				t.Errorf("%v %s: %d %v", err, name, w.Code, w.Header())
			}
		}
	}
}

// A body that was not asked for is not read: a client that waits for 100 Continue then need not send it.
func TestRefusalDoesNotTouchTheBody(t *testing.T) {
	for _, r := range []*http.Request{request("POST", "/", ""), request("POST", "/", testToken), request("POST", "/", "bad"), request("OPTIONS", "/", testToken)} {
		r.Body = untouchable{t}
		r.ContentLength = 5
		newBench(t).do(noBackend(t), r)
	}
}

type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func (u untouchable) Close() error {
	u.t.Error("the body was closed")
	return nil
}

func TestNestedPaywallsChargeOnce(t *testing.T) {
	b := newBench(t, rules(t, "price 10", "free /free")...)
	inner := newBench(t, Rule{Price: 3}).paywall()
	b.ledger.credit(t, testToken, 25)
	same := b.paywall()
	next := func(w http.ResponseWriter, r *http.Request) error {
		return same.ServeHTTP(w, r, func(w http.ResponseWriter, r *http.Request) error { return inner.ServeHTTP(w, r, answer(200)) })
	}
	if w := b.do(next, request("GET", "/", testToken)); w.Code != 200 || w.Header().Get("Pay-Balance") != "15" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := b.do(next, request("GET", "/free", testToken)); w.Code != 200 || w.Header().Get("Pay-Balance") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if b.ledger.settles != 1 {
		t.Errorf("%d charges", b.ledger.settles)
	}
}

// A payment that arrives between the refusal and the look at the balance pays.
func TestPaymentDuringReserve(t *testing.T) {
	b := newBench(t)
	b.config.Ledger = &lateCredit{fakeLedger: b.ledger, t: t}
	if w := b.do(answer(200), request("GET", "/", testToken)); w.Code != 200 || w.Header().Get("Pay-Balance") != "2" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

type lateCredit struct {
	*fakeLedger
	t    *testing.T
	done bool
}

func (l *lateCredit) Reserve(ctx context.Context, a balances.Account, price amount.Amount) (Reservation, error) {
	reservation, err := l.fakeLedger.Reserve(ctx, a, price)
	if !l.done {
		l.done = true
		l.credit(l.t, testToken, 12)
	}
	return reservation, err
}
