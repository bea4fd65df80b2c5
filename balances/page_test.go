package balances

// This file walks through the accounts in pieces.

import (
	"errors"
	"slices"
	"testing"

	"github.com/paydoor/paydoor/amount"
)

func TestEachAfterGoesOnWhereItStopped(t *testing.T) {
	b := newBench(t, Options{})
	var want []Account
	for i := range 10 {
		a := Account{byte(i), 0xff, byte(i)}
		if _, err := b.Adjust(t.Context(), Adjustment{Account: a, Amount: amount.Amount(i + 1)}); err != nil {
			t.Fatal(err)
		}
		want = append(want, a)
	}
	errEnough := errors.New("enough")
	var got []Account
	for last := (*Account)(nil); ; last = &got[len(got)-1] {
		n := 0
		err := b.EachAfter(t.Context(), last, func(a Account, balance amount.Amount) error {
			if n == 3 {
				return errEnough
			}
			if balance != amount.Amount(a[0])+1 {
				t.Errorf("account %x has %v", a, balance)
			}
			n++
			got = append(got, a)
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
