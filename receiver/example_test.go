package receiver_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/payer"
	"github.com/paydoor/paydoor/receiver"
)

// ledger prints what it is credited.
type ledger struct{}

func (ledger) Credit(_ context.Context, c receiver.Credit) (repeated bool, err error) {
	fmt.Printf("credit %s to %x\n", c.Amount, c.Payee.ID[:2])
	return false, nil
}

func (ledger) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

// address is a node with a fixed address.
type address struct{}

func (address) Address() (ilpcore.Address, ilpcore.Asset, bool) {
	return "test.node", ilpcore.Asset{Code: "USD", Scale: 9}, true
}

func (address) Suffix(destination []byte) ([]byte, bool) {
	return ilpcore.Address("test.node").Suffix(destination)
}

func Example() {
	secret := make([]byte, 32)
	rand.Read(secret)
	r, err := receiver.New(receiver.Config{Secrets: [][]byte{secret}, Addresses: address{}, Crediter: ledger{}, Random: rand.Reader, Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	quote, err := r.Quote(receiver.QuoteRequest{Payee: receiver.TokenPayee([32]byte{0xab, 0xcd}), Due: 10})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The payer knows the quote alone. Here its packets take the short way.
	sender := payer.PSK2{Link: r, Random: rand.Reader, Now: time.Now}
	ask := payer.Ask{Address: ilpcore.Address(quote.Address), Secret: quote.SharedSecret[:]}
	receipt, err := sender.Pay(context.Background(), ask, 100, nil)
	fmt.Println(receipt.Sent, receipt.Delivered, err)
	// Output:
	// credit 100 to abcd
	// 100 100 <nil>
}
