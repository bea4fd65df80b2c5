package connector

// This file tests that a new configuration does not forget the routes, nor what is under way and was used of limits.

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// fixed is a link that is the same one in two configurations.
type fixed struct{ Link }

func TestANewConfigurationKeepsTheRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		defer l.close()
		_ = l.nodes["b"].Close()
		links := map[string]Link{"a": &fixed{l.link("b", "a")}, "c": &fixed{l.link("b", "c")}}
		start := func(before *Node, change func(*Config)) *Node {
			l.mu.Lock()
			defer l.mu.Unlock()
			c := Config{Address: "test.b", Asset: usd9, Receiver: named("b"), Before: before, Accounts: []Account{
				{ID: "a", SendRoutes: true, ReceiveRoutes: true, Link: links["a"]}, {ID: "c", SendRoutes: true, ReceiveRoutes: true, Link: links["c"]},
			}}
			if change != nil {
				change(&c)
			}
			n, err := NewNode(c)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		reach := func(n *Node) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.nodes["b"] = n
		}
		first := start(nil, nil)
		reach(first)
		time.Sleep(2 * time.Second)
		wantRoutes(t, first, "test.a a ccp", "test.c c ccp")

		for name, test := range map[string]struct {
			change func(*Config)
			want   []string
		}{
			"the same":           {nil, []string{"test.a a ccp", "test.c c ccp"}},
			"another address":    {func(c *Config) { c.Address = "test.b2" }, nil},
			"another link":       {func(c *Config) { c.Accounts[0].Link = &fixed{links["a"]} }, []string{"test.c c ccp"}},
			"another account":    {func(c *Config) { c.Accounts[0].UUID = "other" }, []string{"test.c c ccp"}},
			"an account less":    {func(c *Config) { c.Accounts = c.Accounts[:1] }, []string{"test.a a ccp"}},
			"deaf to an account": {func(c *Config) { c.Accounts[1].ReceiveRoutes = false }, []string{"test.a a ccp"}},
		} {
			l.setCut("b-a", true)
			l.setCut("b-c", true)
			n := start(first, test.change)
			if got := routesOf(n); len(got) != len(test.want) || len(got) > 0 {
				wantRoutes(t, n, test.want...)
			}
			if err := n.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}

		second := start(first, nil)
		time.Sleep(10 * time.Second) // and what the neighbours tell still goes to the first
		wantRoutes(t, second, "test.a a ccp", "test.c c ccp")
		l.setCut("b-a", false)
		l.setCut("b-c", false)
		reach(second)
		_ = first.Close()
		time.Sleep(10 * time.Minute)
		wantRoutes(t, second, "test.a a ccp", "test.c c ccp")
		wantRoutes(t, l.nodes["a"], "test.b b ccp", "test.c b ccp")

		l.setCut("a-b", true) // a is gone
		time.Sleep(10 * time.Minute)
		wantRoutes(t, second, "test.c c ccp")
	})
}

// TestANewConfigurationKeepsTheLimits, also of an account that is added later, as those of the API are.
func TestANewConfigurationKeepsTheLimits(t *testing.T) {
	synctest.Test(t, testANewConfigurationKeepsTheLimits)
}

func testANewConfigurationKeepsTheLimits(t *testing.T) {
	g := newGate()
	alice := Account{ID: "alice", UUID: "1", MaxInFlight: 2, MaxPacketsPerMinute: 4, MaxAmountPerMinute: 25}
	config := Config{
		Address: "test.gw", Asset: usd9, Receiver: g, Now: func() time.Time { return noon },
		Accounts: []Account{alice, {ID: "bob", Link: g}}, Routes: []Route{{"test.bob", "bob"}},
	}
	first := newNode(t, config)
	send := func(n *Node, in ilpcore.Incoming) <-chan ilpcore.Reply {
		reply := make(chan ilpcore.Reply, 1)
		go func() { reply <- n.HandlePrepare(t.Context(), in) }()
		return reply
	}
	original := send(first, packet("alice", "test.bob.x"))
	synctest.Wait()
	config.Before, config.Accounts = first, config.Accounts[1:]
	second := newNode(t, config)
	if err := second.Put(alice); err != nil {
		t.Fatal(err)
	}
	duplicate := send(second, packet("alice", "test.bob.x"))
	synctest.Wait()
	other := packet("alice", "test.bob.y")
	other.Amount = 6
	if got := outcome(second.HandlePrepare(t.Context(), other)); got != "T04" {
		t.Errorf("more than is left of the minute's money: %s", got)
	}
	other.Amount = 1
	if got := outcome(second.HandlePrepare(t.Context(), other)); got != "T03" {
		t.Errorf("a third packet in flight: %s", got)
	}
	if got := outcome(second.HandlePrepare(t.Context(), other)); got != "T05" {
		t.Errorf("a fifth packet in a minute: %s", got)
	}
	g.reply <- ilpcore.Fulfill(testFulfillment, nil)
	for _, reply := range []<-chan ilpcore.Reply{original, duplicate} {
		if reply := <-reply; !reply.Fulfilled {
			t.Errorf("%+v", reply)
		}
	}
	if came := g.came.Load(); came != 1 {
		t.Errorf("%d packets went out", came)
	}
	config.Before, alice.UUID = second, "2"
	third := newNode(t, config)
	if err := third.Put(alice); err != nil {
		t.Fatal(err)
	}
	another := send(third, other)
	g.reply <- ilpcore.Fulfill(testFulfillment, nil)
	if reply := <-another; !reply.Fulfilled {
		t.Errorf("another account of the name: %+v", reply)
	}
}
