package payer_test

import (
	"context"
	"crypto/rand"
	"fmt"
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

func Example() {
	w := &wallet{}
	r, err := receiver.New(receiver.Config{Secrets: [][]byte{make([]byte, 32)}, Addresses: w, Crediter: w, Random: rand.Reader, Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	to, err := r.Quote(receiver.QuoteRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}

	// A connector would be between the two: a link to it takes the place of r.
	sender := payer.Stream{Link: r, Random: rand.Reader, Now: time.Now}
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
