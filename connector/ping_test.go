package connector

// This file tries the node out as its neighbours do: pings, as the Java connector's own tests send them, and echo requests.

import (
	"context"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// newPeers is the two connectors of the guide to peering: test.alice with the user paul, and test.bob.
func newPeers(t *testing.T) (alice, bob *Node) {
	now := func() time.Time { return noon }
	alice = newNode(t, Config{
		Address: "test.alice", Asset: usd9, Now: now,
		Accounts: []Account{{ID: "paul", Relation: Child, MaxPacketAmount: 1000}, {ID: "bob", Link: wire(&bob, "alice")}},
		Routes:   []Route{{"test.bob", "bob"}, {"test.loop", "bob"}},
	})
	bob = newNode(t, Config{
		Address: "test.bob", Asset: usd9, Now: now,
		Accounts: []Account{{ID: "alice", Link: wire(&alice, "bob")}}, Routes: []Route{{"test.alice", "alice"}, {"test.loop", "alice"}},
	})
	return alice, bob
}

func TestPing(t *testing.T) {
	for name, test := range map[string]struct {
		to    string
		x     amount.Amount
		edit  func(*ilpcore.Incoming)
		want  string
		by    string
		alice map[ilpcore.AccountID]Balance
		bob   Balance // of alice with bob
	}{
		"own child":                 {to: "test.alice.paul", x: 1, want: "F02", by: "test.alice"},
		"own node":                  {to: "test.alice", x: 10, want: "by hello", alice: map[ilpcore.AccountID]Balance{"paul": {-10, 0}}},
		"own node, nothing":         {to: "test.alice", want: "by hello"},
		"bob, 0":                    {to: "test.bob", want: "by hello"},
		"bob, 1":                    {to: "test.bob", x: 1, want: "by hello", alice: map[ilpcore.AccountID]Balance{"paul": {-1, 0}, "bob": {1, 0}}, bob: Balance{-1, 0}},
		"bob, 10":                   {to: "test.bob", x: 10, want: "by hello", alice: map[ilpcore.AccountID]Balance{"paul": {-10, 0}, "bob": {10, 0}}, bob: Balance{-10, 0}},
		"loop through bob":          {to: "test.loop", x: 1, want: "F02", by: "test.bob"},
		"an unknown address":        {to: "test.alice.random", x: 1, want: "F02", by: "test.alice"},
		"an unknown address of bob": {to: "test.bob.random", x: 1, want: "F02", by: "test.bob"},
		"expired":                   {to: "test.bob", x: 1, edit: expiresIn(-time.Second), want: "R02", by: "test.alice"},
		"too large":                 {to: "test.bob", x: 1001, want: "F08", by: "test.alice"},
		"self.foo":                  {to: "self.foo", x: 1, want: "F02", by: "test.alice"},
		"the live network":          {to: "g.bob", x: 1, want: "F02", by: "test.alice"},
		"wrong condition":           {to: "test.bob", x: 1, edit: func(in *ilpcore.Incoming) { in.Condition[0]++ }, want: "F00", by: "test.bob"},
	} {
		t.Run(name, func(t *testing.T) {
			alice, bob := newPeers(t)
			ping := ilpcore.Ping(ilpcore.Address(test.to), test.x, noon.Add(20*time.Second))
			ping.Data = []byte("hello")
			in := ilpcore.Incoming{From: "paul", Prepare: ping}
			if test.edit != nil {
				test.edit(&in)
			}
			reply := alice.HandlePrepare(t.Context(), in)
			if got := outcome(reply); got != test.want || reply.TriggeredBy != test.by || reply.Fulfilled && reply.Fulfillment != ilpcore.PingFulfillment {
				t.Errorf("%s by %q: %q", got, reply.TriggeredBy, reply.Message)
			}
			for _, id := range []ilpcore.AccountID{"paul", "bob"} {
				if got := balanceOf(alice.books, id); got != test.alice[id] {
					t.Errorf("%s: %+v, want %+v", id, got, test.alice[id])
				}
			}
			wantBalances(t, bob, map[ilpcore.AccountID]Balance{"alice": test.bob})
		})
	}
}

// TestPingsMayComeTogether: their condition is the same, and they are no duplicates.
func TestPingsMayComeTogether(t *testing.T) {
	inside := 0
	var n *Node
	n = newNode(t, Config{
		Address: "test.gw", Asset: usd9, Now: func() time.Time { return noon },
		Accounts: []Account{{ID: "alice"}, {ID: "bob", Link: linkFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
			if inside++; inside < 3 {
				in.From = "alice"
				return n.HandlePrepare(ctx, ilpcore.Incoming{From: "alice", Prepare: ilpcore.Ping("test.bob", 1, noon.Add(time.Minute))})
			}
			return ilpcore.Fulfill(ilpcore.PingFulfillment, nil)
		})}}, Routes: []Route{{"test.bob", "bob"}},
	})
	in := ilpcore.Incoming{From: "alice", Prepare: ilpcore.Ping("test.bob", 1, noon.Add(time.Minute))}
	if got := outcome(n.HandlePrepare(t.Context(), in)); got != "by " || inside != 3 {
		t.Errorf("%s, %d inside", got, inside)
	}
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {-3, 0}, "bob": {3, 0}})
}

