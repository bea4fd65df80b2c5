package caddymodule

// This file knocks at the admin routes as others than the operator would, and as an operator who is mistaken.

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/balances"
)

// TestAdminRoutesAreGuarded sends what a web page could send from the operator's browser.
func TestAdminRoutesAreGuarded(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("100")
	account := "/paydoor/accounts/" + strings.Repeat("ab", 32)
	for _, route := range []struct{ method, path string }{
		{"GET", "/paydoor/audit"}, {"GET", "/paydoor/accounts"}, {"GET", account}, {"POST", account + "/adjustments"}, {"POST", "/paydoor/backup"},
	} {
		for name, header := range map[string][2]string{
			"another origin": {"Origin", "https://evil.example"}, "another host": {"Host", "evil.example"}, "a page": {"Sec-Fetch-Mode", "no-cors"},
		} {
			request, err := http.NewRequest(route.method, "http://"+s.admin+route.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set(header[0], header[1])
			if header[0] == "Host" {
				request.Host = header[1]
			}
			if a := s.send(request); a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusBadRequest || strings.Contains(a.body, "balance") {
				t.Errorf("%s %s from %s gets %s: %s", route.method, route.path, name, a.Status, a.body)
			}
		}
	}
}

func TestAdminRoutesNameMistakes(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("100")
	adjust := "/paydoor/accounts/" + strings.Repeat("ab", 32) + "/adjustments"
	whole := `{"direction": "credit", "amount": "5", "reason": "x", "id": "1"}`
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/paydoor/accounts/" + token, "", 400, "64 hex digits"},
		{"GET", "/paydoor/accounts/" + strings.Repeat("ab", 33), "", 400, "64 hex digits"},
		{"GET", adjust, "", 405, "use POST"},
		{"POST", "/paydoor/audit", "", 405, "use GET"},
		{"POST", adjust, "", 400, "reading the body"},
		{"POST", adjust, "[]", 400, "reading the body"},
		{"POST", adjust, whole + whole, 400, "more than one value"},
		{"POST", adjust, strings.Replace(whole, "reason", "because", 1), 400, "unknown field"},
		{"POST", adjust, strings.Replace(whole, `"5"`, `"-5"`, 1), 400, "positive whole number"},
		{"POST", adjust, strings.Replace(whole, `"5"`, `"18446744073709551616"`, 1), 400, "positive whole number"},
		{"POST", adjust, strings.Replace(whole, "credit", "give", 1), 400, "direction is credit or debit"},
		{"POST", adjust, strings.Replace(whole, "credit", "debit", 1), 409, "insufficient"},
		{"POST", adjust, strings.Replace(whole, "x", strings.Repeat("x", 70_000), 1), 400, "reading the body"},
		{"POST", adjust, whole, 200, `"spendable":"5"`},
		{"POST", adjust, strings.Replace(whole, `"5"`, `"6"`, 1), 409, "another adjustment"},
	} {
		request, err := http.NewRequest(c.method, "http://"+s.admin+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		a := s.send(request)
		if a.StatusCode != c.status || !strings.Contains(a.body, c.says) || strings.Contains(a.body, token) {
			t.Errorf("%s %s with %.80s gets %s: %s", c.method, c.path, c.body, a.Status, a.body)
		}
	}
}

// TestFoldedEventsAreShown has a history whose beginning was forgotten.
func TestFoldedEventsAreShown(t *testing.T) {
	sums := balances.Totals{Credits: balances.Sum{Lo: 100}, Charges: balances.Sum{Hi: 1}, ChargeCount: 7}
	e := eventOf(balances.Event{Kind: balances.Folded, At: time.Unix(1, 0), Sums: sums})
	if got := e.about(); e.Kind != "folded" || e.signed() != "" || !strings.Contains(got, "credits 100, reversals 0, charges 18446744073709551616,") {
		t.Errorf("folded events are shown as %+v: %q", e, got)
	}
	if fields := e.fields(); fields[1] != "folded" || fields[3] != "" || !strings.Contains(fields[6], "credits 100") {
		t.Errorf("and exported as %q", fields)
	}
}
