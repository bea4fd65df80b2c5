package connector

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

func FuzzReceivedRecord(f *testing.F) {
	write := func(r receipt) []byte {
		record := append([]byte{receivedVersion}, r.digest[:]...)
		return append(append(append(record, byte(len(r.from))), r.from...), r.to...)
	}
	f.Add(receivedKey([32]byte{1}), write(receipt{digest: [32]byte{2}, from: "bob", to: "alice"}))
	f.Add(receivedKey([32]byte{1}), write(receipt{}))
	f.Add([]byte(receivedPrefix), []byte{})
	f.Fuzz(func(t *testing.T, key, record []byte) {
		a := newArrivals()
		err := a.load(key, record)
		if (err == nil) != (len(a.taken) == 1) || err != nil && !errors.Is(err, ErrBooks) {
			t.Fatalf("%v, %d remembered", err, len(a.taken))
		}
		for _, r := range a.taken {
			if got := write(r); string(got) != string(record) {
				t.Errorf("%x was read as %+v, which is %x", record, r, got)
			}
		}
	})
}

// TestMoneyAddsUp: whatever is received, repeated, taken back, forwarded and rejected at once, no money comes or goes, also across a restart, and
// each condition counts once.
func TestMoneyAddsUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openTestStore(t, dir)
	b := openTestBooks(t, s)
	accounts := []ilpcore.AccountID{"alice", "bob", "carol"}
	var mu sync.Mutex
	credited := map[[32]byte]int{}
	work := func(random *rand.Rand) error {
		from, to := accounts[random.IntN(3)], accounts[random.IntN(3)]
		if from == to {
			return nil
		}
		n := amount.Amount(1 + random.IntN(9))
		h, err := b.take(from, n, nil)
		if err == nil {
			err = b.expect(&h, to, n)
		}
		if err != nil {
			return err
		}
		switch random.IntN(4) {
		case 0:
			b.release(&h)
			return nil
		case 1:
			return b.settle(&h)
		}
		condition := [32]byte{byte(random.IntN(100))}
		// What a condition is for depends on it alone, but for a few that are somebody else's.
		r := receipt{from: "from", to: "to"}
		if random.IntN(10) == 0 {
			r.from = from
		}
		asked, lateAt := 0, random.IntN(6)
		repeated, err := b.receive(&h, condition, r, func() bool { asked++; return asked == lateAt })
		switch {
		case err == nil && !repeated:
			mu.Lock()
			credited[condition]++
			mu.Unlock()
		case err == nil, errors.Is(err, ErrTooLate), errors.Is(err, ErrMismatch):
			b.release(&h)
		default:
			return err
		}
		return nil
	}
	var wait sync.WaitGroup
	for seed := range uint64(6) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			random := rand.New(rand.NewPCG(seed, 1))
			for range 60 {
				if err := work(random); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	wait.Wait()
	for condition, n := range credited {
		if n != 1 {
			t.Errorf("condition %d was credited %d times", condition[0], n)
		}
	}
	before := sums(t, b)
	taken := maps.Clone(b.received.taken)
	if len(taken) != len(credited) || len(taken) < 10 {
		t.Errorf("%d conditions are remembered, %d were credited", len(taken), len(credited))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openTestBooks(t, openTestStore(t, dir))
	if after := sums(t, again); after != before {
		t.Errorf("before the restart %s, after it %s", before, after)
	}
	if !maps.Equal(taken, again.received.taken) {
		t.Error("other conditions are remembered after the restart")
	}
}

// sums returns the balances as a text, and checks that they add up to nothing, and that nothing is held.
func sums(t *testing.T, b *Books) string {
	t.Helper()
	total, text := int64(0), ""
	for _, id := range []ilpcore.AccountID{"alice", "bob", "carol"} {
		balance, _ := b.Balance(id)
		total += balance.Net()
		text += fmt.Sprintf("%s %d ", id, balance.Net())
	}
	if total != 0 {
		t.Errorf("the balances add up to %d: %s", total, text)
	}
	balancesAre(t, b, nil)
	return text
}
