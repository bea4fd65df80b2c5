package connector

// This file follows the money: which balances move for which answer, and that nothing is fulfilled that is not written down.

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// linkFunc is a link that is always up.
type linkFunc func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply

func (f linkFunc) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	return f(ctx, in)
}
func (f linkFunc) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) bool {
	asker.Answered(f(ctx, in), burst)
	return true
}
func (linkFunc) Up() bool { return true }

// wired is a link to another node in the same test, where this one is the account as.
type wired struct {
	to **Node
	as ilpcore.AccountID
}

func wire(to **Node, as ilpcore.AccountID) Link { return wired{to, as} }

func (w wired) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	in.From = w.as
	return (*w.to).HandlePrepare(ctx, in)
}

func (w wired) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) bool {
	in.From = w.as
	if !(*w.to).StartPrepare(ctx, in, asker, burst) {
		go func() { asker.Answered((*w.to).HandlePrepare(ctx, in), nil) }()
	}
	return true
}

func (wired) Up() bool { return true }

func answers(reply ilpcore.Reply) Link {
	return linkFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply { return reply })
}

func newNode(t testing.TB, c Config) *Node {
	t.Helper()
	n, err := NewNode(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

func ptr(n int64) *int64 { return &n }

func wantBalances(t *testing.T, n *Node, want map[ilpcore.AccountID]Balance) {
	t.Helper()
	for id, balance := range want {
		if got := balanceOf(n.books, id); got != balance {
			t.Errorf("%s of %s: %+v, want %+v", id, n.self(), got, balance)
		}
	}
	for id, e := range n.books.entries {
		if e.held != (Balance{}) || e.expected != 0 {
			t.Errorf("%s of %s still has holds: %+v", id, n.self(), e)
		}
	}
}

// TestWhatAnAnswerDoesToBalances: alice sends 10 with 4 prepaid; bob is in euro cents, one for every 1,000 of hers.
func TestWhatAnAnswerDoesToBalances(t *testing.T) { inBothWays(t, testWhatAnAnswerDoesToBalances) }

func testWhatAnAnswerDoesToBalances(t *testing.T, send way) {
	late := false
	now := func() time.Time {
		if late {
			return noon.Add(time.Minute)
		}
		return noon
	}
	fulfill := answers(ilpcore.Fulfill(testFulfillment, nil))
	before := Balance{Prepaid: 4}
	for name, test := range map[string]struct {
		amount      amount.Amount
		destination string
		link        Link
		edit        func(*Account)
		want        string
		alice, bob  Balance
	}{
		"fulfilled":           {10_000, "test.bob", fulfill, nil, "by ", Balance{-9996, 0}, Balance{10, 0}},
		"from prepaid alone":  {3000, "test.bob", fulfill, func(a *Account) { a.MinBalance = ptr(-2996) }, "by ", Balance{-2996, 0}, Balance{3, 0}},
		"nothing":             {0, "test.bob", fulfill, nil, "by ", before, Balance{}},
		"delivered":           {10, "test.gw.x", fulfill, nil, "by receiver", Balance{-6, 0}, Balance{}},
		"F00 wrong condition": {10, "test.gw", fulfill, nil, "F00", before, Balance{}},
		"F02 no route":        {10, "test.carl", fulfill, nil, "F02", before, Balance{}},
		"F02 no link":         {10_000, "test.bob", nil, nil, "F02", before, Balance{}},
		"F02 back":            {10, "test.alice", fulfill, nil, "F02", before, Balance{}},
		"F05":                 {10_000, "test.bob", answers(ilpcore.Fulfill([32]byte{9}, nil)), nil, "F05", before, Balance{}},
		"F08":                 {10_000, "test.bob", fulfill, func(a *Account) { a.MaxPacketAmount = 9999 }, "F08", before, Balance{}},
		"R00 by the link":     {10_000, "test.bob", answers(ilpcore.Reject(ilpcore.R00, "", "", nil)), nil, "R00", before, Balance{}},
		"R00 a late fulfillment": {10_000, "test.bob", linkFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			late = true
			return ilpcore.Fulfill(testFulfillment, nil)
		}), nil, "R00", before, Balance{}},
		"R01":                    {999, "test.bob", fulfill, nil, "R01", before, Balance{}},
		"R02 round trips":        {10_000, "test.bob", fulfill, func(a *Account) { a.RoundTrip = 20 * time.Second }, "R02", before, Balance{}},
		"T00 panic":              {10_000, "test.bob", linkFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply { panic("x") }), nil, "T00", before, Balance{}},
		"T01 by the link":        {10_000, "test.bob", answers(ilpcore.Reject(ilpcore.T01, "", "", nil)), nil, "T01", before, Balance{}},
		"T04 balance":            {10_000, "test.bob", fulfill, func(a *Account) { a.MinBalance = ptr(-9995) }, "T04", before, Balance{}},
		"T04 more than signed":   {1 << 63, "test.bob", fulfill, nil, "T04", before, Balance{}},
		"T04 amount per minute":  {10_000, "test.bob", fulfill, func(a *Account) { a.MaxAmountPerMinute = 9999 }, "T04", before, Balance{}},
		"any, of the next node":  {10_000, "test.bob", answers(ilpcore.Reject(ilpcore.F99, "test.bob.x", "", nil)), nil, "F99", before, Balance{}},
		"at the minimum exactly": {10_000, "test.bob", fulfill, func(a *Account) { a.MinBalance = ptr(-9996) }, "by ", Balance{-9996, 0}, Balance{10, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			late = false
			alice := Account{ID: "alice"}
			if test.edit != nil {
				test.edit(&alice)
			}
			n := newNode(t, Config{
				Address: "test.gw", Asset: usd9, Now: now, Receiver: named("receiver"), Rates: newRates(t, "", "USD", "10000", "EUR", "1"),
				Accounts: []Account{alice, {ID: "bob", Asset: ilpcore.Asset{Code: "EUR", Scale: 2}, Link: test.link}},
				Routes:   []Route{{"test.bob", "bob"}, {"test.alice", "alice"}},
			})
			credit(t, n.books, "alice", 4)
			in := packet("alice", test.destination)
			in.Amount = test.amount
			reply := send(n, t.Context(), in)
			if got := outcome(reply); got != test.want {
				t.Errorf("%s %q, want %s", got, reply.Message, test.want)
			}
			if by := "test.gw"; !reply.Fulfilled && reply.TriggeredBy != by && reply.Code != ilpcore.F99 {
				t.Errorf("triggered by %q", reply.TriggeredBy)
			}
			wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": test.alice, "bob": test.bob})
		})
	}
}

