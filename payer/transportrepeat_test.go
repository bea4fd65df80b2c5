package payer

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/receiver"
)

// onceBudget is a Budget that knows nothing of requests with several payments.
type onceBudget struct{ Budget }

// TestTransportPaysAgain has the money for a request spent by others: it pays again only within the cap of one request, and only if the host tells
// that the money is gone.
func TestTransportPaysAgain(t *testing.T) {
	tests := []struct {
		name   string
		budget Budget
		untold bool
		paid   amount.Amount
		status int
		err    error
	}{
		{name: "the cap suffices", budget: &Caps{PerRequest: 20, Now: time.Now}, paid: 20, status: 200},
		{name: "the cap does not suffice for both", budget: &Caps{PerRequest: 19, Now: time.Now}, paid: 10, err: ErrCap},
		{name: "the balance is not told", budget: &Caps{Now: time.Now}, untold: true, paid: 10, status: 402},
		{name: "a budget for one payment", budget: onceBudget{&Caps{Now: time.Now}}, paid: 10, err: errOnePayment},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t)
				quote, err := m.Quote(receiver.QuoteRequest{Token: []byte("0123456789abcdef"), Due: 10})
				if err != nil {
					t.Fatal(err)
				}
				pay := fmt.Sprintf("%s %s %s 10", MethodStream, quote.Address, base64.RawURLEncoding.EncodeToString(quote.SharedSecret[:]))
				link := &network{to: m}
				end := make(chan struct{})
				base := roundTripper(func(r *http.Request) (*http.Response, error) {
					if r.URL.Path == "/other" {
						<-end
						return answer(r, http.StatusOK, nil), nil
					}
					if m.till.sum() >= 20 && r.Method != http.MethodOptions {
						return answer(r, http.StatusOK, nil), nil
					}
					header := http.Header{"Pay": {pay}} // the first 10 are spent by others at once
					if !test.untold {
						header.Set("Pay-Balance", "0")
					}
					return answer(r, http.StatusPaymentRequired, header), nil
				})
				transport := &Transport{Base: base, Link: link, Random: rand.Reader, Now: time.Now, Budget: test.budget, Secret: bytes.Repeat([]byte{9}, 32)}
				c := &http.Client{Transport: transport}
				go c.Get("https://shop.example/other")
				synctest.Wait()
				response, err := c.Get("https://shop.example/")
				close(end)
				if !errors.Is(err, test.err) || err == nil && response.StatusCode != test.status {
					t.Errorf("got %+v, %v", response, err)
				}
				if link.paid != test.paid || m.till.sum() != test.paid {
					t.Errorf("%s were paid and %s credited; want %s", link.paid, m.till.sum(), test.paid)
				}
			})
		})
	}
}

// roundTripper makes an http.RoundTripper of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
