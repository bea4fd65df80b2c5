package balances

// This file is the balances in memory: 256 shards, and loading from the store.

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

const shardCount = 256

// accounts finds the entry of an account, by a hash with a key of this process: clients choose their tokens, and must not be able to
// choose a shard.
type accounts struct {
	store  *store.Store
	seed   maphash.Seed
	limit  int // entries per shard
	read   func(a Account, create bool) (record, error)
	shards [shardCount]shard
}

// load is a read of the store that is under way; those who need the same account wait for it.
type load struct {
	done chan struct{}
	err  error // set before done is closed; errUnknown: there is no such account
}

var errUnknown = errors.New("unknown account")

func newAccounts(s *store.Store, size int) *accounts {
	t := &accounts{store: s, seed: maphash.MakeSeed(), limit: min(max(1, (size+shardCount-1)/shardCount), maxEntries/2)}
	t.read = t.readStore
	for i := range t.shards {
		t.shards[i].loading = make(map[Account]*load)
	}
	return t
}

func (t *accounts) hash(a *Account) uint64 { return maphash.Bytes(t.seed, a[:]) }

func (t *accounts) shard(a Account) *shard { return &t.shards[uint8(t.hash(&a))] }

// update calls f with the entry of the account under the shard's lock; what f makes of the entry stays, also if f fails.
// An account that is not in memory is loaded. One that is not in the store either is made if create is set, unless f fails and has not
// touched it; else f is not called and update returns errUnknown. Either way nothing of an unknown account is kept in memory.
func (t *accounts) update(ctx context.Context, a Account, create bool, f func(e *entry) error) error {
	hash := t.hash(&a)
	sh := &t.shards[uint8(hash)]
	var e *entry
	made := false
	for {
		sh.mu.Lock()
		if e = sh.find(&a, hash); e != nil {
			break
		}
		l := sh.loading[a]
		if l == nil {
			var err error
			if e, made, err = t.load(sh, a, hash, create); err != nil {
				return err
			}
			break // loaded, and locked
		}
		sh.mu.Unlock()
		select {
		case <-l.done:
			if l.err != nil && !(create && l.err == errUnknown) {
				return l.err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer sh.mu.Unlock()
	e.used = true
	err := f(e)
	if err != nil && made && e.open == 0 && e.sequence == 0 { // nobody else has seen it: the shard was locked all the time
		sh.remove(e, numberIn(sh.slots[sh.slotWith(&a, hash)]), t.hash)
	}
	return err
}

// load reads the account while the shard is unlocked, and enters it; made says that the store does not know it. It is called with the shard
// locked and returns with it locked, or unlocked with an error.
func (t *accounts) load(sh *shard, a Account, hash uint64, create bool) (e *entry, made bool, err error) {
	l := &load{done: make(chan struct{}), err: fmt.Errorf("%w: reading the account panicked", ErrUnavailable)}
	sh.loading[a] = l
	sh.mu.Unlock()
	entered := false
	defer func() { // also after a panic, or the account could never be used again
		if !entered {
			sh.mu.Lock()
			defer sh.mu.Unlock()
		}
		delete(sh.loading, a)
		close(l.done)
	}()
	r, err := t.read(a, create)
	l.err = err
	if err != nil && !(create && err == errUnknown) {
		return nil, false, err
	}
	sh.mu.Lock()
	entered = true
	sh.makeRoom(t.limit, t.store.Durable(), t.hash)
	return sh.enter(entry{account: a, balance: r.balance, pending: r.pending}, hash, t.hash), err == errUnknown, nil
}

// durable is the balance that the store shows: 0 for an account that is not there yet.
func (t *accounts) durable(a Account) (amount.Amount, error) {
	b, err := t.store.Get(balanceKey(a))
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	r, err := decodeBalance(b)
	return r.balance, err
}

// readStore returns the account's record, or errUnknown. When the account is then to be created, it must not have a history: with one
// it is not new but damaged, and its balance must not be overwritten. So the store is stopped. Badger says "no such key" also of
// keys in a block that it finds damaged.
func (t *accounts) readStore(a Account, create bool) (r record, err error) {
	b, err := t.store.Get(balanceKey(a))
	if errors.Is(err, store.ErrNotFound) {
		err = errUnknown
		if create {
			err = t.checkNew(a)
		}
		if err == errUnknown {
			return r, err
		}
	}
	if err == nil {
		r, err = decodeBalance(b)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return r, err
}

// checkNew returns errUnknown if there is no trace of the account, else what is wrong. A history that Badger has not got yet comes with a balance, which
// would have been found.
func (t *accounts) checkNew(a Account) error {
	history, err := t.store.Wrote(append([]byte(historyPrefix), a[:]...))
	switch {
	case err != nil:
		return err
	case history:
		t.store.Fail(fmt.Errorf("%w: account %x has a history and no balance: the database is damaged; restore it from a backup", ErrAudit, a))
		return t.store.Err()
	}
	return errUnknown
}

// resident counts the entries in memory.
func (t *accounts) resident() (n int) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		n += sh.count
		sh.mu.Unlock()
	}
	return n
}
