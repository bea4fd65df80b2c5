package balances

// This file tests charging and its promises; the numbers P1 to P12 in names of tests are those of the promises the ledger is held to.

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

func TestReserveSettleRelease(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	_, err := b.Reserve(ctx, a, 1)
	var short *Insufficient
	if !errors.As(err, &short) || short.Balance != 0 || !errors.Is(err, ErrInsufficient) {
		t.Fatal(err)
	}
	b.give(a, 100)
	b.want(a, 100, 0)
	r := b.reserve(a, 60)
	b.want(a, 40, 60)
	if _, err := b.Reserve(ctx, a, 41); !errors.As(err, &short) || short.Balance != 40 {
		t.Fatal(err)
	}
	second := b.reserve(a, 40)
	b.want(a, 0, 100)
	if got := second.Release(); got != 40 {
		t.Fatalf("%d after release", got)
	}
	if got := second.Release(); got != 40 {
		t.Fatalf("%d after the second release", got)
	}
	_, err = second.Settle(ctx, 1)
	is(t, err, ErrDone)
	_, err = r.Settle(ctx, 61)
	is(t, err, ErrOvercharge)
	b.want(a, 40, 60)
	if got, err := r.Settle(ctx, 25); got != 75 || err != nil {
		t.Fatalf("%d, %v after settling", got, err)
	}
	_, err = r.Settle(ctx, 25)
	is(t, err, ErrDone)
	if got := r.Release(); got != 75 {
		t.Fatalf("%d after settling and releasing", got)
	}
	free := b.reserve(a, 0)
	if got, err := free.Settle(ctx, 0); got != 75 || err != nil {
		t.Fatalf("%d, %v", got, err)
	}
	zero := b.reserve(a, 75)
	if got, err := zero.Settle(ctx, 0); got != 75 || err != nil {
		t.Fatalf("%d, %v", got, err)
	}
	b.reopen()
	b.want(a, 75, 0)
	if r := b.audit(); r.Totals.Charges != (Sum{Lo: 25}) || r.Totals.ChargeCount != 1 || r.Accounts != 1 {
		t.Fatalf("%+v", r)
	}
}

