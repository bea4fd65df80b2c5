package nodeapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/payer"
)

// purse records what it was asked to pay.
type purse struct {
	paid  amount.Amount
	token int
	fail  error
}

func (p *purse) Pay(_ context.Context, ask payer.Ask, due amount.Amount, token []byte) (payer.Receipt, error) {
	if p.fail != nil {
		return payer.Receipt{}, p.fail
	}
	p.paid, p.token = due, len(token)
	return payer.Receipt{Sent: due, Delivered: due}, nil
}

const goodPay = "interledger-psk2 test.demo.abc SkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU 10"

func TestSandbox(t *testing.T) {
	tests := []struct {
		name   string
		form   url.Values
		edit   func(*http.Request)
		fail   error
		status int
		paid   amount.Amount
		says   string
	}{
		{name: "amount", form: url.Values{"pay": {goodPay}, "amount": {"100"}}, status: 200, paid: 100, says: `"delivered":"100"`},
		{name: "price by default", form: url.Values{"pay": {goodPay}}, status: 200, paid: 10},
		{name: "no pay", form: url.Values{"amount": {"100"}}, status: 400, says: "unusable Pay header"},
		{name: "odd amount", form: url.Values{"pay": {goodPay}, "amount": {"1e3"}}, status: 400, says: "decimal integer"},
		{name: "no price and no amount", form: url.Values{"pay": {strings.TrimSuffix(goodPay, " 10")}}, status: 400, says: "amount=100"},
		{name: "odd token", form: url.Values{"pay": {goodPay}, "token": {"a b"}}, status: 400, says: "base64url"},
		{name: "rejected", form: url.Values{"pay": {goodPay}}, fail: errors.New("no route"), status: 502, says: "no route"},
		{name: "another machine", edit: func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1000" }, status: 403},
		{name: "another name", edit: func(r *http.Request) { r.Host = "rebound.example" }, status: 403},
		{name: "a web page", edit: func(r *http.Request) { r.Header.Set("Origin", "https://page.example") }, status: 403},
		{name: "a proxy", edit: func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") }, status: 403},
		{name: "ipv6 loopback", form: url.Values{"pay": {goodPay}}, edit: func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:99", "[::1]:7770" }, status: 200, paid: 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "http://127.0.0.1:7770/sandbox/pay", strings.NewReader(test.form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.RemoteAddr = "127.0.0.1:5555"
			if test.edit != nil {
				test.edit(r)
			}
			wallet, w := &purse{fail: test.fail}, httptest.NewRecorder()
			Sandbox{Wallet: wallet}.ServeHTTP(w, r)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) || wallet.paid != test.paid {
				t.Errorf("got %d, paid %s, %s; want %d, %s, %q", w.Code, wallet.paid, w.Body, test.status, test.paid, test.says)
			}
		})
	}
}

func TestSandboxTakesPacketsOfThisMachineAlone(t *testing.T) {
	packets := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, test := range []struct {
		sandbox Sandbox
		edit    func(*http.Request)
		status  int
	}{
		{Sandbox{Packets: packets}, func(*http.Request) {}, http.StatusTeapot},
		{Sandbox{}, func(*http.Request) {}, http.StatusNotFound},
		{Sandbox{Packets: packets}, func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1000" }, http.StatusForbidden},
		{Sandbox{Packets: packets}, func(r *http.Request) { r.Header.Set("Origin", "https://page.example") }, http.StatusForbidden},
	} {
		r := httptest.NewRequest("POST", "http://127.0.0.1:7770"+SandboxLink, strings.NewReader("packet"))
		r.RemoteAddr = "127.0.0.1:5555"
		test.edit(r)
		w := httptest.NewRecorder()
		if test.sandbox.ServeHTTP(w, r); w.Code != test.status {
			t.Errorf("got %d, want %d", w.Code, test.status)
		}
	}
}
