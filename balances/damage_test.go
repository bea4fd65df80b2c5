package balances

// This file tests damage: an account whose balance cannot be found, a read that panics, and events that are not known.

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// With a history, an account is not new: making it anew would overwrite its balance.
func TestAccountWithoutBalanceButWithHistoryIsNotMadeAnew(t *testing.T) {
	raise := map[string]func(b *bench, a Account) error{
		"credit": func(b *bench, a Account) error {
			_, err := b.Credit(ctx, Credit{Account: a, Amount: 5, Condition: condition(1)})
			return err
		},
		"adjust": func(b *bench, a Account) error {
			_, err := b.Adjust(ctx, Adjustment{Account: a, Amount: 5})
			return err
		},
	}
	for name, raise := range raise {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{SkipAudit: true})
			damaged, other := account(1), account(2)
			b.give(damaged, 100)
			b.give(other, 1)
			ticket, err := b.store.Join(func(g *store.Group) { g.Delete(balanceKey(damaged)) })
			if err != nil || ticket.Wait(ctx) != nil {
				t.Fatal(err)
			}
			b.reopen()
			before := b.store.Durable()
			err = raise(b, damaged)
			is(t, err, ErrUnavailable)
			is(t, err, store.ErrPoisoned)
			is(t, err, ErrAudit)
			is(t, b.store.Err(), store.ErrPoisoned)
			if n := b.store.Durable(); n != before {
				t.Errorf("%d groups were written", n-before)
			}
			_, err = b.Reserve(ctx, other, 1)
			is(t, err, ErrUnavailable)
		})
	}
}

func TestPanicOfAReadDoesNotWedgeTheAccount(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 7)
	b.reopen()
	reading, proceed := make(chan struct{}), make(chan struct{})
	var reads atomic.Int64
	b.accounts.read = func(a Account, create bool) (record, error) {
		if reads.Add(1) > 1 {
			return b.accounts.readStore(a, create)
		}
		close(reading)
		<-proceed
		panic("damaged beyond words")
	}
	panicked := make(chan any)
	go func() {
		defer func() { panicked <- recover() }()
		b.Balance(ctx, a)
	}()
	<-reading
	waited := make(chan error)
	go func() {
		_, err := b.Balance(ctx, a)
		waited <- err
	}()
	sh := b.accounts.shard(a)
	sh.mu.Lock()
	loading := sh.loading[a]
	sh.mu.Unlock()
	close(proceed)
	if got := <-panicked; got != "damaged beyond words" {
		t.Errorf("panic %v", got)
	}
	<-loading.done
	is(t, loading.err, ErrUnavailable)
	if err := <-waited; err != nil && !errors.Is(err, ErrUnavailable) { // nil if it came after the panic
		t.Error(err)
	}
	b.want(a, 7, 0)
}

func TestEventsOfAnUnknownKindAreRefusedAndMoneyGoesOn(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	later := Event{Kind: Raised, Amount: 1, Note: "note"}.encode()
	later[1] = '?'
	_, err := decodeEvent(later)
	is(t, err, ErrRecord)
	ticket, err := b.store.Join(func(g *store.Group) { g.Put(historyKey(a, g.Sequence(), 1), later) })
	if err != nil || ticket.Wait(ctx) != nil {
		t.Fatal(err)
	}
	b.reopen()
	is(t, b.History(ctx, a, func(Event) error { return nil }), ErrRecord)
	_, err = b.Audit(ctx)
	is(t, err, ErrRecord)
	b.give(a, 5)
	if balance, err := b.reserve(a, 3).Settle(ctx, 3); balance != 12 || err != nil {
		t.Fatal(balance, err)
	}
}

func (b *bench) balanceInMemory(a Account) (balance amount.Amount) {
	_ = b.accounts.update(ctx, a, false, func(e *entry) error { balance = e.balance; return nil })
	return balance
}
