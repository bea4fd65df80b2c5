package connector

// This file lets nodes tell each other their routes, in fake time.
import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
)

// line is three peers in a row, a, b and c, whose links can be cut.
type line struct {
	nodes map[string]*Node
	cut   map[string]bool // by "from-to"
	mu    sync.Mutex
	sent  map[string]int // route messages by "from-to"
}

func (l *line) link(from, to string) Link {
	return linkFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
		l.mu.Lock()
		l.sent[from+"-"+to]++
		cut, node := l.cut[from+"-"+to], l.nodes[to]
		l.mu.Unlock()
		switch {
		case cut || node == nil:
			return ilpcore.Reject(ilpcore.T01, "", "down", nil)
		case len(in.Data) > ilpcore.MaxData: // as links have it
			return ilpcore.Reject(ilpcore.F01, "", "too long", nil)
		}
		in.From = ilpcore.AccountID(from)
		return node.HandlePrepare(ctx, in)
	})
}

func (l *line) setCut(way string, cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut[way] = cut
}

func (l *line) start(t *testing.T, name string, neighbours ...string) *Node {
	t.Helper()
	c := Config{Address: ilpcore.Address("test." + name), Asset: usd9, Receiver: named(name)}
	for _, id := range neighbours {
		c.Accounts = append(c.Accounts, Account{ID: ilpcore.AccountID(id), SendRoutes: true, ReceiveRoutes: true, Link: l.link(name, id)})
	}
	l.mu.Lock() // what it asks at once waits, or the answer would reach the node that had its name before
	defer l.mu.Unlock()
	n, err := NewNode(c)
	if err != nil {
		t.Fatal(err)
	}
	l.nodes[name] = n
	return n
}

func newLine(t *testing.T) *line {
	l := &line{nodes: map[string]*Node{}, cut: map[string]bool{}, sent: map[string]int{}}
	l.start(t, "a", "b")
	l.start(t, "b", "a", "c")
	l.start(t, "c", "b")
	return l
}

func (l *line) close() {
	for _, n := range l.nodes {
		_ = n.Close()
	}
}

func routesOf(n *Node) (list []string) {
	for _, r := range n.Routes() {
		list = append(list, fmt.Sprintf("%s %s %s", r.Prefix, r.Account, r.Source))
	}
	return list
}

func wantRoutes(t *testing.T, n *Node, want ...string) {
	t.Helper()
	if got := routesOf(n); !cmp.Equal(got, want) {
		t.Errorf("%s has the routes %q, want %q", n.self(), got, want)
	}
}

func TestRoutesSpreadAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		defer l.close()
		time.Sleep(2 * time.Second)
		a, b, c := l.nodes["a"], l.nodes["b"], l.nodes["c"]
		wantRoutes(t, a, "test.b b ccp", "test.c b ccp")
		wantRoutes(t, b, "test.a a ccp", "test.c c ccp")
		wantRoutes(t, c, "test.a b ccp", "test.b b ccp")
		in := paying("b", 1, "test.c.x")
		in.ExpiresAt = time.Now().Add(20 * time.Second)
		if got := outcome(a.HandlePrepare(t.Context(), in)); got != "F02" { // from b, back to b
			t.Errorf("back: %s", got)
		}
		if err := a.Put(Account{ID: "kid", Relation: Child, Address: "test.kid"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		wantRoutes(t, c, "test.a b ccp", "test.b b ccp", "test.kid b ccp")
		if err := a.Remove("kid"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		wantRoutes(t, c, "test.a b ccp", "test.b b ccp")

		l.setCut("a-b", true) // b hears nothing of a any more
		time.Sleep(40 * time.Second)
		wantRoutes(t, b, "test.a a ccp", "test.c c ccp")
		time.Sleep(80 * time.Second)
		wantRoutes(t, b, "test.c c ccp")
		wantRoutes(t, c, "test.b b ccp")
		l.setCut("a-b", false)
		time.Sleep(time.Minute)
		wantRoutes(t, c, "test.a b ccp", "test.b b ccp")
	})
}

