package connector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
)

// TestEpochs: gaps are not taken, repetition is, and withdrawn routes go.
func TestEpochs(t *testing.T) {
	n := newTestNode(t, func(c *Config) { c.Accounts, c.Routes = []Account{{ID: "bob", ReceiveRoutes: true}}, nil })
	defer n.Close()
	told := func(table byte, from, to uint32, withdrawn []string, prefixes ...string) {
		u := ccp.Update{Table: ccp.TableID{table}, Epoch: to, From: from, To: to, HoldDown: time.Minute, Speaker: "test.bob", Withdrawn: withdrawn}
		for _, prefix := range prefixes {
			u.Routes = append(u.Routes, ccp.Route{Prefix: prefix, Path: []string{"test.bob"}})
		}
		if reply := n.HandlePrepare(t.Context(), routeMessage("bob", ccp.UpdateDestination, u.Append(nil))); !reply.Fulfilled {
			t.Errorf("%+v", reply)
		}
	}
	told(1, 0, 2, nil, "test.x", "test.y")
	wantRoutes(t, n, "test.x bob ccp", "test.y bob ccp")
	told(1, 3, 4, nil, "test.z") // 2 is missing
	wantRoutes(t, n, "test.x bob ccp", "test.y bob ccp")
	told(1, 0, 1, []string{"test.x"}) // long known
	wantRoutes(t, n, "test.x bob ccp", "test.y bob ccp")
	told(1, 2, 3, []string{"test.x", "test.unknown"}, "test.z")
	wantRoutes(t, n, "test.y bob ccp", "test.z bob ccp")
	told(2, 0, 1, nil, "test.new")
	wantRoutes(t, n, "test.new bob ccp")
	told(3, 5, 6, nil, "test.newer") // a new table from the middle: nothing is known of it
	wantRoutes(t, n)
}

// TestHeardIsBounded: a neighbour that tells more than the node keeps changes nothing for others.
func TestHeardIsBounded(t *testing.T) {
	n := newTestNode(t, func(c *Config) {
		c.Accounts, c.Routes = []Account{{ID: "bob", ReceiveRoutes: true}, {ID: "carl", ReceiveRoutes: true}}, nil
	})
	defer n.Close()
	const chunk = 500
	for epoch := uint32(0); epoch < maxHeard/chunk+3; epoch++ {
		u := ccp.Update{Table: ccp.TableID{1}, Epoch: epoch + 1, From: epoch, To: epoch + 1, Speaker: "test.bob"}
		for i := range chunk {
			u.Routes = append(u.Routes, ccp.Route{Prefix: fmt.Sprintf("test.x%d-%d", epoch, i)})
		}
		n.HandlePrepare(t.Context(), routeMessage("bob", ccp.UpdateDestination, u.Append(nil)))
	}
	if got := len(n.Routes()); got != maxHeard {
		t.Errorf("%d routes are kept", got)
	}
	n.HandlePrepare(t.Context(), routeMessage("carl", ccp.UpdateDestination, sync1(ccp.Route{Prefix: "test.carl"})))
	if got := len(n.Routes()); got != maxHeard+1 {
		t.Errorf("%d routes with the other's", got)
	}
}

// TestLongWays: a neighbour that tells of ways which nearly fill a packet does not keep the node from telling others all the rest.
func TestLongWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		defer l.close()
		time.Sleep(2 * time.Second)
		l.setCut("a-b", true) // what a itself says is not of this table
		hop := "test." + strings.Repeat("x", ilpcore.MaxAddress-len("test."))
		long := append([]string{"test.a"}, slices.Repeat([]string{hop}, 20)...)
		for epoch, route := range []ccp.Route{{Prefix: "test.far", Path: long}, {Prefix: "test.far2", Path: long}, {Prefix: "test.near", Path: long[:1]}} {
			u := ccp.Update{Table: ccp.TableID{1}, From: uint32(epoch), To: uint32(epoch) + 1, HoldDown: time.Hour, Speaker: "test.a", Routes: []ccp.Route{route}}
			in := routeMessage("a", ccp.UpdateDestination, u.Append(nil))
			in.ExpiresAt = time.Now().Add(time.Minute)
			if reply := l.nodes["b"].HandlePrepare(t.Context(), in); !reply.Fulfilled {
				t.Fatalf("%+v", reply)
			}
		}
		time.Sleep(2 * time.Second)
		_ = l.nodes["c"].Close()
		c := l.start(t, "c", "b") // which is told all at once
		time.Sleep(2 * time.Second)
		wantRoutes(t, c, "test.b b ccp", "test.near b ccp")
	})
}

