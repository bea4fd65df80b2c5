package connector

// This file tests that a node whose accounts are added one by one tells no neighbour a part of its routes.

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
)

// TestANodeIsSilentUntilItsAccountsAreThere adds a neighbour, later an account with an address of its own and a static route: the first thing that the neighbour
// hears has all of it. What it does not hear of it drops, and packets on that way get a final F02.
func TestANodeIsSilentUntilItsAccountsAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told [][]string
		packets := 0
		link := linkFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
			mu.Lock()
			defer mu.Unlock()
			packets++
			if u, err := ccp.DecodeUpdate(in.Data); err == nil && string(in.Destination) == ccp.UpdateDestination && len(u.Routes) > 0 {
				var prefixes []string
				for _, route := range u.Routes {
					prefixes = append(prefixes, route.Prefix)
				}
				told = append(told, prefixes)
			}
			return ilpcore.Fulfill(ilpcore.PeerFulfillment, nil)
		})
		n, err := NewNode(Config{Address: "test.b", Asset: usd9, Receiver: named("b"), Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		for _, account := range []Account{
			{ID: "a", Relation: Peer, Address: "test.a", SendRoutes: true, ReceiveRoutes: true, Link: link}, {ID: "c", Relation: Peer, Address: "test.c", Link: link},
		} {
			if err := n.Put(account); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if err := n.SetRoutes([]Route{{Prefix: "test.d", Account: "c"}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		mu.Lock()
		if packets != 0 {
			t.Errorf("%d packets before its accounts are there", packets)
		}
		mu.Unlock()
		n.InheritRoutes()
		n.TalkRoutes()
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(told) == 0 || len(told[0]) != 3 {
			t.Errorf("told %v, want test.b, test.c and test.d at once", told)
		}
	})
}

// TestANodeWithOneBeforeWaitsBeforeItTells: a configuration that is loaded in vain has ended by then, and has told nobody anything.
func TestANodeWithOneBeforeWaitsBeforeItTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var packets atomic.Int64
		link := linkFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			packets.Add(1)
			return ilpcore.Fulfill(ilpcore.PeerFulfillment, nil)
		})
		before, err := NewNode(Config{Address: "test.b", Asset: usd9, Receiver: named("b")})
		if err != nil {
			t.Fatal(err)
		}
		defer before.Close()
		start := func() *Node {
			n, err := NewNode(Config{Address: "test.b", Asset: usd9, Receiver: named("b"), Before: before, Accounts: []Account{
				{ID: "a", Relation: Peer, Address: "test.a", SendRoutes: true, ReceiveRoutes: true, Link: link},
			}})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		vain := start()
		time.Sleep(succession - time.Millisecond)
		_ = vain.Close()
		time.Sleep(time.Minute)
		if n := packets.Load(); n != 0 {
			t.Errorf("a node that ended at once has sent %d packets", n)
		}
		n := start()
		defer n.Close()
		time.Sleep(succession + time.Second)
		if packets.Load() == 0 {
			t.Error("a node that stays tells nothing")
		}
	})
}