// TestANodeThatStartsLater asks first, as ilp-connector does, and tells only who has asked it: so it is asked at once, and once.
func TestANodeThatStartsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		var asked atomic.Int32
		link := linkFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
			if !up.Load() {
				return ilpcore.Reject(ilpcore.T01, "", "down", nil)
			}
			if string(in.Destination) == ccp.ControlDestination {
				asked.Add(1)
			}
			return ilpcore.Fulfill(ilpcore.PeerFulfillment, nil)
		})
		n, err := NewNode(Config{Address: "test.a", Asset: usd9, Receiver: named("a"), Accounts: []Account{{ID: "b", ReceiveRoutes: true, Link: link}}})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		time.Sleep(5 * time.Second)
		up.Store(true)
		for range 3 {
			in := ilpcore.Incoming{From: "b", Prepare: ilpcore.Prepare{
				ExpiresAt: time.Now().Add(20 * time.Second), Condition: ilpcore.PeerCondition,
				Destination: []byte(ccp.ControlDestination), Data: ccp.Control{Mode: ccp.Sync}.Append(nil),
			}}
			if reply := n.HandlePrepare(t.Context(), in); !reply.Fulfilled {
				t.Fatal(outcome(reply))
			}
			time.Sleep(time.Second)
			if asked.Load() != 1 {
				t.Errorf("asked %d times, want once", asked.Load())
			}
		}
	})
}

// TestANodeThatSendsBeforeItReceives, as one does whose HTTP server is not up yet, asks and is not reached with the answer: it is tried again soon,
// and not at the next interval.
func TestANodeThatSendsBeforeItReceives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{nodes: map[string]*Node{}, cut: map[string]bool{"b-a": true}, sent: map[string]int{}}
		defer l.close()
		b := l.start(t, "b", "a")
		a := l.start(t, "a", "b")
		time.Sleep(2500 * time.Millisecond)
		wantRoutes(t, a)
		l.setCut("b-a", false)
		time.Sleep(5 * time.Second)
		wantRoutes(t, a, "test.b b ccp")
		wantRoutes(t, b, "test.a a ccp")
		l.setCut("b-a", true) // for good
		l.mu.Lock()
		l.sent["b-a"] = 0
		l.mu.Unlock()
		time.Sleep(time.Hour)
		l.mu.Lock()
		defer l.mu.Unlock()
		if n := l.sent["b-a"]; n > 280 {
			t.Errorf("a node that is gone got %d messages in an hour", n)
		}
	})
}

// TestANodeThatStartsAnew has a new table, which its neighbours take without a gap.
func TestANodeThatStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		defer l.close()
		time.Sleep(2 * time.Second)
		_ = l.nodes["b"].Close()
		b := l.start(t, "b", "a", "c")
		time.Sleep(2 * time.Second)
		wantRoutes(t, b, "test.a a ccp", "test.c c ccp")
		wantRoutes(t, l.nodes["a"], "test.b b ccp", "test.c b ccp")
	})
}

// TestRouteMessagesAreFew: when nothing changes there is one greeting an interval, and a neighbour that does not know the protocol is left in peace.
func TestRouteMessagesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		defer l.close()
		asked := 0
		if err := l.nodes["a"].Put(Account{ID: "old", SendRoutes: true, ReceiveRoutes: true, Link: linkFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			asked++
			return ilpcore.Reject(ilpcore.F02, "test.old", "", nil)
		})}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		l.mu.Lock()
		before := l.sent["a-b"]
		l.mu.Unlock()
		time.Sleep(time.Hour)
		l.mu.Lock()
		defer l.mu.Unlock()
		if got := l.sent["a-b"] - before; got < 110 || got > 140 {
			t.Errorf("%d messages in an hour", got)
		}
		if asked > 30 {
			t.Errorf("a node that rejects got %d messages", asked)
		}
	})
}

func routeMessage(from ilpcore.AccountID, destination string, data []byte) ilpcore.Incoming {
	return ilpcore.Incoming{From: from, Prepare: ilpcore.Prepare{
		ExpiresAt: noon.Add(time.Minute), Condition: ilpcore.PeerCondition, Destination: []byte(destination), Data: data,
	}}
}

func sync1(routes ...ccp.Route) []byte {
	return ccp.Update{Table: ccp.TableID{1}, Epoch: 1, To: 1, HoldDown: 45 * time.Second, Speaker: "test.bob", Routes: routes}.Append(nil)
}

