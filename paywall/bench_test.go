package paywall

import (
	"context"
	"net/http"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

type freeLedger struct{}

func (freeLedger) Balance(context.Context, balances.Account) (amount.Amount, error) { return 90, nil }
func (freeLedger) Reserve(context.Context, balances.Account, amount.Amount) (Reservation, error) {
	return freeLedger{}, nil
}
func (freeLedger) Settle(context.Context, amount.Amount) (amount.Amount, error) { return 90, nil }
func (freeLedger) Release() amount.Amount                                       { return 100 }
func (freeLedger) Left() amount.Amount                                          { return 90 }

type fixedQuoter struct{}

func (fixedQuoter) Quote(QuoteRequest) (Quote, error) {
	return Quote{"test.shop.0123456789abcdefghijkl", "SkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU"}, nil
}

// BenchmarkPaidRequest is the handler's own cost: ledger, quoter, server and backend do nothing.
func BenchmarkPaidRequest(b *testing.B) {
	wall, err := New(Config{Ledger: freeLedger{}, Quoter: fixedQuoter{}, Prices: []Rule{{Price: 10}}})
	if err != nil {
		b.Fatal(err)
	}
	token := []string{testToken}
	header := http.Header{"Accept": {"*/*"}, "User-Agent": {"x"}, "Accept-Encoding": {"gzip"}}
	r := request("GET", "/some/path", "")
	r.Header = header
	out := &spyWriter{header: http.Header{}}
	next := func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(200)
		return nil
	}
	b.ReportAllocs()
	for b.Loop() {
		header["Pay-Token"] = token
		clear(out.header)
		if err := wall.ServeHTTP(out, r, next); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPaymentRequired(b *testing.B) {
	wall, err := New(Config{Ledger: newFakeLedger(), Quoter: fixedQuoter{}, Prices: []Rule{{Price: 10}}})
	if err != nil {
		b.Fatal(err)
	}
	r := request("GET", "/some/path", testToken)
	b.ReportAllocs()
	for b.Loop() {
		if err := wall.ServeHTTP(&spyWriter{header: http.Header{}}, r, nil); err != nil {
			b.Fatal(err)
		}
	}
}