// TestAFloodOfUpdates: a neighbour whose routes come and go with each packet has the node's table made anew a few times, and not for each of them.
func TestAFloodOfUpdates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		defer l.close()
		time.Sleep(2 * time.Second)
		l.setCut("a-b", true)
		b := l.nodes["b"]
		tables, before := 0, b.table.Load()
		for epoch := range uint32(3001) {
			u := ccp.Update{Table: ccp.TableID{1}, From: epoch, To: epoch + 1, HoldDown: time.Hour, Speaker: "test.a"}
			if epoch%2 == 0 {
				u.Routes = []ccp.Route{{Prefix: "test.flap", Path: []string{"test.a"}}}
			} else {
				u.Withdrawn = []string{"test.flap"}
			}
			in := routeMessage("a", ccp.UpdateDestination, u.Append(nil))
			in.ExpiresAt = time.Now().Add(time.Minute)
			if reply := b.HandlePrepare(t.Context(), in); !reply.Fulfilled {
				t.Fatalf("%+v", reply)
			}
			if now := b.table.Load(); now != before {
				tables, before = tables+1, now
			}
		}
		if tables > 2*promptPerMinute {
			t.Errorf("%d tables were made", tables)
		}
		time.Sleep(2 * time.Second)
		wantRoutes(t, b, "test.c c ccp", "test.flap a ccp")
	})
}

// TestTheLogStaysShort: a route that comes and goes does not make the table longer and longer, and what a new neighbour is told is what there is.
func TestTheLogStaysShort(t *testing.T) {
	table := newTold(new(zeros))
	own := toldRoute{prefix: "test.gw"}
	for i := range 5000 {
		routes := []toldRoute{own}
		if i%2 == 0 {
			routes = append(routes, toldRoute{prefix: "test.flap", next: "bob"})
		}
		table.sync(routes, new(zeros))
	}
	if got := len(table.log); got > 2*2+logSlack {
		t.Errorf("%d changes are kept", got)
	}
	seen := map[string]bool{}
	for from := uint32(0); from < table.epoch(); {
		u := table.after(from, &account{Account: Account{ID: "carl"}}, "test.gw")
		if u.To == from || len(u.Append(nil)) > ilpcore.MaxData {
			t.Fatalf("from %d to %d in %d bytes", from, u.To, len(u.Append(nil)))
		}
		for _, route := range u.Routes {
			seen[route.Prefix] = true
		}
		from = u.To
	}
	if !cmp.Equal(seen, map[string]bool{"test.gw": true}) {
		t.Errorf("told: %v", seen)
	}
}

// zeros is a source of bytes that are not random at all.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestWhoIsToldWhat(t *testing.T) {
	for name, test := range map[string]struct {
		route toldRoute
		to    Account
		want  bool
	}{
		"own, to the parent":        {toldRoute{}, Account{Relation: Parent}, true},
		"its own, back":             {toldRoute{next: "a"}, Account{ID: "a"}, false},
		"a peer's, to a peer":       {toldRoute{next: "b"}, Account{ID: "a"}, true},
		"a peer's, to the parent":   {toldRoute{next: "b"}, Account{ID: "a", Relation: Parent}, false},
		"a child's, to the parent":  {toldRoute{next: "b", through: Child}, Account{ID: "a", Relation: Parent}, true},
		"the parent's, to a child":  {toldRoute{next: "b", through: Parent}, Account{ID: "a", Relation: Child}, true},
		"the parent's, to a parent": {toldRoute{next: "b", through: Parent}, Account{ID: "a", Relation: Parent}, false},
	} {
		if got := test.route.mayTell(&account{Account: test.to}); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