func TestEcho(t *testing.T) {
	now := noon
	alice := &testLink{name: "alice"}
	n := newNode(t, Config{
		Address: "test.gw", Asset: usd9, Now: func() time.Time { return now }, EchoPerMinute: 4,
		Accounts: []Account{{ID: "alice", Link: alice}, {ID: "bob", Link: &testLink{name: "bob"}}, {ID: "kid", Relation: Child, Link: &testLink{name: "kid"}}},
		Routes:   []Route{{"test.bob", "bob"}, {"test.alice", "alice"}},
	})
	request := func(source string) ilpcore.Incoming {
		in := packet("alice", "test.gw")
		in.ExpiresAt = now.Add(20 * time.Second)
		in.Data, _ = ilpcore.Echo{Source: []byte(source)}.Append(nil)
		return in
	}
	for _, test := range []struct{ source, want string }{
		{"test.alice.pinger", "by alice"}, {"test.bob.x", "by bob"}, {"test.gw.token", "F02"}, {"test.nowhere", "F02"}, {"test.alice.pinger", "T05"},
	} {
		if got := outcome(n.HandlePrepare(t.Context(), request(test.source))); got != test.want {
			t.Errorf("%s: %s, want %s", test.source, got, test.want)
		}
	}
	if string(alice.last.Destination) != "test.alice.pinger" || string(alice.last.Data) != "ECHOECHOECHOECHO\x01" || alice.last.Amount != 10 ||
		!alice.last.ExpiresAt.Equal(noon.Add(19*time.Second)) {
		t.Errorf("sent back: %+v", alice.last)
	}
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {-10, 0}, "bob": {10, 0}}) // the one to alice herself took and gave
	now = now.Add(time.Minute)
	for name, test := range map[string]struct{ data, want string }{
		"no source": {"ECHOECHOECHOECHO\x00", "F01"}, "a response": {"ECHOECHOECHOECHO\x01", "F01"}, "cut": {"ECHOECHOECHOECHO", "F01"},
		"not an echo": {"ECHOECHOECHOECH", "F00"}, "back to us, below peer.": {"ECHOECHOECHOECHO\x00\x0bpeer.config", "F02"},
	} {
		in := request("test.bob")
		in.Data = []byte(test.data)
		if got := outcome(n.HandlePrepare(t.Context(), in)); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestLoopbackAndPingLinks(t *testing.T) {
	ping := ilpcore.Incoming{Prepare: ilpcore.Ping("test.x", 1, noon.Add(time.Minute))}
	ping.Data = []byte("hello")
	other := packet("", "test.x")
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for name, test := range map[string]struct {
		link Link
		in   ilpcore.Incoming
		ctx  context.Context
		want string
	}{
		"ping":                 {NewPingLink(), ping, t.Context(), "by hello"},
		"ping, other":          {NewPingLink(), other, t.Context(), "F00"},
		"loopback":             {NewLoopback(ilpcore.Code{}), ping, t.Context(), "by hello"},
		"loopback set to T02":  {NewLoopback(ilpcore.T02), ping, t.Context(), "T02"},
		"loopback, slow (T03)": {NewLoopback(ilpcore.T03), ping, soon, "T03"},
	} {
		if got := outcome(test.link.HandlePrepare(test.ctx, test.in)); got != test.want || !test.link.Up() {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
