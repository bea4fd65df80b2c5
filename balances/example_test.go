package balances_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/store"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(ctx, filepath.Join(dir, "ledger"), store.Options{})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	l, err := balances.Open(s, balances.Options{})
	if err == nil {
		err = l.PinAsset("USD", 9)
	}
	if err != nil {
		panic(err)
	}

	payer := balances.Account(sha256.Sum256([]byte("the hash of a token")))
	_, err = l.Reserve(ctx, payer, 10)
	var short *balances.Insufficient
	fmt.Println(errors.As(err, &short), err)

	packet := balances.Credit{Account: payer, Amount: 100, Condition: sha256.Sum256([]byte("fulfillment"))}
	for range 2 {
		repeated, err := l.Credit(ctx, packet)
		fmt.Println(repeated, err)
	}

	r, err := l.Reserve(ctx, payer, 10)
	if err != nil {
		panic(err)
	}
	defer r.Release()
	fmt.Println(r.Settle(ctx, 10))
	// Output:
	// true insufficient balance: 0 is spendable
	// false <nil>
	// true <nil>
	// 90 <nil>
}
