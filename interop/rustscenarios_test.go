package interop

// This file replays the scenarios that interledger-rs tests itself with, over the API: two nodes over BTP, messages of payments, settlement by
// time, counters; and three nodes with exchange rates.

import (
	"fmt"
	"io"
	"math"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/internal/testengine"
)

// pair is a node, and one below it that has its address from it, over BTP. Both count XYZ in billionths.
type pair struct {
	above, below *gateway
	alice        *holder // of the node below
	bob          *holder // of the node above, whom its engine pays
	engine       *testengine.Engine
}

const (
	settleThreshold = 500
	aliceOnA        = "alice_on_a"
	bobOnB          = "bob_on_b"
)

func newPair(t *testing.T) *pair {
	p := &pair{engine: testengine.New()}
	t.Cleanup(p.engine.Close)
	token := newSecret()
	p.above = newGateway(t, gatewayConfig{
		address: "example.parent", code: "XYZ", sites: []string{site}, handler: rustAPI, options: []string{"\t\tsettle_every 1s", "\t\tdefault_spsp_account bob_on_b"},
	})
	p.above.newHolder("a_on_b", "XYZ", 9, `"routing_relation":"Child"`, fmt.Sprintf(`"ilp_over_btp_incoming_token":%q`, token))
	p.bob = p.above.newHolder(bobOnB, "XYZ", 9)
	uplink := fmt.Sprintf("btp btp+ws://:%s@127.0.0.1:%d/accounts/a_on_b/ilp/btp", token, p.above.node)
	p.below = newGateway(t, gatewayConfig{
		code: "XYZ", sites: []string{site}, handler: rustAPI, options: []string{"\t\troute * b_on_a"}, accounts: []string{nodeAccount("b_on_a", "parent", "XYZ 9", uplink)},
	})
	p.alice = p.below.newHolder(aliceOnA, "XYZ", 9)
	return p
}

// owe wants the four balances: alice has units more than in the beginning, and bob less.
func (p *pair) owe(t *testing.T, units int) {
	t.Helper()
	p.below.wantOwed(map[string]int{aliceOnA: units, "b_on_a": -units})
	p.above.wantOwed(map[string]int{"a_on_b": units, bobOnB: -units})
	for _, h := range []*holder{p.alice, p.bob} {
		want := float64(units) / 1e9
		if h == p.bob {
			want = -want
		}
		if got := h.shown(); math.Abs(got-want) > 1e-18 {
			t.Errorf("%s sees %v, want %v", h.name, got, want)
		}
	}
}

func TestScenariosOfTwoNodes(t *testing.T) {
	needTime(t)
	p := newPair(t)
	t.Run("1000 there and 2000 back", p.thereAndBack)
	t.Run("messages of payments", p.messages)
	t.Run("settlement by time", p.settlesByTime)
	t.Run("counters", p.counters)
}

func (p *pair) thereAndBack(t *testing.T) {
	if r := p.alice.pays(p.bob.pointer(), 1000, 1000); !strings.HasPrefix(r.To, "example.parent.bob_on_b.") {
		t.Errorf("%+v", r)
	}
	p.owe(t, -1000)
	if r := p.bob.pays(p.alice.pointer(), 2000, 2000); !strings.HasPrefix(r.To, "example.parent.a_on_b.alice_on_a.") {
		t.Errorf("%+v", r)
	}
	p.owe(t, 1000)
	p.alice.pays(p.above.nodeURL()+"/.well-known/pay", 1000, 1000) // the default account, which is bob's
	p.owe(t, 0)
}

