package paywall_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/paywall"
)

// purse is the smallest ledger: one balance for everybody, without locks. A real one is balances.Ledger.
type purse struct{ left amount.Amount }

func (p *purse) Balance(context.Context, balances.Account) (amount.Amount, error) { return p.left, nil }

func (p *purse) Reserve(_ context.Context, _ balances.Account, price amount.Amount) (paywall.Reservation, error) {
	left, ok := p.left.Sub(price)
	if !ok {
		return nil, balances.ErrInsufficient
	}
	p.left = left
	return &held{p, price, p.left}, nil
}

type held struct {
	purse *purse
	price amount.Amount
	left  amount.Amount
}

func (h *held) Settle(_ context.Context, charge amount.Amount) (amount.Amount, error) {
	h.purse.left += h.price - charge
	h.price = 0
	return h.purse.left, nil
}

func (h *held) Left() amount.Amount { return h.left }

func (h *held) Release() amount.Amount {
	h.purse.left += h.price
	h.price = 0
	return h.purse.left
}

type signpost struct{}

func (signpost) Quote(paywall.QuoteRequest) (paywall.Quote, error) {
	return paywall.Quote{Address: "test.shop.filepay", Secret: "SkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU"}, nil
}

// The flow of seed 003, section 2: ask, pay, and send the request.
func Example() {
	ledger := &purse{}
	wall, err := paywall.New(paywall.Config{
		Ledger: ledger,
		Quoter: signpost{},
		Prices: []paywall.Rule{{Price: 10}, {Path: "/health", Free: true}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	backend := func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, "stored")
		return err
	}
	send := func(method, path string) {
		r := httptest.NewRequest(method, path, strings.NewReader("a mockup"))
		r.Header.Set("Pay-Token", "7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450")
		w := httptest.NewRecorder()
		if err := wall.ServeHTTP(w, r, backend); err != nil {
			fmt.Println(err)
		}
		fmt.Println(method, path, w.Code, "balance", w.Header().Get("Pay-Balance"))
	}
	send("POST", "/upload")
	send("OPTIONS", "/upload")
	ledger.left += 100 // a payment arrives
	send("POST", "/upload")
	send("GET", "/health")

	// Output:
	// POST /upload 402 balance 0
	// OPTIONS /upload 204 balance 0
	// POST /upload 200 balance 90
	// GET /health 200 balance
}
