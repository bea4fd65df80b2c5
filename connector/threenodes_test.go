package connector

// This file sends packets through three nodes in a row, and adds up what every account has afterwards.

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// threeNodes is alice and her node A, whose peer B has the child C with charlie: as in interledger-rs' test of three nodes.
type threeNodes struct{ a, b, c *Node }

func newThreeNodes(t testing.TB, stores func(name string) *Books) *threeNodes {
	xyz9, abc6 := ilpcore.Asset{Code: "XYZ", Scale: 9}, ilpcore.Asset{Code: "ABC", Scale: 6}
	var nodes threeNodes
	receiver := ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply { return fulfilled(in) })
	now := func() time.Time { return noon }
	nodes.a = newNode(t, Config{
		Address: "example.alice", Asset: xyz9, Receiver: receiver, Books: stores("a"), Now: now,
		Accounts: []Account{{ID: "alice", Relation: NonRouting}, {ID: "b", Link: wire(&nodes.b, "a")}}, Routes: []Route{{"example.bob", "b"}},
	})
	nodes.b = newNode(t, Config{
		Address: "example.bob", Asset: xyz9, Books: stores("b"), Rates: newRates(t, "0.02", "XYZ", "2", "ABC", "1"), Now: now,
		Accounts: []Account{
			{ID: "a", Link: wire(&nodes.a, "b")},
			{ID: "c", Relation: Child, Asset: abc6, Link: wire(&nodes.c, "b")},
		},
		Routes: []Route{{"example.alice", "a"}},
	})
	nodes.c = newNode(t, Config{
		Address: "example.bob.c", Asset: abc6, Receiver: receiver, Books: stores("c"), Now: now,
		Accounts: []Account{{ID: "charlie", Relation: NonRouting}, {ID: "b", Relation: Peer, Link: wire(&nodes.b, "c")}}, Routes: []Route{{"", "b"}},
	})
	return &nodes
}

var serial atomic.Uint64

// paying returns a packet whose fulfillment fulfilled can tell from its data.
func paying(from ilpcore.AccountID, a amount.Amount, to string) ilpcore.Incoming {
	data := binary.BigEndian.AppendUint64(nil, serial.Add(1))
	condition := ilpcore.ConditionOf(sha256.Sum256(data))
	return ilpcore.Incoming{From: from, Prepare: ilpcore.Prepare{
		Amount: a, ExpiresAt: noon.Add(20 * time.Second), Condition: condition, Destination: []byte(to), Data: data,
	}}
}

func fulfilled(in ilpcore.Incoming) ilpcore.Reply {
	return ilpcore.Fulfill(sha256.Sum256(in.Data), binary.BigEndian.AppendUint64(nil, uint64(in.Amount)))
}

func delivered(reply ilpcore.Reply) uint64 {
	if !reply.Fulfilled {
		return 0
	}
	return binary.BigEndian.Uint64(reply.Data)
}

func noBooks(string) *Books { return nil }

func TestThreeNodes(t *testing.T) { inBothWays(t, testThreeNodes) }

func testThreeNodes(t *testing.T, send way) {
	nodes := newThreeNodes(t, noBooks)
	reply := send(nodes.a, t.Context(), paying("alice", 1_000_000, "example.bob.c.x"))
	if got := delivered(reply); got != 1960 {
		t.Errorf("1,000,000 delivered %d: %+v", got, reply)
	}
	wantBalances(t, nodes.a, map[ilpcore.AccountID]Balance{"alice": {-1_000_000, 0}, "b": {1_000_000, 0}})
	wantBalances(t, nodes.b, map[ilpcore.AccountID]Balance{"a": {-1_000_000, 0}, "c": {1960, 0}})
	wantBalances(t, nodes.c, map[ilpcore.AccountID]Balance{"b": {-1960, 0}})
	reply = send(nodes.c, t.Context(), paying("charlie", 1000, "example.alice.x"))
	if got := delivered(reply); got != 490_000 {
		t.Errorf("1000 delivered %d: %+v", got, reply)
	}
	wantBalances(t, nodes.c, map[ilpcore.AccountID]Balance{"charlie": {-1000, 0}, "b": {-960, 0}})
	wantBalances(t, nodes.b, map[ilpcore.AccountID]Balance{"c": {960, 0}, "a": {-510_000, 0}})
	wantBalances(t, nodes.a, map[ilpcore.AccountID]Balance{"alice": {-1_000_000, 0}, "b": {510_000, 0}})
}

