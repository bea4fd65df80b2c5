package paywall

// This file tests that nobody is asked for what a token cannot hold: whoever paid a part of it by STREAM would be refused the rest.

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

func TestPricesAboveTheMaximumBalance(t *testing.T) {
	for _, test := range []struct {
		line    string
		refused bool
	}{
		{"price 500", false}, {"price 501", true}, {"price POST /x 501", true}, {"price 500 per_byte", false}, {"price 501 per_byte", true},
		{"price 2 per_byte max 1000", false}, {"free /health", false},
	} {
		set := []Rule{{Price: 1}}
		for _, rule := range rules(t, test.line) {
			if rule.Path == "" && rule.Method == "" {
				set = nil
			}
			set = append(set, rule)
		}
		b := newBench(t, set...)
		b.config.MaxBalance = 500
		_, err := New(b.config)
		if test.refused != (err != nil) || err != nil && !strings.Contains(err.Error(), "max_balance") {
			t.Errorf("%s: %v", test.line, err)
		}
	}
}

func TestBodiesThatCostMoreThanTheMaximumBalance(t *testing.T) {
	for _, test := range []struct {
		line   string
		length int64 // of the body; -1: it is not announced
		query  string
		status int
		price  string // of a 402, or of a price query
	}{
		{line: "price 2 per_byte", length: 250, status: 402, price: "500"},
		{line: "price 2 per_byte", length: 251, status: 413},
		{line: "price 2 per_byte", length: -1, status: 411},
		{line: "price 3 per_byte", length: 166, status: 402, price: "498"},
		{line: "price 3 per_byte", length: 167, status: 413},
		{line: "price 2 per_byte max 200", length: 201, status: 413},
		{line: "price 2 per_byte max 200", length: -1, status: 402, price: "400"},
		{line: "price 2 per_byte max 1000", length: 250, status: 402, price: "500"},
		{line: "price 2 per_byte max 1000", length: 251, status: 413},
		{line: "price 2 per_byte max 1000", length: -1, status: 402, price: "500"},
		{line: "price 2 per_byte", query: "250", status: 204, price: "500"},
		{line: "price 2 per_byte", query: "251", status: 413},
		{line: "price 2 per_byte max 1000", query: "none", status: 204, price: "500"},
	} {
		b := newBench(t, rules(t, test.line)...)
		b.config.MaxBalance = 500
		r := httptest.NewRequest("POST", "/", nil)
		r.ContentLength = test.length
		if test.query != "" {
			r = httptest.NewRequest("OPTIONS", "/", nil)
			if _, err := strconv.Atoi(test.query); err == nil {
				r.Header.Set("Unhash-Content-Length", test.query)
			}
		}
		r.Header.Set("Pay-Token", testToken)
		w := b.do(noBackend(t), r)
		fields := strings.Fields(w.Header().Get("Pay"))
		if w.Code != test.status || test.price != "" && (len(fields) != 4 || fields[3] != test.price) || test.price == "" && len(fields) > 0 {
			t.Errorf("%+v: %d, Pay %q, %s", test, w.Code, fields, w.Body)
		}
	}
}

// TestABodyOfUnknownLengthStopsAtTheMaximumBalance: what is read costs no more than was reserved.
func TestABodyOfUnknownLengthStopsAtTheMaximumBalance(t *testing.T) {
	b := newBench(t, rules(t, "price 2 per_byte max 1000")...)
	b.config.MaxBalance = 500
	b.ledger.credit(t, testToken, 500)
	r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 251)))
	r.ContentLength = -1
	r.Header.Set("Pay-Token", testToken)
	w := b.do(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := r.Body.Read(make([]byte, 300))
		for err == nil {
			_, err = r.Body.Read(make([]byte, 300))
		}
		return err
	}, r)
	if has, reserved := b.ledger.state(t, testToken); w.Code != 413 || has != 500 || reserved != 0 {
		t.Errorf("%d, %s left, %s reserved", w.Code, has, reserved)
	}
}
