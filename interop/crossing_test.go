package interop

// This file sends money through the gateway between npm's ilp-connectors that are its parent, its child and its peers.

import (
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

// TestPacketsCrossTheNode has a parent, a child and two peers around one node. Addresses come by ILDCP, from the parent to the node and from
// the node to its child; routes by CCP, both ways.
func TestPacketsCrossTheNode(t *testing.T) {
	needNode(t)
	for name, kinds := range map[string]struct{ parent, peer, other, child string }{
		"HTTP to parent and peer, BTP to peer and child": {"http", "http", "dial", "dial"},
		"BTP to parent and peer, HTTP to peer and child": {"dial", "listen", "http", "http"},
		"BTP, we dial the parent":                        {"listen", "dial", "listen", "dial"},
	} {
		t.Run(name, func(t *testing.T) {
			parent, child := newNeighbour(t, "p", "parent", kinds.parent), newNeighbour(t, "c", "child", kinds.child)
			peer, other := newNeighbour(t, "q", "peer", kinds.peer), newNeighbour(t, "s", "peer", kinds.other)
			parent.routes, child.routes = "\t\t\treceive_routes on\n", "\t\t\treceive_routes on\n"
			testCrossing(t, parent, child, peer, other)
		})
	}
}

func testCrossing(t *testing.T, parent, child, peer, other *neighbour) {
	config := gatewayConfig{nodePort: freePort(t), options: []string{"\t\troute * p"}, sites: []string{site}}
	linked := make(map[*neighbour]int)
	for _, n := range []*neighbour{parent, child, peer, other} {
		config.accounts = append(config.accounts, n.account())
		linked[n] = config.nodePort
	}
	ns := loadNeighbours(t, linked)
	ns.start("p")
	g := newGateway(t, config)
	ns.start("q")
	ns.start("s")
	if got, want := ns.start("c"), "test.p.gateway.c"; got != want {
		t.Errorf("the child learned the address %s, want %s", got, want)
	}

	// What CCP tells: everybody knows the way to the node, and so to its child; the peers know the way to each other and to the parent, which
	// does not know the way to peers of its child's.
	for name, prefixes := range map[string][]string{"q": {"test.p.gateway", "test.s", "test.p"}, "s": {"test.p.gateway", "test.q", "test.p"}, "p": {"test.p.gateway"}, "c": {"test.q", "test.s"}} {
		for _, prefix := range prefixes {
			ns.waitRoute(name, prefix)
		}
	}
	flows := []struct {
		from, to string
		sum      int
	}{{"q", "s", 1001}, {"s", "q", 2003}, {"q", "c", 4007}, {"c", "s", 8009}, {"p", "c", 16001}, {"c", "p", 32003}, {"s", "p", 64007}}
	want := make(map[string]int)
	for _, flow := range flows {
		ns.pay(flow.from, flow.to, flow.sum)
		want[flow.from] -= flow.sum
		want[flow.to] += flow.sum
	}
	for name, units := range want {
		if got := ns.balance(name); got != units {
			t.Errorf("%s says that the gateway owes it %d, want %d", name, got, units)
		}
	}
	g.wantOwed(want)
	if reply := ns.send("p", encoded(t, ping("test.q", 1))); reply.Fulfilled || reply.Code != ilpcore.F02 || reply.TriggeredBy != "test.p" {
		t.Errorf("the parent's packet for a peer of its child's: %s %q by %s, want F02 by the parent", reply.Code, reply.Message, reply.TriggeredBy)
	}
}