func (p *pair) messages(t *testing.T) {
	users := []*holder{p.bob, p.above.newHolder("caleb_on_b", "XYZ", 9), p.above.newHolder("dave_on_b", "XYZ", 9)}
	all, bobs := p.above.listen("/payments/incoming", p.above.adminToken), p.above.listen("/accounts/bob_on_b/payments/incoming", p.bob.token)
	for i, user := range users {
		units := 1000 * (i + 1)
		p.alice.pays(user.pointer(), units, units)
		sum, last := told(t, all, ofNode)
		if sum != units || last.To != user.name || last.From != "a_on_b" {
			t.Errorf("of %d for %s is told: %d, %+v", units, user.name, sum, last)
		}
	}
	if sum, last := told(t, bobs, ofAccount); sum != 1000 || last.To != bobOnB || last.From != "a_on_b" || last.Sequence == 0 {
		t.Errorf("bob is told of %d, %+v", sum, last)
	}
	for i, user := range users {
		user.pays(p.alice.pointer(), 1000*(i+1), 1000*(i+1))
	}
	p.owe(t, 0)
}

// settlesByTime pays bob, who has an engine, above his threshold, and then below it.
func (p *pair) settlesByTime(t *testing.T) {
	p.above.asAdmin("PUT", "/accounts/bob_on_b", fmt.Sprintf(
		`{"username":"bob_on_b","asset_code":"XYZ","asset_scale":9,"ilp_over_http_incoming_token":%q,"settle_threshold":%d,"settle_to":0,"settlement_engine_url":%q}`,
		p.bob.token, settleThreshold, p.engine.URL), nil)
	eventually(t, "the engine knows bob", func() bool { return p.engine.Registered(p.bob.id) == 1 })
	total := new(big.Int)
	for i, units := range []int{settleThreshold + 1, settleThreshold - 1} {
		p.alice.pays(p.bob.pointer(), units, units)
		total.Add(total, big.NewInt(int64(units)))
		eventually(t, fmt.Sprintf("%d are settled", units), func() bool {
			return p.engine.Settlements() == i+1 && p.engine.Total(9).Cmp(total) == 0 && p.above.owed(bobOnB) == 0
		})
	}
	p.below.wantOwed(map[string]int{aliceOnA: -1000, "b_on_a": 1000})
}

// counters pays once more, has a packet rejected, and compares what Prometheus is shown before and after, of both nodes.
func (p *pair) counters(t *testing.T) {
	beforeA, beforeB := p.below.packets(), p.above.packets()
	p.alice.pays(p.bob.pointer(), 300, 300)
	lost := ping("example.parent.nobody", 7)
	if reply := p.alice.sends(t, encoded(t, lost)); reply.Fulfilled || reply.Code.String() != "F02" {
		t.Fatalf("%+v", reply)
	}
	a, b := grown(beforeA, p.below.packets()), grown(beforeB, p.above.packets())
	for _, test := range []struct {
		node                                string
		series                              map[string]float64
		direction, link, relation, rejected string
	}{
		{"a", a, "incoming", "", "non_routing", "F02"},
		{"a", a, "outgoing", "b_on_a", "parent", "F02"},
		{"b", b, "incoming", "a_on_b", "child", "F02"},
		{"b", b, "outgoing", "", "non_routing", ""},
	} {
		name := func(series, outcome, code string) string {
			return fmt.Sprintf(`%s{asset="XYZ",code=%q,direction=%q,link=%q,outcome=%q,relation=%q,scale="9"}`, series, code, test.direction, test.link, outcome, test.relation)
		}
		if units, packets := test.series[name("paydoor_packet_units_total", "fulfilled", "")], test.series[name("paydoor_packets_total", "fulfilled", "")]; units != 300 || packets < 1 {
			t.Errorf("node %s, %s %q: %v packets of %v were fulfilled, want 300 units", test.node, test.direction, test.link, packets, units)
		}
		if test.rejected == "" {
			continue
		}
		if units := test.series[name("paydoor_packet_units_total", "rejected", test.rejected)]; units != 7 {
			t.Errorf("node %s, %s %q: %v units were rejected with %s, want 7", test.node, test.direction, test.link, units, test.rejected)
		}
	}
	for name, series := range map[string]map[string]float64{"a": a, "b": b} {
		for _, direction := range []string{"incoming", "outgoing"} {
			if series[`paydoor_packet_seconds_count{direction="`+direction+`"}`] < 1 || series[`paydoor_packet_seconds_sum{direction="`+direction+`"}`] <= 0 {
				t.Errorf("node %s: no %s packet was timed: %v", name, direction, series)
			}
		}
	}
}

