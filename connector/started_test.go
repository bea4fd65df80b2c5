package connector

// This file sends packets that nobody waits for. Most of what has to hold for them is tested together with the others: see inBothWays.

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// way is how a packet is given to a node, and its answer got.
type way func(n *Node, ctx context.Context, in ilpcore.Incoming) ilpcore.Reply

// inBothWays runs a test with packets that are waited for, and with packets that are not where that is possible.
func inBothWays(t *testing.T, test func(t *testing.T, send way)) {
	t.Run("waiting", func(t *testing.T) { test(t, (*Node).HandlePrepare) })
	t.Run("not waiting", func(t *testing.T) { test(t, begin) })
}

// asked keeps the answer.
type asked chan ilpcore.Reply

func (a asked) Answered(reply ilpcore.Reply, _ *ilpcore.Burst) { a <- reply }

func begin(n *Node, ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	a := make(asked, 2)
	if !n.StartPrepare(ctx, in, a, nil) {
		return n.HandlePrepare(ctx, in)
	}
	return <-a
}

// Only what goes on over a link that need not be waited for is begun, and a copy of what is under way is not.
func TestWhatIsBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		n := newNode(t, Config{
			Address: "test.gw", Asset: usd9, Receiver: g, Rates: newRates(t, "", "USD", "1"), Holders: &cashier{deadline: time.Now().Add(time.Minute)},
			Accounts: []Account{
				{ID: "alice", Relation: NonRouting, MaxPacketsPerMinute: 3}, {ID: "bob", Link: g}, {ID: "slow", Link: struct{ Link }{g}}, {ID: "mute"},
			},
			Routes: []Route{{"test.bob", "bob"}, {"test.slow", "slow"}, {"test.mute", "mute"}, {"test.back", "alice"}},
		})
		for _, destination := range []string{"test.gw", "test.gw.x", "peer.config", "test.nowhere", "test.slow.x", "test.mute.x", "test.back.x"} {
			if n.StartPrepare(t.Context(), copyOf(destination, time.Minute), nil, nil) {
				t.Errorf("a packet to %s was begun", destination)
			}
		}
		stranger := copyOf("test.bob", time.Minute)
		stranger.From = "nobody"
		if n.StartPrepare(t.Context(), stranger, nil, nil) {
			t.Error("a packet of nobody was begun")
		}
		a := make(asked, 2)
		if !n.StartPrepare(t.Context(), copyOf("test.bob.x", 20*time.Second), a, nil) {
			t.Fatal("a packet to bob was not begun")
		}
		for range 5 { // none of which counts
			if n.StartPrepare(t.Context(), copyOf("test.bob.x", 20*time.Second), nil, nil) {
				t.Error("a copy was begun")
			}
		}
		g.reply <- ilpcore.Reject(ilpcore.F99, "test.bob", "no", nil)
		if reply := <-a; reply.Code != ilpcore.F99 {
			t.Errorf("%+v", reply)
		}
		if allowed := n.table.Load().accounts["alice"].packets.bucket.Tokens(); int(allowed) != 2 {
			t.Errorf("%v packets are left of 3 after one", allowed)
		}
		wantNothingUnderWay(t, n)
	})
}

// The answer to a packet that nobody waits for comes when its record is durable, and closing the node waits for that.
func TestTheAnswerComesAfterTheRecord(t *testing.T) {
	reached, pass := make(chan struct{}, 100), make(chan struct{})
	s := openStore(t, filepath.Join(t.TempDir(), "store"), store.Options{Fault: func(p store.Point, _ uint64) error {
		if p == store.BeforeRelease {
			reached <- struct{}{}
			<-pass
		}
		return nil
	}})
	n := newNode(t, Config{
		Address: "test.gw", Asset: usd9, Now: func() time.Time { return noon }, Books: openBooks(t, s),
		Accounts: []Account{{ID: "alice"}, {ID: "bob", Link: &testLink{name: "bob"}}}, Routes: []Route{{"test.bob", "bob"}},
	})
	a := make(asked, 2)
	if !n.StartPrepare(t.Context(), packet("alice", "test.bob"), a, nil) {
		t.Fatal("not begun")
	}
	<-reached
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = n.Close()
	}()
	select {
	case reply := <-a:
		t.Errorf("answered before the record was durable: %+v", reply)
	case <-closed:
		t.Error("closed before the answer")
	case <-time.After(50 * time.Millisecond):
	}
	close(pass)
	if got := outcome(<-a); got != "by bob" {
		t.Error(got)
	}
	<-closed
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {-10, 0}, "bob": {10, 0}})
}

// What asks may panic when it gets its answer; the packet has ended, and the books are right.
func TestAnAskerThatPanics(t *testing.T) {
	n := newTestNode(t, nil)
	if !n.StartPrepare(t.Context(), packet("up", "test.bob"), panicking{}, nil) {
		t.Fatal("not begun")
	}
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"up": {-10, 0}, "bob": {10, 0}})
	wantNothingUnderWay(t, n)
	if left := n.table.Load().accounts["up"].inFlight.Load(); left != 0 {
		t.Errorf("%d packets are in flight", left)
	}
}

type panicking struct{}

func (panicking) Answered(ilpcore.Reply, *ilpcore.Burst) { panic("x") }

// full is a link that has to be waited for, though it looks as if it need not.
type full struct{ *gate }

func (full) StartPrepare(context.Context, ilpcore.Incoming, ilpcore.Asker, *ilpcore.Burst) bool {
	return false
}

// A link that cannot do without waiting at the moment is waited for, and so does who closes the node.
func TestALinkThatHasToBeWaitedForAfterAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		n := newNode(t, Config{
			Address: "test.gw", Asset: usd9, Accounts: []Account{{ID: "alice"}, {ID: "bob", Link: full{g}}}, Routes: []Route{{"test.bob", "bob"}},
		})
		a := make(asked, 2)
		if !n.StartPrepare(t.Context(), copyOf("test.bob.x", 20*time.Second), a, nil) {
			t.Fatal("not begun")
		}
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			_ = n.Close()
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("closed before the answer")
		default:
		}
		g.reply <- ilpcore.Fulfill(testFulfillment, []byte("bob"))
		if got := outcome(<-a); got != "by bob" {
			t.Error(got)
		}
		<-closed
		wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {-10, 0}, "bob": {10, 0}})
	})
}

// bursting panics when it is waited for.
type bursting struct{ full }

func (bursting) HandlePrepare(context.Context, ilpcore.Incoming) ilpcore.Reply { panic("x") }

func TestALinkThatPanicsLater(t *testing.T) {
	n := newTestNode(t, func(c *Config) { c.Accounts[4].Link = bursting{full{newGate()}} })
	if got := outcome(begin(n, t.Context(), packet("up", "test.bob"))); got != "T00" {
		t.Error(got)
	}
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"up": {}, "bob": {}})
	wantNothingUnderWay(t, n)
}

// confused panics when it is asked whose a packet is.
type confused struct{ AccountReceiver }

func (confused) Recognises(string, []byte) bool { panic("x") }

// What panics before a packet is begun does so under the guard of those that are waited for: the link's goroutine goes on.
func TestHoldersThatPanic(t *testing.T) {
	inBothWays(t, func(t *testing.T, send way) {
		n := newTestNode(t, func(c *Config) { c.Holders = confused{} })
		if got := outcome(send(n, t.Context(), packet("up", "test.gw.kid.x"))); got != "T00" {
			t.Error(got)
		}
		wantBalances(t, n, map[ilpcore.AccountID]Balance{"up": {}, "kid": {}})
		wantNothingUnderWay(t, n)
	})
}
