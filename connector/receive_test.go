package connector

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// cashier takes what is for an address that ends in .pay, and fulfills it.
type cashier struct {
	deadline time.Time
	digest   [32]byte

	mu       sync.Mutex
	errs     []error
	repeated int
	taking   func() // called once, while the money is being recorded
	during   func() // called while Receive runs, after Take
	asked    func() // called by Recognises
}

func (c *cashier) Recognises(_ string, rest []byte) bool {
	if c.asked != nil {
		c.asked()
	}
	return string(rest) == "pay"
}

func (c *cashier) Receive(_ context.Context, a *Arrival) ilpcore.Reply {
	if c.taking != nil {
		once := sync.OnceFunc(c.taking)
		a.Along = func(*store.Group, int64) { once() }
	}
	repeated, err := a.Take(c.digest, c.deadline)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errs = append(c.errs, err)
	if repeated {
		c.repeated++
	}
	if c.during != nil {
		c.during()
	}
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", err.Error(), nil)
	}
	return ilpcore.Fulfill(testFulfillment, []byte("cashier"))
}

func openTestStore(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir, store.Options{MinFree: 1 << 20, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openTestBooks(t *testing.T, s *store.Store) *Books {
	t.Helper()
	b, err := OpenBooks(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// receivingNode has alice, in a finer asset, bob and carol.
func receivingNode(t *testing.T, b *Books, c *cashier, now func() time.Time) *Node {
	t.Helper()
	usd := func(scale uint8) ilpcore.Asset { return ilpcore.Asset{Code: "USD", Scale: scale} }
	n, err := NewNode(Config{
		Address: "test.gw", Asset: usd9, Books: b, Holders: c, Now: now,
		Accounts: []Account{
			{ID: "alice", Relation: NonRouting, Asset: usd(3)}, {ID: "bob", Relation: Child, Asset: usd(2), Link: &testLink{name: "bob"}}, {ID: "carol", Relation: NonRouting, Asset: usd(2)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func payment(from ilpcore.AccountID, condition byte) ilpcore.Incoming {
	in := packet(from, "test.gw.alice.pay")
	in.Condition = sha256.Sum256(append(testFulfillment[:], condition))
	return in
}

func balancesAre(t *testing.T, b *Books, want map[ilpcore.AccountID]int64) {
	t.Helper()
	for id, net := range want {
		if got, _ := b.Balance(id); got.Net() != net {
			t.Errorf("%s has %d, want %d", id, got.Net(), net)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, e := range b.entries {
		if e.held != (Balance{}) || e.expected != 0 {
			t.Errorf("%s still has holds: %+v, %d", id, e.held, e.expected)
		}
	}
}

func TestAnAccountReceivesOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openTestStore(t, dir)
	b, c := openTestBooks(t, s), &cashier{deadline: noon.Add(time.Second)}
	clock := func() time.Time { return noon }
	n := receivingNode(t, b, c, clock)
	paid := payment("bob", 1)
	for range 3 {
		if got := n.HandlePrepare(t.Context(), paid); outcome(got) != "by cashier" {
			t.Fatalf("%s", outcome(got))
		}
	}
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": -10, "alice": 100})
	if c.repeated != 2 {
		t.Errorf("%d were repeated, want 2", c.repeated)
	}
	if got := n.HandlePrepare(t.Context(), payment("carol", 1)); got.Fulfilled || !errors.Is(c.errs[3], ErrMismatch) {
		t.Errorf("from another account: %s, %v", outcome(got), c.errs[3])
	}
	c.digest[0]++
	if got := n.HandlePrepare(t.Context(), paid); got.Fulfilled || !errors.Is(c.errs[4], ErrMismatch) {
		t.Errorf("with another digest: %s, %v", outcome(got), c.errs[4])
	}
	c.digest[0]--
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b = openTestBooks(t, openTestStore(t, dir))
	n = receivingNode(t, b, c, clock)
	if got := n.HandlePrepare(t.Context(), paid); outcome(got) != "by cashier" || c.repeated != 3 {
		t.Errorf("after a restart: %s, %d repeated", outcome(got), c.repeated)
	}
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": -10, "alice": 100, "carol": 0})
	other := packet("bob", "test.gw.alice.other") // nobody's: alice has no link
	if got := n.HandlePrepare(t.Context(), other); got.Code != ilpcore.F02 {
		t.Errorf("what nobody recognises: %s", outcome(got))
	}
}

func TestCopiesAtOnceAreCreditedOnce(t *testing.T) {
	b, c := openTestBooks(t, openTestStore(t, filepath.Join(t.TempDir(), "store"))), &cashier{deadline: noon.Add(time.Second)}
	receipts := receipt{from: "bob", to: "alice"}
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			h, err := b.take("bob", 10, nil)
			if err == nil {
				err = b.expect(&h, "alice", amount.Amount(100))
			}
			if err != nil {
				t.Error(err)
				return
			}
			repeated, err := b.receive(&h, [32]byte{1}, receipts, func() bool { return false })
			if err != nil {
				t.Error(err)
			}
			if repeated {
				b.release(&h)
				c.mu.Lock()
				c.repeated++
				c.mu.Unlock()
			}
		}()
	}
	wait.Wait()
	if c.repeated != 7 {
		t.Errorf("%d were repeated, want 7", c.repeated)
	}
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": -10, "alice": 100})
}

func TestWhatComesTooLateIsTakenBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openTestStore(t, dir)
	b := openTestBooks(t, s)
	c := &cashier{deadline: noon.Add(time.Second)}
	var mu sync.Mutex
	var ticks []time.Time // what the clock says, one after another; the last stays
	n := receivingNode(t, b, c, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if len(ticks) > 0 {
			now := ticks[0]
			ticks = ticks[1:]
			return now
		}
		return noon.Add(2 * time.Second)
	})
	for inTime, want := range []struct { // by how many looks at the clock are in time
		groups    uint64
		fulfilled bool
	}{
		{0, false}, {0, false}, {0, false}, // too late before it was recorded
		{2, false}, // too late when it was durable: it was recorded, and taken back
		{1, true}, {1, true}, {1, true},
	} {
		mu.Lock()
		ticks = slices.Repeat([]time.Time{noon}, inTime)
		mu.Unlock()
		before := s.Durable()
		got := n.HandlePrepare(t.Context(), payment("bob", byte(inTime+1)))
		if groups := s.Durable() - before; got.Fulfilled != want.fulfilled || groups != want.groups {
			t.Errorf("%d looks in time: %s in %d groups, want %d", inTime, outcome(got), groups, want.groups)
		}
	}
	late := 0
	for _, err := range c.errs {
		if errors.Is(err, ErrTooLate) {
			late++
		} else if err != nil {
			t.Error(err)
		}
	}
	in := int64(len(c.errs)-late) * 10
	if late == 0 {
		t.Error("nothing came too late")
	}
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": -in, "alice": 10 * in})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openTestBooks(t, openTestStore(t, dir))
	balancesAre(t, again, map[ilpcore.AccountID]int64{"bob": -in, "alice": 10 * in})
	if got := len(again.received.taken); int64(got)*10 != in {
		t.Errorf("%d conditions are remembered, want %d", got, in/10)
	}
}

// TestWhatComesTooLateWithTheClockSetBack: a payer chooses the expiry, and a disk that stalls while the clock is set back must not make the money free.
func TestWhatComesTooLateWithTheClockSetBack(t *testing.T) {
	for _, stall := range []time.Duration{time.Second, time.Second + 1} {
		b := openTestBooks(t, openTestStore(t, filepath.Join(t.TempDir(), "store")))
		var stalled atomic.Bool
		b.received.elapsed = func() time.Duration {
			if stalled.Load() {
				return time.Hour + stall
			}
			return time.Hour
		}
		c := &cashier{deadline: noon.Add(time.Second), taking: func() { stalled.Store(true) }}
		n := receivingNode(t, b, c, func() time.Time {
			if stalled.Load() {
				return noon.Add(-time.Hour)
			}
			return noon
		})
		got := n.HandlePrepare(t.Context(), payment("bob", 1))
		late := stall > time.Second
		if got.Fulfilled == late || errors.Is(c.errs[0], ErrTooLate) != late {
			t.Errorf("after %s: %s, %v", stall, outcome(got), c.errs)
		}
		want := map[ilpcore.AccountID]int64{"bob": -10, "alice": 100}
		if late {
			want = map[ilpcore.AccountID]int64{"bob": 0, "alice": 0}
		}
		balancesAre(t, b, want)
	}
}

// TestProbation: between the moment at which a credit is durable and the look at the clock, nobody can spend it.
func TestProbation(t *testing.T) {
	b := newBooks()
	b.entry("bob").Clearing = math.MaxInt64
	h, err := b.take("bob", 10, nil)
	if err == nil {
		err = b.expect(&h, "alice", 10)
	}
	if err != nil {
		t.Fatal(err)
	}
	asked, none := 0, int64(0)
	_, err = b.receive(&h, [32]byte{1}, receipt{}, func() bool {
		asked++
		if asked == 2 {
			if _, err := b.take("alice", 1, &none); !errors.Is(err, errLow) {
				t.Errorf("money on probation was spent: %v", err)
			}
			if due, err := b.Payout(t.Context(), "alice", 1, 0, nil); due != 0 || err != nil {
				t.Errorf("money on probation was paid out: %d, %v", due, err)
			}
			var other hold
			if err := b.expect(&other, "bob", 1); !errors.Is(err, ErrRange) {
				t.Errorf("the room of money on probation was taken: %v", err)
			}
		}
		return asked == 2
	})
	if !errors.Is(err, ErrTooLate) || asked != 2 {
		t.Errorf("%v after %d questions", err, asked)
	}
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": math.MaxInt64, "alice": 0})
}

func TestConditionsAreForgottenAfterTwelveMinutes(t *testing.T) {
	s := openTestStore(t, filepath.Join(t.TempDir(), "store"))
	b := openTestBooks(t, s)
	var elapsed time.Duration
	b.received.elapsed = func() time.Duration { return elapsed }
	receive := func(condition byte) bool {
		t.Helper()
		h, err := b.take("bob", 1, nil)
		if err == nil {
			err = b.expect(&h, "alice", 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		repeated, err := b.receive(&h, [32]byte{condition}, receipt{from: "bob", to: "alice"}, func() bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		if repeated {
			b.release(&h)
		}
		return repeated
	}
	receive(1)
	elapsed = 12 * time.Minute
	if !receive(1) {
		t.Error("forgotten too early")
	}
	elapsed = 13*time.Minute + time.Second
	receive(2)
	if receive(1) {
		t.Error("still remembered")
	}
	elapsed = time.Hour
	receive(3)
	if n := len(b.received.taken); n != 1 {
		t.Errorf("%d are remembered", n)
	}
	records := 0
	if err := s.Iterate([]byte(receivedPrefix), func(_, _ []byte) error { records++; return nil }); err != nil {
		t.Fatal(err)
	}
	if records != 1 {
		t.Errorf("%d records are left", records)
	}
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": -4, "alice": 4})
}