var packetSample = regexp.MustCompile(`(?m)^(paydoor_packet[a-z_]*\{[^}]*\}) (\S+)$`)

// packets is what the node shows Prometheus of packets.
func (g *gateway) packets() map[string]float64 {
	g.t.Helper()
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", g.admin))
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		g.t.Fatal(response.Status, err)
	}
	series := make(map[string]float64)
	for _, line := range packetSample.FindAllStringSubmatch(string(text), -1) {
		if series[line[1]], err = strconv.ParseFloat(line[2], 64); err != nil {
			g.t.Fatal(err)
		}
	}
	return series
}

func grown(before, after map[string]float64) map[string]float64 {
	difference := make(map[string]float64)
	for name, value := range after {
		difference[name] = value - before[name]
	}
	return difference
}

// TestScenarioOfThreeNodes pays over the API along the row of TestThreeNodesInARow: a peer over HTTP, a child over BTP that counts another asset.
func TestScenarioOfThreeNodes(t *testing.T) {
	needTime(t)
	portA, portB, portC := freePort(t), freePort(t), freePort(t)
	aToB, bToA := hop("http", "a", "b", portA, portB)
	cToB, bToC := hop("btp", "charlie_on_b", "b", portC, portB)
	b := newGateway(t, gatewayConfig{
		address: "example.bob", code: "XYZ", nodePort: portB, sites: []string{site}, handler: rustAPI,
		options:  []string{"\t\tspread 2%\n\t\trates {\n\t\t\tXYZ 1\n\t\t\tABC 1\n\t\t}"}, // which those of the API take the place of
		accounts: []string{nodeAccount("a", "peer", "XYZ 9", bToA), nodeAccount("charlie_on_b", "child", "ABC 6", bToC)},
	})
	a := newGateway(t, gatewayConfig{
		address: "example.alice", code: "XYZ", nodePort: portA, sites: []string{site}, handler: rustAPI, accounts: []string{nodeAccount("b", "peer", "XYZ 9", aToB)},
	})
	c := newGateway(t, gatewayConfig{
		code: "ABC", scale: 6, nodePort: portC, sites: []string{site}, options: []string{"\t\troute * b"}, handler: rustAPI,
		accounts: []string{nodeAccount("b", "parent", "ABC 6", cToB)},
	})
	for _, g := range []*gateway{a, b, c} {
		g.asAdmin("PUT", "/rates", `{"ABC":1,"XYZ":"2"}`, nil)
	}
	alice := a.newHolder("alice_on_a", "XYZ", 9)
	bob := b.newHolder("bob_on_b", "XYZ", 9)
	charlie := c.newHolder("charlie_on_c", "ABC", 6)
	a.waitRoute("example.bob", "b") // by CCP
	b.waitRoute("example.alice", "a")

	if r := alice.pays(charlie.pointer(), 1_000_000, 1960); !strings.HasPrefix(r.To, "example.bob.charlie_on_b.charlie_on_c.") {
		t.Errorf("%+v", r)
	}
	a.wantOwed(map[string]int{"alice_on_a": -1_000_000, "b": 1_000_000})
	b.wantOwed(map[string]int{"a": -1_000_000, "charlie_on_b": 1960, "bob_on_b": 0})
	c.wantOwed(map[string]int{"b": -1960, "charlie_on_c": 1960})

	charlie.pays(alice.pointer(), 1000, 490_000)
	a.wantOwed(map[string]int{"alice_on_a": -510_000, "b": 510_000})
	b.wantOwed(map[string]int{"a": -510_000, "charlie_on_b": 960, "bob_on_b": 0})
	c.wantOwed(map[string]int{"b": -960, "charlie_on_c": 960})

	bob.pays(charlie.pointer(), 1_000_000, 1960)
	b.wantOwed(map[string]int{"bob_on_b": -1_000_000, "charlie_on_b": 2920})
	c.wantOwed(map[string]int{"b": -2920, "charlie_on_c": 2920})
}
