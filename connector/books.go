package connector

// This file is what the node and its neighbours owe each other: one balance per account, exact, in memory and in the store.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

var (
	// ErrBalance says that an account cannot be forgotten while money is on it or under way.
	ErrBalance = errors.New("the account's balance is not zero")
	// ErrRange says that a balance would leave what 64 bits hold. Nothing was changed.
	ErrRange = errors.New("the balance would not fit 64 bits")

	errLow = errors.New("the balance would fall below its minimum")
)

// Balance is what an account holder has with the node, in the account's base units: positive, the node owes them.
type Balance struct {
	Clearing int64 `json:"clearing"` // what packets and settlements made of it
	Prepaid  int64 `json:"prepaid"`  // what came in by settlement beyond the debt; never negative, and used up first
}

// Net is both together. It always fits.
func (b Balance) Net() int64 { return b.Clearing + b.Prepaid }

// Books hold the balances of all accounts. They are complete in memory; with a store every change is durable before anybody is told of it.
// There is one Books per store, which a node with a new configuration gets from the one before.
//
// A packet changes two balances or none. While it is under way its amount is held: taken from what the sender can still use, prepaid money first,
// and kept free on the receiving side, so that a fulfilled packet always finds room. Holds are in memory alone. A packet that is rejected gives back
// exactly what it took, from where it took it; a process that dies forgets its holds, and has charged nobody. What it can lose is the
// record of packets that were under way at that moment: a neighbour may have fulfilled one, and count on money that is not in the
// books. That is at most what the senders may have in flight.
type Books struct {
	store *store.Store // nil: in memory only

	// Inside of the store's own: balances change in joins, which happen one at a time, so that their records get there in the order of the changes,
	// whoever joins. Nobody joins who holds it.
	mu      sync.Mutex
	entries map[ilpcore.AccountID]*entry
	changed []*entry                  // to be written down in this join
	paused  map[ilpcore.AccountID]int // how often, by Pause

	received *arrivals
}

// entry is the balance of one account, and the holds on it. clearing + prepaid + expected, and clearing − held.clearing, always fit.
type entry struct {
	id ilpcore.AccountID
	Balance
	held     Balance // what packets of the account that are under way have taken
	expected int64   // what packets to the account that are under way will bring, if fulfilled
	changed  bool    // is in Books.changed
}

// OpenBooks reads the balances in s. The error is ErrBooks for a record it cannot read, or the store's.
func OpenBooks(s *store.Store) (*Books, error) {
	b := newBooks()
	b.store = s
	err := s.Iterate([]byte(booksPrefix), func(key, value []byte) error {
		id := ilpcore.AccountID(key[len(booksPrefix):])
		balance, err := decodeBalance(value)
		if err != nil {
			return fmt.Errorf("the balance of account %q: %w", id, err)
		}
		b.entries[id] = &entry{id: id, Balance: balance}
		return nil
	})
	if err == nil {
		err = s.Iterate([]byte(receivedPrefix), b.received.load)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the balances: %w", err)
	}
	return b, nil
}

func newBooks() *Books {
	return &Books{entries: map[ilpcore.AccountID]*entry{}, paused: map[ilpcore.AccountID]int{}, received: newArrivals()}
}

// Balance returns what was fulfilled and settled so far; what is under way does not count. ok is false for an account that never had a
// packet or a settlement.
func (b *Books) Balance(id ilpcore.AccountID) (balance Balance, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[id]; e != nil {
		return e.Balance, true
	}
	return Balance{}, false
}

// Forget removes the account's balance for good: ErrBalance unless it is zero and nothing is under way, or the store's error.
func (b *Books) Forget(id ilpcore.AccountID) error {
	b.mu.Lock()
	known, busy := b.forgettable(id)
	b.mu.Unlock()
	if busy != nil || !known {
		return busy
	}
	wait, err := b.join(func(g *store.Group) {
		if known, busy = b.forgettable(id); busy != nil || !known { // a packet came between
			return
		}
		delete(b.entries, id)
		if g != nil {
			g.Delete(balanceKey(id))
		}
	})
	if err != nil {
		return err
	}
	return errors.Join(busy, wait(context.Background()))
}

// forgettable says whether the account has an entry, and ErrBalance if that is in use. The lock is held.
func (b *Books) forgettable(id ilpcore.AccountID) (known bool, err error) {
	e := b.entries[id]
	if e != nil && (e.Balance != (Balance{}) || e.held != (Balance{}) || e.expected != 0) {
		return true, fmt.Errorf("account %q: %w", id, ErrBalance)
	}
	return e != nil, nil
}

// ready says whether a change would be taken now: nil, or the store's error.
func (b *Books) ready() error {
	if b.store == nil {
		return nil
	}
	return b.store.Ready()
}

// entry returns the account's entry, made if there is none. The lock is held.
func (b *Books) entry(id ilpcore.AccountID) *entry {
	e := b.entries[id]
	if e == nil {
		e = &entry{id: id}
		b.entries[id] = e
	}
	return e
}

// signed returns a as a signed number; ok is false when it does not fit.
func signed(a amount.Amount) (n int64, ok bool) { return int64(a), a <= math.MaxInt64 }

// sum returns a + b + …; ok is false when it, or a part of it from the left, does not fit.
func sum(numbers ...int64) (total int64, ok bool) {
	for _, n := range numbers {
		if n > 0 && total > math.MaxInt64-n || n < 0 && total < math.MinInt64-n {
			return 0, false
		}
		total += n
	}
	return total, true
}