func TestP1CreditIsDurableBeforeItReturns(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	release := b.holdCommits()
	done := make(chan error, 1)
	go func() {
		_, err := b.Credit(ctx, Credit{Account: a, Amount: 5, Condition: condition(1)})
		done <- err
	}()
	for b.store.Backlog() == 0 {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-done:
		t.Fatalf("returned before it was durable: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	b.want(a, 0, 0)
	_, err := b.Reserve(ctx, a, 1)
	is(t, err, ErrInsufficient)
	release()
	is(t, <-done, nil)
	b.want(a, 5, 0) // P12: at once
	crashed := b.crash()
	crashed.want(a, 5, 0)
}

func TestP5ChargeIsDurableBeforeSettleReturns(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	r := b.reserve(a, 10)
	release := b.holdCommits()
	done := make(chan error, 1)
	go func() {
		_, err := r.Settle(ctx, 4)
		done <- err
	}()
	for b.store.Backlog() == 0 {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-done:
		t.Fatalf("returned before it was durable: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	got, err := b.Balance(ctx, a)
	if err != nil || got != (Balance{Spendable: 6, Durable: 10}) {
		t.Fatalf("%+v, %v", got, err)
	}
	release()
	is(t, <-done, nil)
	got, err = b.Balance(ctx, a)
	if err != nil || got != (Balance{Spendable: 6, Durable: 6}) {
		t.Fatalf("%+v, %v", got, err)
	}
	b.crash().want(a, 6, 0)
}

func TestP6CrashReleasesReservations(t *testing.T) {
	b := newBench(t, Options{})
	b.give(account(1), 10)
	b.reserve(account(1), 7)
	b.crash().want(account(1), 10, 0)
}

func TestProcessDurabilityReturnsAtOnce(t *testing.T) {
	b := newBench(t, Options{Durability: Process})
	a := account(1)
	b.give(a, 10)
	release := b.holdCommits()
	defer release()
	for i := range 3 {
		if got, err := b.reserve(a, 2).Settle(ctx, 2); err != nil || got != amount.Amount(8-2*i) {
			t.Fatalf("%d, %v", got, err)
		}
	}
	if got, err := b.Balance(ctx, a); err != nil || got != (Balance{Spendable: 4, Durable: 10}) {
		t.Fatalf("%+v, %v", got, err)
	}
	crashed := b.crash() // the process ends with all of it in the tail alone
	crashed.want(a, 4, 0)
	crashed.audit()
	release()
	b.reopen()
	b.want(a, 4, 0)
	b.audit()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "plain"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := Open(s, Options{Durability: Process}); err == nil {
		t.Fatal("process durability without a tail")
	}
}

func TestP4ChecksAmounts(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	credit := func(n int, c Credit) error {
		c.Account, c.Condition = a, condition(n)
		_, err := b.Credit(ctx, c)
		return err
	}
	is(t, credit(1, Credit{Amount: 11, Max: 10}), ErrMaxBalance)
	is(t, credit(1, Credit{Amount: 10, Max: 10}), nil)
	is(t, credit(2, Credit{Amount: 1, Max: 10}), ErrMaxBalance)
	is(t, credit(2, Credit{Amount: amount.Max - 9}), ErrMaxBalance)
	is(t, credit(2, Credit{Amount: amount.Max - 10}), nil)
	is(t, credit(3, Credit{Amount: 1}), ErrMaxBalance)
	b.want(a, amount.Max, 0)
	if got, err := b.reserve(a, amount.Max).Settle(ctx, amount.Max); got != 0 || err != nil {
		t.Fatal(got, err)
	}
	is(t, credit(3, Credit{Amount: amount.Max}), nil)
	r := b.audit()
	if want := (Sum{Hi: 1, Lo: 1<<64 - 2}); r.Totals.Credits != want || want.String() != "36893488147419103230" {
		t.Fatalf("credits %v, want %v", r.Totals.Credits, want)
	}
	b.reopen()
	b.want(a, amount.Max, 0)
}

// 64 goroutines spend one account to the last unit while others fill it: the money adds up, and is never below zero.
func TestP4P7HotAccount(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	const workers, rounds = 64, 40
	var credited, settled atomic.Uint64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range rounds {
				if w%4 == 0 {
					c := Credit{Account: a, Amount: 3, Condition: condition(w*rounds + n)}
					if _, err := b.Credit(ctx, c); err != nil {
						t.Error(err)
						return
					}
					credited.Add(3)
					continue
				}
				r, err := b.Reserve(ctx, a, 2)
				if errors.Is(err, ErrInsufficient) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n%3 == 0 {
					r.Release()
					continue
				}
				charge := amount.Amount(1 + n%2)
				left, err := r.Settle(ctx, charge)
				if err != nil {
					t.Error(err)
					return
				}
				if left > workers*rounds*3 {
					t.Errorf("balance %d is below zero", left)
				}
				settled.Add(uint64(charge))
			}
		})
	}
	wg.Wait()
	left := amount.Amount(credited.Load() - settled.Load())
	b.want(a, left, 0)
	// Spend the rest from all sides at once: exactly what is there can be taken.
	var taken atomic.Uint64
	for range workers {
		wg.Go(func() {
			for {
				r, err := b.Reserve(ctx, a, 1)
				if errors.Is(err, ErrInsufficient) {
					return
				}
				if err == nil {
					_, err = r.Settle(ctx, 1)
				}
				if err != nil {
					t.Error(err)
					return
				}
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if amount.Amount(taken.Load()) != left {
		t.Errorf("%d taken of %d", taken.Load(), left)
	}
	r := b.audit()
	if r.Balances != (Sum{}) || r.Totals.Charges != (Sum{Lo: credited.Load()}) {
		t.Errorf("%+v", r)
	}
	t.Logf("%d charges and %d credits in %d groups", r.Totals.ChargeCount, r.Totals.CreditCount, r.Sequence)
	b.reopen()
	b.want(a, 0, 0)
}
