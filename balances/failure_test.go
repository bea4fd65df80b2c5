package balances

// This file tests failing: disks that break or fill up, callers that leave, overload.

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/store"
)

func TestP10PoisonedStore(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	r, second := b.reserve(a, 3), b.reserve(a, 2)
	broken := errors.New("input/output error")
	b.onFault(func(at store.Point, _ uint64) error {
		if at == store.AfterCommit {
			return broken
		}
		return nil
	})
	_, err := r.Settle(ctx, 3)
	is(t, err, ErrUnavailable)
	is(t, err, store.ErrPoisoned)
	_, err = second.Settle(ctx, 1)
	is(t, err, ErrUnavailable)
	_, err = b.Reserve(ctx, a, 1)
	is(t, err, ErrUnavailable)
	_, err = b.Balance(ctx, a)
	is(t, err, ErrUnavailable)
	_, err = b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(5)})
	is(t, err, ErrUnavailable)
	_, err = b.Adjust(ctx, Adjustment{Account: a, Amount: 1})
	is(t, err, ErrUnavailable)
	_, err = b.Audit(ctx)
	is(t, err, ErrUnavailable)
	second.Release()
	b.fault.Store(nil)
	b.reopen()
	b.want(a, 7, 0) // the failed charge was written; that of the second never joined
	b.audit()
}

func TestP10CreditOnAPoisonedStoreIsNotReported(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 1)
	b.failAt(b.written(), b.store.Durable()+1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			repeated, err := b.Credit(ctx, Credit{Account: a, Amount: 5, Condition: condition(1)})
			if repeated || !errors.Is(err, ErrUnavailable) {
				t.Errorf("%v, %v", repeated, err)
			}
		})
	}
	wg.Wait()
	b.fault.Store(nil)
	b.reopen()
	b.want(a, 6, 0)
	repeated, err := b.Credit(ctx, Credit{Account: a, Amount: 5, Condition: condition(1)})
	if !repeated || err != nil { // the repetition learns the outcome
		t.Fatal(repeated, err)
	}
	b.audit()
}

func TestFullDiskChargesNobody(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	r := b.reserve(a, 4)
	b.free.Store(1)
	for b.store.Ready() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	_, err := r.Settle(ctx, 4)
	is(t, err, ErrUnavailable)
	is(t, err, store.ErrNoSpace)
	b.want(a, 10, 0)
	_, err = b.Reserve(ctx, a, 1)
	is(t, err, ErrUnavailable)
	_, err = b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(1)})
	is(t, err, ErrUnavailable)
	b.free.Store(1 << 40)
	for b.store.Ready() != nil {
		time.Sleep(10 * time.Millisecond)
	}
	if got, err := b.reserve(a, 4).Settle(ctx, 4); got != 6 || err != nil {
		t.Fatal(got, err)
	}
	b.audit()
}

func TestSettleWithEndedContextStaysCharged(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	r := b.reserve(a, 4)
	release := b.holdCommits()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err := r.Settle(ended, 4)
	is(t, err, ErrUnavailable)
	is(t, err, context.Canceled)
	release()
	b.want(a, 6, 0)
	b.reopen()
	b.want(a, 6, 0)
	b.audit()
}

func TestClosedStore(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	r, other := b.reserve(a, 4), b.reserve(a, 1)
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := r.Settle(ctx, 4)
	is(t, err, ErrUnavailable)
	other.Release()
	_, err = b.Reserve(ctx, a, 1)
	is(t, err, ErrUnavailable)
	b.open()
	b.want(a, 10, 0)
}

func TestOverloadIsBusy(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	release := b.holdCommits()
	defer release()
	big := make([]byte, store.MaxValue)
	for i := 0; b.store.Backlog() <= busyBacklog; i++ {
		_, err := b.store.Join(func(g *store.Group) {
			for n := range 3 {
				g.Put(fmt.Appendf(nil, "x/%d/%d", i, n), big)
			}
		})
		is(t, err, nil)
	}
	_, err := b.Reserve(ctx, a, 1)
	is(t, err, ErrBusy)
	_, err = b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(1)})
	is(t, err, ErrBusy)
	release()
	for b.store.Backlog() > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	b.reserve(a, 1).Release()
}