func TestNoExchangeRate(t *testing.T) {
	reply := newTestNode(t, nil).HandlePrepare(t.Context(), packet("up", "test.euro"))
	if reply.Code != ilpcore.T00 || reply.Message != "No exchange rate available from asset: USD to: EUR" {
		t.Errorf("%+v", reply)
	}
}

// TestTooLargeAfterTheExchange: the F08 says how much would have fitted.
func TestTooLargeAfterTheExchange(t *testing.T) {
	n := newNode(t, Config{
		Address: "test.gw", Asset: usd9, Now: func() time.Time { return noon },
		Accounts: []Account{{ID: "coarse", Asset: ilpcore.Asset{Code: "USD"}}, {ID: "bob", Link: answers(ilpcore.Reply{})}}, Routes: []Route{{"test.bob", "bob"}},
	})
	in := packet("coarse", "test.bob")
	in.Amount = 20_000_000_000
	reply := n.HandlePrepare(t.Context(), in)
	if got, err := ilpcore.DecodeAmountTooLarge(reply.Data); reply.Code != ilpcore.F08 || err != nil ||
		got != (ilpcore.AmountTooLarge{Received: 20_000_000_000, Maximum: 18_446_744_073}) {
		t.Errorf("%+v: %+v, %v", reply, got, err)
	}
}

// TestNothingIsFulfilledThatIsNotDurable: the disk fails while the packet is under way.
func TestNothingIsFulfilledThatIsNotDurable(t *testing.T) {
	inBothWays(t, testNothingIsFulfilledThatIsNotDurable)
}

