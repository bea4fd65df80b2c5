package balances

// This file tests the balances in memory: what stays, what goes, and that nothing gets lost on the way.

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

func TestP9UnknownAccountsLeaveNothing(t *testing.T) {
	b := newBench(t, Options{CacheSize: 256})
	before := b.store.Durable()
	for n := range 20_000 {
		b.want(account(n), 0, 0)
		_, err := b.Reserve(ctx, account(n), 1)
		is(t, err, ErrInsufficient)
	}
	rejected := 20_000
	if testing.Short() {
		rejected = 2000
	}
	for n := range rejected { // what a stranger pays above max_balance is rejected
		c := Credit{Account: account(n % 1000), Amount: 11, Condition: condition(n), Max: 10}
		_, err := b.Credit(ctx, c)
		is(t, err, ErrMaxBalance)
	}
	late := b.clock.now().Add(-time.Second)
	_, err := b.Credit(ctx, Credit{Account: account(1), Amount: 1, Condition: condition(1), Deadline: late})
	is(t, err, ErrTooLate)
	_, err = b.Credit(ctx, Credit{Account: account(1), Condition: condition(1)})
	is(t, err, nil)
	if n := b.accounts.resident(); n != 0 {
		t.Errorf("%d accounts in memory", n)
	}
	if n := b.store.Durable(); n != before {
		t.Errorf("%d groups were written", n-before)
	}
}

// Credits that fail take their entry away again, and not that of one that stands.
func TestP9RejectedCreditsBesideOneThatStands(t *testing.T) {
	b := newBench(t, Options{})
	for n := range 50 {
		a := account(n)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				c := Credit{Account: a, Amount: 11, Condition: condition(100*n + i), Max: 10}
				want := ErrMaxBalance
				if i == 4 {
					c.Amount, want = 7, nil
				}
				if _, err := b.Credit(ctx, c); !errors.Is(err, want) {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		all.Wait()
		b.want(a, 7, 0)
	}
	if n := b.accounts.resident(); n != 50 {
		t.Errorf("%d accounts in memory", n)
	}
	b.audit()
	b.reopen()
	b.want(account(49), 7, 0)
}

func TestTinyCacheEvictsAndKeepsTheMoney(t *testing.T) {
	b := newBench(t, Options{CacheSize: 1})
	const accounts = 3000
	pinned := account(accounts)
	b.give(pinned, 9)
	r := b.reserve(pinned, 5)
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for n := w; n < accounts; n += 64 {
				c := Credit{Account: account(n), Amount: amount.Amount(n + 1), Condition: condition(n)}
				if _, err := b.Credit(ctx, c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := b.accounts.resident(); n > shardCount+64 {
		t.Errorf("%d accounts in memory", n)
	}
	for w := range 64 {
		wg.Go(func() {
			for n := w; n < accounts; n += 64 {
				r, err := b.Reserve(ctx, account(n), 1)
				if err == nil {
					_, err = r.Settle(ctx, 1)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for n := range accounts {
		b.want(account(n), amount.Amount(n), 0)
	}
	b.want(pinned, 4, 5)
	if got := r.Release(); got != 9 {
		t.Errorf("%d after release", got)
	}
	// One a shard; besides the pinned one, a shard that has got two of the accounts in all may have kept both, since nothing came after them.
	if n := b.accounts.resident(); n > shardCount+8 {
		t.Errorf("%d accounts in memory", n)
	}
	if r := b.audit(); r.Accounts != accounts+1 || r.Totals.ChargeCount != accounts {
		t.Errorf("%+v", r)
	}
}

func TestColdLoadsAreShared(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 64)
	b.reopen()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			r, err := b.Reserve(ctx, a, 1)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := r.Settle(ctx, 1); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b.want(a, 0, 0)
}

// A change that is not on disk yet must not be forgotten with its entry: the store would give the old balance.
func TestUnsyncedEntriesStay(t *testing.T) {
	b := newBench(t, Options{CacheSize: 1})
	const others = 3000
	fill(b, others)
	a := account(others)
	b.give(a, 10)
	r := b.reserve(a, 4)
	release := b.holdCommits()
	done := make(chan error, 1)
	go func() { _, err := r.Settle(ctx, 4); done <- err }()
	for b.store.Backlog() == 0 {
		time.Sleep(time.Millisecond)
	}
	for n := range others {
		b.want(account(n), 1<<40, 0)
	}
	b.want(a, 6, 0)
	release()
	is(t, <-done, nil)
	for n := range others {
		b.want(account(n), 1<<40, 0)
	}
	b.want(a, 6, 0)
}
