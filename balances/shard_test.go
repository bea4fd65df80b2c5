package balances

// This file tests the index of a shard, what its entries cost, and that it keeps its bounds under load.

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"unsafe"

	"github.com/paydoor/paydoor/amount"
)

// weakHash lets accounts collide: in their place and, often, in their tag.
func weakHash(a *Account) uint64 { return uint64(a[0]%3)<<56 | uint64(a[1]%16)<<8 }

// A shard with entries coming and going finds exactly those that a map has.
func TestShardIsAMap(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		var sh shard
		want := map[Account]amount.Amount{}
		for step := range 3000 {
			a := account(random.IntN(200))
			e := sh.find(&a, weakHash(&a))
			if n, ok := want[a]; ok != (e != nil) || ok && (e.balance != n || e.account != a) {
				t.Fatalf("seed %d, step %d: found %+v, want %d, %v", seed, step, e, n, ok)
			}
			switch {
			case e == nil:
				want[a] = amount.Amount(step)
				sh.enter(entry{account: a, balance: amount.Amount(step)}, weakHash(&a), weakHash)
			case random.IntN(2) == 0:
				delete(want, a)
				sh.remove(e, numberIn(sh.slots[sh.slotWith(&a, weakHash(&a))]), weakHash)
			}
			if sh.count != len(want) {
				t.Fatalf("%d entries, want %d", sh.count, len(want))
			}
		}
		if sh.made > 200 || 4*sh.count > 3*len(sh.slots) {
			t.Errorf("%d entries made and %d slots for %d", sh.made, len(sh.slots), sh.count)
		}
	}
}

func (sh *shard) bytes() int {
	return len(sh.pieces)*8192 + cap(sh.pieces)*8 + len(sh.slots)*4 + cap(sh.unused)*4
}

// Of ten million accounts a shard has 39,062; around that, wherever the index has just grown, one costs at most 100 bytes.
func TestP16AccountTakesAtMost100Bytes(t *testing.T) {
	if size := unsafe.Sizeof(entry{}); size != 88 {
		t.Errorf("an entry has %d bytes", size)
	}
	var sh shard
	hash := func(a *Account) uint64 {
		return uint64(a[4])<<56 | uint64(a[0])<<8 | uint64(a[1])<<16 | uint64(a[2])<<24
	}
	worst := 0.0
	for n := range 60_000 {
		a := account(n)
		sh.enter(entry{account: a}, hash(&a), hash)
		if n > 10_000 {
			worst = max(worst, float64(sh.bytes())/float64(sh.count))
		}
	}
	t.Logf("at most %.1f bytes an account, %.1f with 60,000 in a shard", worst, float64(sh.bytes())/float64(sh.count))
	if worst > 100 {
		t.Errorf("%.1f bytes an account", worst)
	}
}

// The hand leaves what is in use, and gives what was used lately another round.
func TestHandEvictsWhatIsNotUsed(t *testing.T) {
	var sh shard
	hash := (&accounts{}).hashForTest()
	var entries []*entry
	for n := range 10 {
		a := account(n)
		entries = append(entries, sh.enter(entry{account: a, used: n%2 == 0}, hash(&a), hash))
	}
	entries[1].open, entries[3].sequence = 1, 8
	sh.makeRoom(8, 7, hash)
	for n, e := range entries {
		if gone := n == 5 || n == 7 || n == 9; e.live == gone {
			t.Errorf("entry %d: %+v", n, *e)
		}
	}
	sh.makeRoom(1, 7, hash)
	if sh.count != 2 || !entries[1].live || !entries[3].live {
		t.Errorf("%d entries are left, in use are two", sh.count)
	}
	sh.makeRoom(1, 8, hash)
	if sh.count != 1 || !entries[1].live {
		t.Errorf("%d entries are left, in use is one", sh.count)
	}
}

func (*accounts) hashForTest() func(a *Account) uint64 {
	return func(a *Account) uint64 { return uint64(a[4])<<56 | uint64(a[0])<<8 }
}

// With many more accounts than the cache has room for, with reserves open and charges on their way, the table stays at its size and those
// in use on top, and no money is lost.
func TestP16CacheKeepsItsSizeUnderLoad(t *testing.T) {
	const size, others, open = 1024, 10_000, 300
	b := newBench(t, Options{CacheSize: size})
	fill(b, others)
	var held []*Reservation
	for n := range open {
		held = append(held, b.reserve(account(n), 7))
	}
	var most int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 32 {
		wg.Go(func() {
			for n := w; n < others; n += 32 {
				r, err := b.Reserve(ctx, account(n), 2)
				if err == nil {
					_, err = r.Settle(ctx, 1)
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n%100 == 0 {
					resident := b.accounts.resident()
					mu.Lock()
					most = max(most, resident)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if most > size+open+2*32 {
		t.Errorf("%d accounts in memory", most)
	}
	for n, r := range held {
		b.want(account(n), 1<<40-8, 7)
		r.Release()
	}
	for n := range others {
		b.want(account(n), 1<<40-1, 0)
	}
	if n := b.accounts.resident(); n > size {
		t.Errorf("%d accounts in memory", n)
	}
	if r := b.audit(); r.Totals.ChargeCount != others || r.Accounts != others {
		t.Error(fmt.Sprintf("%+v", r))
	}
}
