package interop

// This file has two nodes settle with each other, each by an engine of its own, and adds up balances and what the engines have moved.

import (
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/internal/testengine"
)

// engineToken is what engines show the node.
func (g *gateway) engineToken() string {
	g.t.Helper()
	token, err := os.ReadFile(filepath.Join(g.dataDir(), "settlement.token"))
	if err != nil {
		g.t.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

// deposit tells the node of a settlement for an account as an engine does, and tells it twice.
func (g *gateway) deposit(account, key, digits string, scale int) {
	g.t.Helper()
	for range 2 {
		status, answer, err := g.request("POST", "/accounts/"+account+"/settlements", g.engineToken(), key, fmt.Sprintf(`{"amount":%q,"scale":%d}`, digits, scale))
		if err != nil || status != http.StatusCreated {
			g.t.Fatalf("a settlement for %s: %v, status %d: %s", account, err, status, answer)
		}
	}
}

// settlesWith makes, at each of the two, the account of the other. They owe each other less than 1000, and never more than 5000.
func settlesWith(a, b *gateway, engines map[*gateway]*testengine.Engine) {
	there, back := newSecret(), newSecret()
	body := func(at, of *gateway, name, self, incoming, outgoing string) {
		at.asAdmin("POST", "/accounts", fmt.Sprintf(`{"username":%q,"ilp_address":%q,"asset_code":"USD","asset_scale":9,"routing_relation":"Peer",
			"ilp_over_http_url":%q,"ilp_over_http_incoming_token":%q,"ilp_over_http_outgoing_token":%q,
			"settlement_engine_url":%q,"settle_threshold":1000,"settle_to":100,"min_balance":-5000}`,
			name, "test."+name, of.nodeURL()+"/accounts/"+self+"/ilp", incoming, outgoing, engines[at].URL), nil)
	}
	body(a, b, "b", "a", back, there)
	body(b, a, "a", "b", there, back)
}

// TestTwoNodesSettle: the ledger is a thousand times coarser than the accounts, answers get lost, calls come twice, an engine is away at times, and a
// node is killed before it has the answer to a settlement.
func TestTwoNodesSettle(t *testing.T) {
	needTime(t)
	var ledger = testengine.Ledger{Scale: 6}
	node := func(name string) *gateway {
		return newGateway(t, gatewayConfig{address: "test." + name, sites: []string{site}, handler: rustAPI})
	}
	a, b := node("a"), node("b")
	engines := map[*gateway]*testengine.Engine{}
	for name, g := range map[string]*gateway{"a": a, "b": b} {
		e := testengine.New()
		t.Cleanup(e.Close)
		ledger.Join(e, name, g.nodeURL(), g.engineToken())
		engines[g] = e
	}
	settlesWith(a, b, engines)
	alice, bob := a.newHolder("alice", "USD", 9), b.newHolder("bob", "USD", 9)
	engines[a].Fail(func(call int) testengine.Fault {
		return map[int]testengine.Fault{2: {Lost: true}, 4: {Status: 503}, 5: {Lost: true}}[call]
	})
	for range 40 {
		alice.pays(bob.pointer(), 777, 777)
	}
	for range 30 {
		bob.pays(alice.pointer(), 501, 501)
	}
	eventually(t, "bob's payments are settled, but for what is left over", func() bool { return a.owed("b") > -2000 })
	engines[a].Fail(func(int) testengine.Fault { return testengine.Fault{Lost: true} })
	made := engines[a].Settlements()
	alice.pays(bob.pointer(), 4000, 4000)
	eventually(t, "one more settlement is made, and its answer lost", func() bool { return engines[a].Settlements() > made })
	a.kill()
	engines[a].Fail(nil)
	a.start()
	a.wantOwed(map[string]int{"alice": 30*501 - 40*777 - 4000})
	b.wantOwed(map[string]int{"bob": 40*777 + 4000 - 30*501})
	eventually(t, "the balances and what the engines have moved add up", func() bool { return settled(&ledger, engines, a, b, 0) })
	for _, ends := range [][2]string{{"a", "b"}, {"b", "a"}} {
		if moved := ledger.Moved(ends[0], ends[1]); moved.Sign() == 0 {
			t.Errorf("%s has paid %s nothing", ends[0], ends[1])
		}
	}
	if e := engines[a]; e.Calls() < e.Settlements()+4 {
		t.Errorf("%d settlements in %d calls, of which four went wrong", e.Settlements(), e.Calls())
	}
	if owed := a.owed("b"); owed >= 1000 {
		t.Errorf("%d are owed and not settled", owed)
	}
	// Money in pieces that are finer than the account: what is left over counts with the next.
	b.deposit("a", "one", "1500", 12)
	b.deposit("a", "two", "1501", 12)
	if !settled(&ledger, engines, a, b, 3) {
		t.Errorf("after 1500 and 1501 of 10^-12 a has %d at b, b %d at a", b.owed("a"), a.owed("b"))
	}
}

// settled says whether what the two say of each other differs by exactly what their engines still keep, and by what came in besides: each settlement
// lowers the one balance by all of it and raises the other by what was moved. All that was moved is acknowledged.
func settled(l *testengine.Ledger, engines map[*gateway]*testengine.Engine, a, b *gateway, besides int64) bool {
	kept, moved := new(big.Int), new(big.Int)
	for _, e := range engines {
		kept.Add(kept, e.Leftover(9))
	}
	moved.Add(l.Moved("a", "b"), l.Moved("b", "a"))
	told := new(big.Int).Add(engines[a].Told(), engines[b].Told())
	difference := big.NewInt(int64(a.owed("b") + b.owed("a")))
	return told.Cmp(moved) == 0 && difference.Cmp(kept.Sub(big.NewInt(besides), kept)) == 0
}
