package connector

// This file sends packets again while they are under way.

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// gate answers packets when it is told to.
type gate struct {
	came  atomic.Int64
	reply chan ilpcore.Reply // of the next packet
}

func newGate() *gate { return &gate{reply: make(chan ilpcore.Reply)} }

func (g *gate) HandlePrepare(context.Context, ilpcore.Incoming) ilpcore.Reply {
	g.came.Add(1)
	return <-g.reply
}

func (g *gate) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) bool {
	go func() { asker.Answered(g.HandlePrepare(ctx, in), nil) }()
	return true
}

func (*gate) Up() bool { return true }

// gatedNode is what alice sends to: bob and the receiver answer when g does.
func gatedNode(t *testing.T, g *gate) *Node {
	t.Helper()
	return newNode(t, Config{
		Address: "test.gw", Asset: usd9, Receiver: g, Rates: newRates(t, "", "USD", "1"),
		Accounts: []Account{{ID: "alice", MaxInFlight: 100}, {ID: "carl"}, {ID: "bob", Link: g}}, Routes: []Route{{"test.bob", "bob"}},
	})
}

func copyOf(destination string, ahead time.Duration) ilpcore.Incoming {
	in := packet("alice", destination)
	in.ExpiresAt = time.Now().Add(ahead)
	in.Data = []byte("data")
	return in
}

// soon is a packet by the real clock.
func soon(from ilpcore.AccountID, destination string) ilpcore.Incoming {
	in := packet(from, destination)
	in.ExpiresAt = time.Now().Add(20 * time.Second)
	return in
}

// wantNothingUnderWay says that no condition is kept.
func wantNothingUnderWay(t *testing.T, n *Node) {
	t.Helper()
	for id, a := range n.table.Load().accounts {
		if left := len(a.under.packets); left != 0 {
			t.Errorf("%s still has %d packets under way", id, left)
		}
	}
}

// TestCopiesShareOneAnswer: fifty copies at once are one payment, whoever answers it, and each of them gets a Fulfill of its own.
func TestCopiesShareOneAnswer(t *testing.T) { inBothWays(t, testCopiesShareOneAnswer) }

func testCopiesShareOneAnswer(t *testing.T, send way) {
	for destination, balances := range map[string]map[ilpcore.AccountID]Balance{
		"test.bob.x": {"alice": {-10, 0}, "bob": {10, 0}},
		"test.gw.x":  {"alice": {-10, 0}, "bob": {}},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			n := gatedNode(t, g)
			replies := make([]ilpcore.Reply, 50)
			var together sync.WaitGroup
			for i := range replies {
				together.Go(func() {
					in := copyOf(destination, 20*time.Second+time.Duration(i%5)*100*time.Millisecond)
					replies[i] = send(n, context.Background(), in)
					clear(in.Data) // the packet's buffer is used again
					if len(replies[i].Data) > 0 {
						replies[i].Data[0] = byte(i) // and the answer's data is the caller's
					}
				})
			}
			synctest.Wait()
			g.reply <- ilpcore.Fulfill(testFulfillment, []byte("0 is here"))
			together.Wait()
			for i, reply := range replies {
				if !reply.Fulfilled || reply.Fulfillment != testFulfillment || string(reply.Data[1:]) != " is here" || reply.Data[0] != byte(i) {
					t.Errorf("copy %d to %s: %+v", i, destination, reply)
				}
			}
			if came := g.came.Load(); came != 1 {
				t.Errorf("%d packets went out to %s", came, destination)
			}
			wantBalances(t, n, balances)
			wantNothingUnderWay(t, n)
		})
	}
}

// TestPacketsBesideOneUnderWay: what comes while bob takes ten seconds for a packet of twenty.
func TestPacketsBesideOneUnderWay(t *testing.T) { inBothWays(t, testPacketsBesideOneUnderWay) }

