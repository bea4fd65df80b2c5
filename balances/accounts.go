package balances

// This file is the balances in memory: 256 shards, what an entry knows, loading from the store, and making room.

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

const (
	shardCount = 256
	// evictionSample is how many entries are looked at to find one to evict: the longest unused of them goes.
	evictionSample = 8
)

// entry is an account in memory. It holds no pointers, so that millions of them cost the garbage collector nothing.
type entry struct {
	balance  amount.Amount // with every change that has joined a group
	pending  pending       // charges that are in the balance, and not in the history yet
	held     amount.Amount // of it, credits and raises that may not be spent yet
	reserved amount.Amount // of it, taken by open reservations
	sequence uint64        // the group of the last change; 0 if there was none since loading

	durable         amount.Amount // the balance in a group that is known to be durable
	earlier         amount.Amount // the balance in group earlierSequence, the last one before sequence
	earlierSequence uint64        // 0 if durable is newer

	open uint32 // reservations and holds: while there are any, the entry stays
	used uint32 // the shard's tick at the last use
}

// spendable is what a Reserve may take. It cannot go below 0: reserves and holds are only taken from what is there.
func (e *entry) spendable() amount.Amount { return e.balance - e.held - e.reserved }

// catchUp moves durable on to what is known of group durable and those before it.
func (e *entry) catchUp(durable uint64) {
	switch {
	case e.sequence <= durable:
		e.durable, e.earlierSequence = e.balance, 0
	case e.earlierSequence != 0 && e.earlierSequence <= durable:
		e.durable, e.earlierSequence = e.earlier, 0
	}
}

// enter notes that the balance is about to change in this group.
func (e *entry) enter(sequence, durable uint64) {
	e.catchUp(durable)
	if e.sequence != sequence && e.sequence > durable {
		e.earlier, e.earlierSequence = e.balance, e.sequence
	}
	e.sequence = sequence
}

func (e *entry) evictable(durable uint64) bool { return e.open == 0 && e.sequence <= durable }

// accounts finds the entry of an account, by a hash with a key of this process: clients choose their tokens, and must not be able to
// choose a shard.
type accounts struct {
	store  *store.Store
	seed   maphash.Seed
	limit  int // entries per shard
	read   func(a Account, create bool) (record, error)
	shards [shardCount]shard
}

type shard struct {
	mu      sync.Mutex
	numbers map[Account]int32 // of the entries
	entries []entry
	unused  []int32 // numbers of entries that were evicted
	loading map[Account]*load
	tick    uint32
}

// load is a read of the store that is under way; those who need the same account wait for it.
type load struct {
	done chan struct{}
	err  error // set before done is closed; errUnknown: there is no such account
}

var errUnknown = errors.New("unknown account")

func newAccounts(s *store.Store, size int) *accounts {
	t := &accounts{store: s, seed: maphash.MakeSeed(), limit: max(1, (size+shardCount-1)/shardCount)}
	t.read = t.readStore
	for i := range t.shards {
		t.shards[i].numbers = make(map[Account]int32)
		t.shards[i].loading = make(map[Account]*load)
	}
	return t
}

func (t *accounts) shard(a Account) *shard {
	return &t.shards[uint8(maphash.Bytes(t.seed, a[:]))]
}

// update calls f with the entry of the account under the shard's lock; what f makes of the entry stays, also if f fails.
// An account that is not in memory is loaded. One that is not in the store either is made if create is set; else f is not called and
// update returns errUnknown, keeping nothing of it in memory.
func (t *accounts) update(ctx context.Context, a Account, create bool, f func(e *entry) error) error {
	sh := t.shard(a)
	var number int32
	for {
		sh.mu.Lock()
		var ok bool
		if number, ok = sh.numbers[a]; ok {
			break
		}
		l := sh.loading[a]
		if l == nil {
			var err error
			if number, err = t.load(sh, a, create); err != nil {
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
	e := &sh.entries[number]
	sh.tick++
	e.used = sh.tick
	return f(e)
}

// load reads the account while the shard is unlocked, and enters it. It is called with the shard locked and returns with it locked,
// or unlocked with an error.
func (t *accounts) load(sh *shard, a Account, create bool) (number int32, err error) {
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
		return 0, err
	}
	sh.mu.Lock()
	entered = true
	t.makeRoom(sh)
	return sh.enter(a, entry{balance: r.balance, durable: r.balance, pending: r.pending}), nil
}

// enter makes an entry of an account that has none.
func (sh *shard) enter(a Account, e entry) (number int32) {
	if n := len(sh.unused); n > 0 {
		number, sh.unused = sh.unused[n-1], sh.unused[:n-1]
		sh.entries[number] = e
	} else {
		number = int32(len(sh.entries))
		sh.entries = append(sh.entries, e)
	}
	sh.numbers[a] = number
	return number
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

// checkNew returns errUnknown if there is no trace of the account, else what is wrong.
func (t *accounts) checkNew(a Account) error {
	err := t.store.Iterate(append([]byte(historyPrefix), a[:]...), func(_, _ []byte) error { return errEnough })
	switch err {
	case nil:
		return errUnknown
	case errEnough:
		t.store.Fail(fmt.Errorf("%w: account %x has a history and no balance: the database is damaged; restore it from a backup", ErrAudit, a))
		return t.store.Err()
	}
	return err
}

// makeRoom evicts entries until one more fits, or none of those looked at can go: then the shard is above its limit until later.
func (t *accounts) makeRoom(sh *shard) {
	durable := t.store.Durable()
	for len(sh.numbers) >= t.limit {
		var oldest Account
		age, looked := int64(-1), 0
		for a, n := range sh.numbers { // Go begins at a random place
			e := &sh.entries[n]
			if d := int64(sh.tick - e.used); e.evictable(durable) && d > age {
				oldest, age = a, d
			}
			if looked++; looked >= evictionSample && (age >= 0 || looked >= 16*evictionSample) {
				break
			}
		}
		if age < 0 {
			return
		}
		sh.unused = append(sh.unused, sh.numbers[oldest])
		delete(sh.numbers, oldest)
	}
}

// resident counts the entries in memory.
func (t *accounts) resident() (n int) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		n += len(sh.numbers)
		sh.mu.Unlock()
	}
	return n
}