func testNothingIsFulfilledThatIsNotDurable(t *testing.T, send way) {
	for _, at := range []store.Point{store.BeforeCommit, store.AfterCommit, store.BeforeRelease} {
		dir := filepath.Join(t.TempDir(), "store")
		var failing atomic.Bool
		s := openStore(t, dir, store.Options{Fault: func(p store.Point, _ uint64) error {
			if p == at && failing.Load() {
				return errors.New("the disk is gone")
			}
			return nil
		}})
		n := newNode(t, Config{
			Address: "test.gw", Asset: usd9, Now: func() time.Time { return noon }, Books: openBooks(t, s),
			Accounts: []Account{{ID: "alice"}, {ID: "bob", Link: &testLink{}}}, Routes: []Route{{"test.bob", "bob"}},
		})
		if got := outcome(send(n, t.Context(), packet("alice", "test.bob"))); got != "by " {
			t.Fatal(got)
		}
		failing.Store(true)
		if got := outcome(send(n, t.Context(), packet("alice", "test.bob"))); got != "T00" {
			t.Errorf("at %v: %s", at, got)
		}
		if got := outcome(send(n, t.Context(), packet("alice", "test.bob"))); got != "T00" {
			t.Errorf("at %v, afterwards: %s", at, got)
		}
		_ = s.Close()
		after := openBooks(t, openStore(t, dir, store.Options{}))
		// Both balances moved or neither, whatever became of the failed group.
		if a, b := balanceOf(after, "alice"), balanceOf(after, "bob"); a.Clearing != -b.Clearing || a.Clearing != -10 && a.Clearing != -20 {
			t.Errorf("at %v: %+v and %+v", at, a, b)
		}
	}
}

// TestNoSpaceIsSaidBeforeAnythingIsSent: and what was sent before is still written down.
func TestNoSpaceIsSaidBeforeAnythingIsSent(t *testing.T) {
	inBothWays(t, testNoSpaceIsSaidBeforeAnythingIsSent)
}

func testNoSpaceIsSaidBeforeAnythingIsSent(t *testing.T, send way) {
	var free atomic.Uint64
	free.Store(1 << 40)
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store"), store.Options{
		MinFree: 1 << 20, Ballast: -1, FreeSpace: func(string) (uint64, error) { return free.Load(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sent := 0
	n := newNode(t, Config{
		Address: "test.gw", Asset: usd9, Now: func() time.Time { return noon }, Books: openBooks(t, s),
		Accounts: []Account{{ID: "alice"}, {ID: "bob", Link: linkFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			sent++
			free.Store(0)
			for s.Ready() == nil {
				time.Sleep(10 * time.Millisecond)
			}
			return ilpcore.Fulfill(testFulfillment, nil)
		})}}, Routes: []Route{{"test.bob", "bob"}},
	})
	for _, want := range []string{"by ", "T00"} {
		if got := outcome(send(n, t.Context(), packet("alice", "test.bob"))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if sent != 1 {
		t.Errorf("%d packets were sent", sent)
	}
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {-10, 0}, "bob": {10, 0}})
}

// TestALinkThatIsSilent is told how much time it has, and gives up when that is over, and what was held is free again.
func TestALinkThatIsSilent(t *testing.T) { inBothWays(t, testALinkThatIsSilent) }

func testALinkThatIsSilent(t *testing.T, send way) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, Config{
			Address: "test.gw", Asset: usd9,
			Accounts: []Account{{ID: "alice"}, {ID: "bob", Link: linkFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
				time.Sleep(time.Until(in.ExpiresAt))
				return ilpcore.Reject(ilpcore.R00, "", "no answer", nil)
			})}}, Routes: []Route{{"test.bob", "bob"}},
		})
		for ahead, want := range map[time.Duration]time.Duration{10 * time.Second: 9 * time.Second, time.Hour: 30 * time.Second} {
			start := time.Now()
			in := packet("alice", "test.bob")
			in.ExpiresAt = start.Add(ahead)
			if got := outcome(send(n, t.Context(), in)); got != "R00" || time.Since(start) != want {
				t.Errorf("%s after %v, want %v", got, time.Since(start), want)
			}
		}
		wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {}, "bob": {}})
	})
}
