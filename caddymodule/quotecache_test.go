package caddymodule

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// quotesKept counts the quotes that the running config keeps.
func quotesKept(t *testing.T) (n int) {
	t.Helper()
	app, err := caddy.ActiveContext().App("ilp")
	if err != nil {
		t.Fatal(err)
	}
	for i := range app.(*App).opened.Load().quotes.slots {
		if app.(*App).opened.Load().quotes.slots[i].Load() != nil {
			n++
		}
	}
	return n
}

// Strangers fill no memory; who has paid gets the same quote with each answer as a price query gives, remembered or not.
func TestP9OnlyQuotesOfPaidAnswersAreRemembered(t *testing.T) {
	s := newServer(t)
	s.load()
	for i := range 50 {
		s.do(http.MethodOptions, "/", "Pay-Token", fmt.Sprintf("stranger-%013d", i))
		s.do(http.MethodGet, "/", "Pay-Token", fmt.Sprintf("stranger-%013d", i))
	}
	if n := quotesKept(t); n != 0 {
		t.Errorf("%d quotes of strangers are remembered", n)
	}
	s.pay("30")
	asked := s.do(http.MethodOptions, "/").Header.Get("Pay")
	for range 2 {
		if paid := s.do(http.MethodGet, "/"); paid.StatusCode != http.StatusOK || paid.Header.Get("Pay") != asked {
			t.Errorf("a paid answer's quote is %q, a price query's %q", paid.Header.Get("Pay"), asked)
		}
	}
	if n := quotesKept(t); n != 1 {
		t.Errorf("%d quotes are remembered for one token that has paid", n)
	}
}
