package connector

// This file tests that a new configuration does not forget the routes.

import (
	"testing"
	"testing/synctest"
	"time"
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