// TestPoliteAnswers: who takes no part answers as if it did, and learns nothing.
func TestPoliteAnswers(t *testing.T) {
	n := newTestNode(t, func(c *Config) { c.Accounts = append(c.Accounts, Account{ID: "user", Relation: NonRouting}) })
	control, update := ccp.Control{Mode: ccp.Sync}.Append(nil), sync1(ccp.Route{Prefix: "test.far", Path: []string{"test.bob"}})
	before := routesOf(n)
	for _, test := range []struct {
		from ilpcore.AccountID
		to   string
		data []byte
		want string
	}{
		{"bob", ccp.ControlDestination, control, "by "}, {"up", ccp.ControlDestination, control, "by "}, {"kid", ccp.UpdateDestination, update, "by "},
		{"bob", ccp.UpdateDestination, update, "by "}, {"user", ccp.ControlDestination, control, "F00"}, {"wallet", ccp.UpdateDestination, update, "F00"},
		{"bob", ccp.ControlDestination, nil, "F00"}, {"bob", ccp.UpdateDestination, []byte("x"), "F00"}, {"bob", "peer.route", control, "F02"},
	} {
		reply := n.HandlePrepare(t.Context(), routeMessage(test.from, test.to, test.data))
		if got := outcome(reply); got != test.want || reply.Fulfillment != ilpcore.PeerFulfillment {
			t.Errorf("%s to %s: %s %q", test.from, test.to, got, reply.Message)
		}
	}
	in := routeMessage("bob", ccp.ControlDestination, control)
	in.Condition[0]++
	if got := outcome(n.HandlePrepare(t.Context(), in)); got != "F01" {
		t.Errorf("another condition: %s", got)
	}
	if after := routesOf(n); !cmp.Equal(before, after) {
		t.Errorf("learned: %s", cmp.Diff(before, after))
	}
}

// TestWhatIsNotLearned: routes that would lead packets astray.
func TestWhatIsNotLearned(t *testing.T) {
	n := newTestNode(t, func(c *Config) {
		c.Accounts[4].ReceiveRoutes, c.Accounts[4].SendRoutes = true, false
		c.Accounts = append(c.Accounts, Account{ID: "away", Relation: Child, Address: "test.away"})
		c.Routes = []Route{{"test.static", "euro"}}
	})
	defer n.Close()
	path := []string{"test.bob"}
	long := make([]string, 33)
	for i := range long {
		long[i] = "test.x"
	}
	reply := n.HandlePrepare(t.Context(), routeMessage("bob", ccp.UpdateDestination, sync1(
		ccp.Route{Prefix: "test.gw", Path: path}, ccp.Route{Prefix: "test.gw.kid", Path: path}, ccp.Route{Prefix: "test.gw.kid.x", Path: path},
		ccp.Route{Prefix: "test.away", Path: path}, ccp.Route{Prefix: "test.away.x", Path: path}, ccp.Route{Prefix: "test.static", Path: path},
		ccp.Route{Prefix: "", Path: path}, ccp.Route{Prefix: "test", Path: path}, ccp.Route{Prefix: "g", Path: path}, ccp.Route{Prefix: "g.x", Path: path},
		ccp.Route{Prefix: "peer.config", Path: path}, ccp.Route{Prefix: "test..x", Path: path}, ccp.Route{Prefix: "test.loop", Path: []string{"test.bob", "test.gw"}},
		ccp.Route{Prefix: "test.odd", Path: []string{"not an address"}}, ccp.Route{Prefix: "test.long", Path: long},
		ccp.Route{Prefix: "test.good", Path: path}, ccp.Route{Prefix: "test.static.deeper", Path: path}, ccp.Route{Prefix: "test.gwx", Path: path},
	)))
	if !reply.Fulfilled {
		t.Fatalf("%+v", reply)
	}
	wantRoutes(t, n, "test.away away account", "test.good bob ccp", "test.gw.kid kid account", "test.gw.mute mute account", "test.gw.wallet wallet account",
		"test.gwx bob ccp", "test.static euro static", "test.static.deeper bob ccp")
}
