//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/store"
)

// ledgerIn makes a ledger with two credits to one account and two charges of it.
func ledgerIn(t *testing.T, dir string) {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, dir, store.Options{MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	l, err := balances.Open(s, balances.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.PinAsset("USD", 9); err != nil {
		t.Fatal(err)
	}
	for n := byte(1); n <= 2; n++ {
		if _, err := l.Credit(ctx, balances.Credit{Account: accountNumber(1), Amount: 100, Condition: conditionNumber(n)}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		r, err := l.Reserve(ctx, accountNumber(1), 10)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Settle(ctx, 10); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBooksAreRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	ledgerIn(t, dir)
	b, err := readBooks(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.wrong) > 0 || b.balances[accountNumber(1)] != 180 || b.charges[accountNumber(1)] != (sum{2, 20}) || len(b.credits) != 2 {
		t.Errorf("the books are %+v", b)
	}
}

func TestBooksThatDifferAreNotTheSame(t *testing.T) {
	make := func() *books {
		b := newBooks()
		b.balances[accountNumber(1)] = 5
		b.credits[conditionNumber(1)] = []credit{{accountNumber(1), 15}}
		b.charges[accountNumber(1)] = sum{1, 10}
		return b
	}
	if !make().same(make()) {
		t.Error("the same books differ")
	}
	for name, change := range map[string]func(b *books){
		"balance": func(b *books) { b.balances[accountNumber(1)] = 6 },
		"credit":  func(b *books) { b.credits[conditionNumber(1)][0].amount = amount.Amount(16) },
		"gone":    func(b *books) { delete(b.credits, conditionNumber(1)) },
		"charge":  func(b *books) { b.charges[accountNumber(1)] = sum{2, 10} },
		"totals":  func(b *books) { b.report.Totals.CreditCount++ },
		"events":  func(b *books) { b.report.Events++ },
	} {
		b := make()
		change(b)
		if b.same(make()) {
			t.Errorf("%s: books that differ are the same", name)
		}
	}
}

// A balance below zero in between is found, also when it is right in the end.
func TestBooksFindABalanceBelowZero(t *testing.T) {
	b := newBooks()
	var in, out uint64
	for _, e := range []balances.Event{
		{Kind: balances.Credited, Amount: 10, Condition: conditionNumber(1)},
		{Kind: balances.Settled, Count: 2, Charges: balances.Sum{Lo: 20}, Sequence: 7},
		{Kind: balances.Credited, Amount: 30, Condition: conditionNumber(2)},
	} {
		if err := b.event(accountNumber(1), e, &in, &out); err != nil {
			t.Fatal(err)
		}
	}
	if v := fmt.Sprint(b.wrong); len(b.wrong) != 1 || !strings.Contains(v, "10 below zero after group 7") {
		t.Errorf("wrong: %s", v)
	}
}