func testPacketsBesideOneUnderWay(t *testing.T, send way) {
	for name, test := range map[string]struct {
		edit   func(*ilpcore.Incoming)
		answer ilpcore.Reply
		want   string
		after  time.Duration // how long the second one takes
		came   int64
	}{
		"another amount":           {func(in *ilpcore.Incoming) { in.Amount = 11 }, ilpcore.Reply{}, "F00", 0, 1},
		"another destination":      {func(in *ilpcore.Incoming) { in.Destination = []byte("test.bob.y") }, ilpcore.Reply{}, "F00", 0, 1},
		"other data":               {func(in *ilpcore.Incoming) { in.Data = []byte("atad") }, ilpcore.Reply{}, "F00", 0, 1},
		"another account":          {func(in *ilpcore.Incoming) { in.From = "carl" }, ilpcore.Reply{}, "by bob", 10 * time.Second, 2},
		"round a circle":           {func(in *ilpcore.Incoming) { in.ExpiresAt = in.ExpiresAt.Add(-DefaultRoundTrip) }, ilpcore.Reply{}, "T03", 0, 1},
		"a copy":                   {func(*ilpcore.Incoming) {}, ilpcore.Reply{}, "by bob", 10 * time.Second, 1},
		"a copy of what fails":     {func(*ilpcore.Incoming) {}, ilpcore.Reject(ilpcore.F99, "test.bob", "no", nil), "F99", 10 * time.Second, 1},
		"with more time":           {func(in *ilpcore.Incoming) { in.ExpiresAt = in.ExpiresAt.Add(time.Minute) }, ilpcore.Reply{}, "by bob", 10 * time.Second, 1},
		"with more time than fail": {func(in *ilpcore.Incoming) { in.ExpiresAt = in.ExpiresAt.Add(time.Minute) }, ilpcore.Reject(ilpcore.R00, "", "", nil), "by bob", 20 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				n := gatedNode(t, g)
				var together sync.WaitGroup
				start := time.Now()
				second := copyOf("test.bob.x", 20*time.Second)
				together.Go(func() { send(n, context.Background(), copyOf("test.bob.x", 20*time.Second)) })
				synctest.Wait()
				together.Go(func() {
					test.edit(&second)
					reply := send(n, context.Background(), second)
					if got := outcome(reply); got != test.want || time.Since(start) != test.after {
						t.Errorf("%s %q after %v, want %s after %v", got, reply.Message, time.Since(start), test.want, test.after)
					}
				})
				time.Sleep(10 * time.Second)
				if !test.answer.Fulfilled && test.answer.Code == (ilpcore.Code{}) {
					test.answer = ilpcore.Fulfill(testFulfillment, []byte("bob"))
				}
				g.reply <- test.answer
				synctest.Wait()
				if g.came.Load() == 2 {
					time.Sleep(test.after - time.Since(start))
					g.reply <- ilpcore.Fulfill(testFulfillment, []byte("bob"))
				}
				together.Wait()
				if came := g.came.Load(); came != test.came {
					t.Errorf("%d packets went out, want %d", came, test.came)
				}
				wantNothingUnderWay(t, n)
			})
		})
	}
}

// TestACopyWaitsNoLongerThanItsOwnTime, and not for a link that has gone.
func TestACopyWaitsNoLongerThanItsOwnTime(t *testing.T) {
	inBothWays(t, testACopyWaitsNoLongerThanItsOwnTime)
}

func testACopyWaitsNoLongerThanItsOwnTime(t *testing.T, send way) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		n := gatedNode(t, g)
		var together sync.WaitGroup
		together.Go(func() { send(n, context.Background(), copyOf("test.bob.x", 20*time.Second)) })
		synctest.Wait()
		start := time.Now()
		if got := outcome(send(n, t.Context(), copyOf("test.bob.x", 19800*time.Millisecond))); got != "R00" || time.Since(start) != 19800*time.Millisecond {
			t.Errorf("%s after %v", got, time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got := outcome(send(n, ctx, copyOf("test.bob.x", time.Minute))); got != "R00" {
			t.Errorf("over a link that has gone: %s", got)
		}
		g.reply <- ilpcore.Reject(ilpcore.R00, "", "", nil)
		together.Wait()
		wantNothingUnderWay(t, n)
		wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {}, "bob": {}})
	})
}

// TestACopyOfWhatPanicked gets an answer, too.
func TestACopyOfWhatPanicked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blow := make(chan struct{})
		n := newNode(t, Config{
			Address: "test.gw", Asset: usd9, Accounts: []Account{{ID: "alice"}},
			Receiver: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply { <-blow; panic("x") }),
		})
		var together sync.WaitGroup
		for range 2 {
			together.Go(func() {
				if got := outcome(n.HandlePrepare(context.Background(), copyOf("test.gw.x", 20*time.Second))); got != "T00" {
					t.Errorf("%s, want T00", got)
				}
			})
		}
		synctest.Wait()
		close(blow)
		together.Wait()
		wantNothingUnderWay(t, n)
	})
}

// TestALaterCopyIsAPacketOfItsOwn: once the first one has its answer, both balances count the next.
func TestALaterCopyIsAPacketOfItsOwn(t *testing.T) { inBothWays(t, testALaterCopyIsAPacketOfItsOwn) }

func testALaterCopyIsAPacketOfItsOwn(t *testing.T, send way) {
	n := newTestNode(t, nil)
	for range 2 {
		if got := outcome(send(n, t.Context(), packet("up", "test.bob"))); got != "by bob" {
			t.Error(got)
		}
	}
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"up": {-20, 0}, "bob": {20, 0}})
	wantNothingUnderWay(t, n)
}