// TestMoneyIsConserved: many packets at once in both directions, some refused on the way. What a node takes on one side it has on the other, and two
// neighbours' books mirror each other, at the end and after the stores were opened anew.
func TestMoneyIsConserved(t *testing.T) { inBothWays(t, testMoneyIsConserved) }

func testMoneyIsConserved(t *testing.T, send way) {
	dirs, stores := map[string]string{}, map[string]*store.Store{}
	nodes := newThreeNodes(t, func(name string) *Books {
		dirs[name] = filepath.Join(t.TempDir(), "store")
		stores[name] = openStore(t, dirs[name], store.Options{})
		return openBooks(t, stores[name])
	})
	if err := nodes.b.Put(Account{ID: "a", Link: wire(&nodes.a, "b"), MinBalance: ptr(-300_000)}); err != nil {
		t.Fatal(err)
	}
	var toAlice, toCharlie, fromAlice, fromCharlie, refused atomic.Uint64
	if reply := send(nodes.a, context.Background(), paying("alice", 1_000_000, "example.bob.c.x")); !reply.Fulfilled {
		refused.Add(1) // above b's limit, whatever else is under way
	}
	var together sync.WaitGroup
	for worker := range 8 {
		random := rand.New(rand.NewPCG(uint64(worker), 1))
		together.Go(func() {
			for range 40 {
				x := amount.Amount(random.Uint64N(400_000))
				if worker%2 == 0 {
					if reply := send(nodes.a, context.Background(), paying("alice", x, "example.bob.c.x")); reply.Fulfilled {
						fromAlice.Add(uint64(x))
						toCharlie.Add(delivered(reply))
						continue
					}
				} else if reply := send(nodes.c, context.Background(), paying("charlie", x/400, "example.alice.x")); reply.Fulfilled {
					fromCharlie.Add(uint64(x / 400))
					toAlice.Add(delivered(reply))
					continue
				}
				refused.Add(1)
			}
		})
	}
	together.Wait()
	if fromAlice.Load() == 0 || fromCharlie.Load() == 0 || refused.Load() == 0 {
		t.Errorf("alice %d, charlie %d, refused %d: not everything happened", fromAlice.Load(), fromCharlie.Load(), refused.Load())
	}
	check := func(a, b, c *Books) {
		t.Helper()
		for name, pair := range map[string][2]int64{
			"alice":             {balanceOf(a, "alice").Net(), -int64(fromAlice.Load())},
			"charlie":           {balanceOf(c, "charlie").Net(), -int64(fromCharlie.Load())},
			"A with B":          {balanceOf(a, "b").Net(), int64(fromAlice.Load()) - int64(toAlice.Load())},
			"B with A":          {balanceOf(b, "a").Net(), -balanceOf(a, "b").Net()},
			"C with B":          {balanceOf(c, "b").Net(), int64(fromCharlie.Load()) - int64(toCharlie.Load())},
			"B with C":          {balanceOf(b, "c").Net(), -balanceOf(c, "b").Net()},
			"A keeps delivered": {balanceOf(a, "alice").Net() + balanceOf(a, "b").Net(), -int64(toAlice.Load())},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: %d, want %d", name, pair[0], pair[1])
			}
		}
	}
	check(nodes.a.books, nodes.b.books, nodes.c.books)
	again := map[string]*Books{}
	for name, s := range stores {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again[name] = openBooks(t, openStore(t, dirs[name], store.Options{}))
	}
	check(again["a"], again["b"], again["c"])
}
