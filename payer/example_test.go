package payer_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/payer"
	"github.com/paydoor/paydoor/receiver"
)

// wallet is the receiving side of the example: a till, and an address for the receiver.
type wallet struct{ total amount.Amount }

func (w *wallet) Credit(_ context.Context, c receiver.Credit) (repeated bool, err error) {
	w.total += c.Amount
	return false, nil
}

func (w *wallet) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

func (w *wallet) Address() (ilpcore.Address, ilpcore.Asset, bool) {
	return "test.wallet", ilpcore.Asset{Code: "USD", Scale: 9}, true
}

func (w *wallet) Suffix(destination []byte) ([]byte, bool) {
	return ilpcore.Address("test.wallet").Suffix(destination)
}

// sell is a page that costs 10, of which the wallet is the till.
func (w *wallet) sell(r *receiver.Receiver) http.HandlerFunc {
	return func(answer http.ResponseWriter, _ *http.Request) {
		to, err := r.Quote(receiver.QuoteRequest{Due: 10})
		if err != nil {
			http.Error(answer, err.Error(), http.StatusInternalServerError)
			return
		}
		answer.Header().Set("Pay", fmt.Sprintf("interledger-stream %s %s 10", to.Address, base64.RawURLEncoding.EncodeToString(to.SharedSecret[:])))
		answer.Header().Set("Pay-Balance", w.total.String())
		if w.total < 10 {
			answer.WriteHeader(http.StatusPaymentRequired)
			return
		}
		w.total -= 10
		fmt.Fprintln(answer, "worth 10")
	}
}

func newReceiver(w *wallet) *receiver.Receiver {
	r, err := receiver.New(receiver.Config{Secrets: [][]byte{make([]byte, 32)}, Addresses: w, Crediter: w, Random: rand.Reader, Now: time.Now})
	if err != nil {
		panic(err)
	}
	return r
}

// A program pays for its requests by one more line: the Transport of its client.
func Example() {
	till := &wallet{}
	link := newReceiver(till) // a connector would be between the two: a link to it takes the place of the receiver
	shop := httptest.NewServer(till.sell(link))
	defer shop.Close()
	dir, url := os.TempDir()+"/paydoor-example", shop.URL
	defer os.RemoveAll(dir)

	wallet, err := payer.OpenWallet(payer.WalletConfig{Dir: dir, Limits: payer.Limits{PerRequest: 100, PerDay: 1000}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer wallet.Close()
	client := http.Client{Transport: wallet.Transport(link)}
	defer client.CloseIdleConnections()
	response, err := client.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	io.Copy(os.Stdout, response.Body)
	fmt.Println(wallet.SpentToday())
	// Output:
	// worth 10
	// 10 <nil>
}

func ExampleStream() {
	w := &wallet{}
	link := newReceiver(w)
	to, err := link.Quote(receiver.QuoteRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sender := payer.Stream{Link: link, Random: rand.Reader, Now: time.Now}
	result, err := sender.Pay(context.Background(), payer.Payment{
		Address: ilpcore.Address(to.Address), Secret: to.SharedSecret[:],
		Deliver: 10_000, // in the receiver's base units
		MaxSend: 10_500, // in ours; never more, whatever happens
	})
	fmt.Println(result.Sent, result.Delivered, result.DestinationAsset, err)
	fmt.Println(w.total)
	// Output:
	// 10000 10000 USD 9 <nil>
	// 10000
}
