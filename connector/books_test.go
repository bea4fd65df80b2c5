package connector

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

func openStore(t testing.TB, dir string, o store.Options) *store.Store {
	t.Helper()
	o.MinFree, o.Ballast = 1, -1
	s, err := store.Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openBooks(t testing.TB, s *store.Store) *Books {
	t.Helper()
	b, err := OpenBooks(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func balanceOf(b *Books, id ilpcore.AccountID) Balance {
	balance, _ := b.Balance(id)
	return balance
}

// pass moves x from one account to the other as y, without a packet around it.
func pass(b *Books, from ilpcore.AccountID, x amount.Amount, to ilpcore.AccountID, y amount.Amount) error {
	h, err := b.take(from, x, nil)
	if err != nil {
		return err
	}
	if err := b.expect(&h, to, y); err != nil {
		b.release(&h)
		return err
	}
	return b.settle(&h)
}

func credit(t testing.TB, b *Books, id ilpcore.AccountID, y amount.Amount) Balance {
	t.Helper()
	after, err := b.Credit(context.Background(), id, y, nil)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func TestSettlementPaysTheDebtFirst(t *testing.T) {
	b := newBooks()
	if err := pass(b, "a", 30, "b", 15); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		credit amount.Amount
		want   Balance
	}{{0, Balance{-30, 0}}, {10, Balance{-20, 0}}, {20, Balance{0, 0}}, {5, Balance{0, 5}}, {7, Balance{0, 12}}} {
		if got := credit(t, b, "a", step.credit); got != step.want {
			t.Errorf("after %v: %+v, want %+v", step.credit, got, step.want)
		}
	}
	if got := credit(t, b, "b", 5); got != (Balance{15, 5}) || got.Net() != 20 {
		t.Errorf("an account without debt: %+v", got)
	}
}

// TestRejectRestoresWhatWasTaken: prepaid money is used first, and comes back as prepaid money.
func TestRejectRestoresWhatWasTaken(t *testing.T) {
	b := newBooks()
	credit(t, b, "a", 10)
	h, err := b.take("a", 25, nil)
	if err != nil || h.taken != (Balance{Clearing: 15, Prepaid: 10}) {
		t.Fatalf("%+v, %v", h, err)
	}
	low := int64(-20)
	if _, err := b.take("a", 6, &low); err != errLow {
		t.Errorf("below the minimum with the held money: %v", err)
	}
	second, err := b.take("a", 5, &low)
	if err != nil || second.taken != (Balance{Clearing: 5}) {
		t.Errorf("%+v, %v", second, err)
	}
	if got := balanceOf(b, "a"); got != (Balance{0, 10}) {
		t.Errorf("while under way: %+v", got)
	}
	b.release(&h)
	if err := b.settle(&second); err != nil {
		t.Fatal(err)
	}
	if got := balanceOf(b, "a"); got != (Balance{-5, 10}) {
		t.Errorf("at the end: %+v", got)
	}
	if e := b.entries["a"]; e.held != (Balance{}) || e.expected != 0 {
		t.Errorf("still held: %+v", e)
	}
}

func TestPayoutAndRefund(t *testing.T) {
	b, ctx := newBooks(), context.Background()
	if err := pass(b, "a", 100, "b", 100); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		threshold, to int64
		want          amount.Amount
		left          int64
	}{{101, 0, 0, 100}, {100, 100, 0, 100}, {100, 40, 60, 40}, {10, -50, 90, -50}, {math.MinInt64, math.MinInt64 + 100, math.MaxInt64 - 149, math.MinInt64 + 100}} {
		got, err := b.Payout(ctx, "b", step.threshold, step.to, nil)
		if err != nil || got != step.want || balanceOf(b, "b").Clearing != step.left {
			t.Errorf("%+v: %v, %v, left %+v", step, got, err, balanceOf(b, "b"))
		}
	}
	b = newBooks()
	if err := pass(b, "a", 100, "b", 100); err != nil {
		t.Fatal(err)
	}
	h, err := b.take("b", 30, nil) // money under way is not paid out
	if got, _ := b.Payout(ctx, "b", 50, 0, nil); got != 70 || err != nil {
		t.Errorf("beside a packet under way: %v, %v", got, err)
	}
	b.release(&h)
	if got, err := b.Refund(ctx, "b", 70, nil); err != nil || got != (Balance{100, 0}) {
		t.Errorf("refunded: %+v, %v", got, err)
	}
}

// TestPayoutIsKeptWithItsRecord: the balance is lowered and raised together with what the caller keeps about it.
func TestPayoutIsKeptWithItsRecord(t *testing.T) {
	dir, ctx := filepath.Join(t.TempDir(), "store"), t.Context()
	s := openStore(t, dir, store.Options{})
	b, err := OpenBooks(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Refund(ctx, "b", 100, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time nothing is due
		_, err := b.Payout(ctx, "b", 100, 40, func(g *store.Group, due amount.Amount) { g.Put([]byte("due"), due.Append(nil)) })
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get([]byte("due")); string(got) != "60" || err != nil {
			t.Errorf("kept %q, %v", got, err)
		}
	}
	if got, err := b.Refund(ctx, "b", 60, func(g *store.Group) { g.Delete([]byte("due")) }); err != nil || got.Clearing != 100 {
		t.Errorf("refunded: %+v, %v", got, err)
	}
	if got, err := s.Get([]byte("due")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("still kept: %q, %v", got, err)
	}
}

// TestDueIsTold: after fulfilled packets to an account that has reached its threshold, and no others.
func TestDueIsTold(t *testing.T) {
	var told []ilpcore.AccountID
	n := newTestNode(t, func(c *Config) {
		c.Due = func(id ilpcore.AccountID) { told = append(told, id) }
		c.Accounts[4].SettleThreshold = ptr(20) // bob
	})
	for i, want := range []int{0, 1, 2} {
		p := packet("wallet", "test.bob")
		p.Data = []byte{byte(i)}
		if reply := n.HandlePrepare(t.Context(), p); !reply.Fulfilled {
			t.Fatalf("%+v", reply)
		}
		n.HandlePrepare(t.Context(), packet("wallet", "test.gw.kid")) // who has no threshold
		if len(told) != want || want > 0 && told[want-1] != "bob" {
			t.Errorf("after packet %d: told of %v", i+1, told)
		}
	}
}

// TestOwedIsTold: below the threshold and above what a settlement leaves, and nowhere else.
func TestOwedIsTold(t *testing.T) {
	for _, test := range []struct {
		to   *int64
		want []string // after each packet of 10
	}{{nil, []string{"owed", "owed", "due"}}, {ptr(10), []string{"", "owed", "due"}}, {ptr(-5), []string{"owed", "owed", "due"}}} {
		told := ""
		n := newTestNode(t, func(c *Config) {
			c.Due = func(ilpcore.AccountID) { told += "due" }
			c.Owed = func(ilpcore.AccountID) { told += "owed" }
			c.Accounts[4].SettleThreshold, c.Accounts[4].SettleTo = ptr(30), test.to // bob
		})
		for i, want := range test.want {
			told = ""
			p := packet("wallet", "test.bob")
			p.Data = []byte{byte(i)}
			n.HandlePrepare(t.Context(), p)
			if told != want {
				t.Errorf("packet %d: %q, want %q", i+1, told, want)
			}
		}
	}
}

// TestBalancesNeverWrap: what does not fit is refused before anything moves.
func TestBalancesNeverWrap(t *testing.T) {
	b := newBooks()
	if err := pass(b, "a", math.MaxInt64, "b", math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"one more for b":        func() error { return pass(b, "c", 1, "b", 1) },
		"more than 63 bits":     func() error { return pass(b, "c", 1<<63, "d", 1) },
		"more than 63 bits out": func() error { return pass(b, "c", 1, "d", amount.Max) },
		"two more from a":       func() error { return pass(b, "a", 2, "d", 2) },
		"a settlement":          func() error { _, err := b.Credit(context.Background(), "b", 1, nil); return err },
		"a large settlement":    func() error { _, err := b.Credit(context.Background(), "c", amount.Max, nil); return err },
		"a refund":              func() error { _, err := b.Refund(context.Background(), "b", 1, nil); return err },
	} {
		if err := f(); !errors.Is(err, ErrRange) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := pass(b, "a", 1, "d", 1); err != nil { // down to -2^63
		t.Error(err)
	}
	want := map[ilpcore.AccountID]int64{"a": math.MinInt64, "b": math.MaxInt64, "c": 0, "d": 1}
	for id, clearing := range want {
		if got := balanceOf(b, id); got != (Balance{Clearing: clearing}) {
			t.Errorf("%s: %+v, want %d", id, got, clearing)
		}
	}
	h, err := b.take("c", 5, nil)
	if err != nil || b.expect(&h, "d", math.MaxInt64-1) != nil {
		t.Fatal(err)
	}
	if err := pass(b, "c", 1, "d", 1); !errors.Is(err, ErrRange) { // what is under way has its place
		t.Errorf("room for two: %v", err)
	}
	b.release(&h)
}

func TestBooksAreDurableAndExact(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir, store.Options{})
	b := openBooks(t, s)
	const large = 1<<53 + 1
	if err := pass(b, "a", large, "b", 3); err != nil {
		t.Fatal(err)
	}
	credit(t, b, "b", large)
	if _, err := b.take("b", 100, nil); err != nil { // forgotten by the crash
		t.Fatal(err)
	}
	if err := pass(b, "zero", 5, "one", 5); err != nil {
		t.Fatal(err)
	}
	credit(t, b, "zero", 5)
	if err := b.Forget("zero"); err != nil {
		t.Error(err)
	}
	if err := b.Forget("b"); !errors.Is(err, ErrBalance) {
		t.Errorf("forgotten with money on it: %v", err)
	}
	if err := b.Forget("nobody"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.take("a", 1, nil); !errors.Is(err, store.ErrClosed) {
		t.Errorf("on a closed store: %v", err)
	}
	b = openBooks(t, openStore(t, dir, store.Options{}))
	if got := balanceOf(b, "a"); got != (Balance{-large, 0}) {
		t.Errorf("a: %+v", got)
	}
	if got := balanceOf(b, "b"); got != (Balance{3, large}) {
		t.Errorf("b: %+v", got)
	}
	if got, ok := b.Balance("zero"); ok {
		t.Errorf("forgotten, and there: %+v", got)
	}
}

// TestSettlementWithARecordOfItsOwn: what the caller puts along is in the same group.
func TestSettlementWithARecordOfItsOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir, store.Options{})
	b := openBooks(t, s)
	var sequence uint64
	if _, err := b.Credit(context.Background(), "a", 5, func(g *store.Group) {
		sequence = g.Sequence()
		g.Put([]byte("settled/1"), []byte("5"))
		if _, ok := g.Value(balanceKey("a")); !ok {
			t.Error("another group than the balance's")
		}
	}); err != nil {
		t.Fatal(err)
	}
	if value, err := s.Get([]byte("settled/1")); err != nil || string(value) != "5" || sequence == 0 {
		t.Errorf("%q, %v", value, err)
	}
}

func TestDamagedBooks(t *testing.T) {
	for name, record := range map[string][]byte{
		"empty": {}, "short": make([]byte, 16), "version": append([]byte{2}, make([]byte, 16)...),
		"prepaid below 0": {1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255},
		"sum too large":   {1, 127, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 1},
	} {
		s := openStore(t, filepath.Join(t.TempDir(), "store"), store.Options{})
		ticket, err := s.Join(func(g *store.Group) { g.Put(balanceKey("a"), record) })
		if err != nil || ticket.Wait(context.Background()) != nil {
			t.Fatal(err)
		}
		if _, err := OpenBooks(s); !errors.Is(err, ErrBooks) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeBalance(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, record []byte) {
		b, err := decodeBalance(record)
		if err != nil {
			return
		}
		if _, ok := sum(b.Clearing, b.Prepaid); !ok || b.Prepaid < 0 {
			t.Errorf("%+v", b)
		}
	})
}
