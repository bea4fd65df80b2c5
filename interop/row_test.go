package interop

// This file is nodes in a row: three with exchange rates, over links of all kinds, and two with ilp-connectors at both ends.

import (
	"fmt"
	"testing"

	"github.com/paydoor/paydoor/amount"
)

// hop returns what the accounts at both ends of a link between two nodes say of it. dialler and listener are the names of the nodes, which are
// those of the accounts at the other end.
func hop(kind, dialler, listener string, diallerPort, listenerPort int) (atDialler, atListener string) {
	there, back := newSecret(), newSecret()
	if kind == "btp" {
		return fmt.Sprintf("btp btp+ws://:%s@127.0.0.1:%d/accounts/%s/ilp/btp", there, listenerPort, dialler), "btp listen " + there
	}
	end := func(port int, account, incoming, outgoing string) string {
		return fmt.Sprintf("%s http://127.0.0.1:%d/accounts/%s/ilp {\n\t\t\t\tincoming simple %s\n\t\t\t\toutgoing simple %s\n\t\t\t}", kind, port, account, incoming, outgoing)
	}
	return end(listenerPort, dialler, back, there), end(diallerPort, listener, there, back)
}

func nodeAccount(name, relation, asset, link string) string {
	return fmt.Sprintf("\t\taccount %s {\n\t\t\trelation %s\n\t\t\tasset %s\n\t\t\t%s\n\t\t}", name, relation, asset, link)
}

// site is a site with something to pay for.
const site = "\tpaywall 10\n\trespond paid"

// TestThreeNodesInARow: a counts XYZ in billionths, c, a child of b, ABC in millionths, of which two are one of XYZ; b exchanges and keeps 2 %.
func TestThreeNodesInARow(t *testing.T) {
	needTime(t)
	for _, kinds := range []struct{ ab, bc string }{{"http", "btp"}, {"btp", "http"}, {"headers", "headers"}} {
		t.Run(kinds.ab+" and "+kinds.bc, func(t *testing.T) { testRow(t, kinds.ab, kinds.bc) })
	}
}

func testRow(t *testing.T, ab, bc string) {
	portA, portB, portC := freePort(t), freePort(t), freePort(t)
	aToB, bToA := hop(ab, "a", "b", portA, portB)
	cToB, bToC := hop(bc, "c", "b", portC, portB)
	alice, charlie := newLink(t, "alice"), newLink(t, "charlie")
	b := newGateway(t, gatewayConfig{
		address: "test.b", code: "XYZ", nodePort: portB, sites: []string{site},
		options:  []string{"\t\trates {\n\t\t\tXYZ 2\n\t\t\tABC 1\n\t\t}\n\t\tspread 2%"},
		accounts: []string{nodeAccount("a", "peer", "XYZ 9", bToA), nodeAccount("c", "child", "ABC 6", bToC)},
	})
	a := newGateway(t, gatewayConfig{
		address: "test.a", code: "XYZ", nodePort: portA, sites: []string{site},
		accounts: []string{nodeAccount("b", "peer", "XYZ 9", aToB), alice.accountIn("XYZ 9")},
	})
	c := newGateway(t, gatewayConfig{
		code: "ABC", scale: 6, nodePort: portC, sites: []string{site}, options: []string{"\t\troute * b"},
		accounts: []string{nodeAccount("b", "parent", "ABC 6", cToB), charlie.accountIn("ABC 6")},
	})
	a.waitRoute("test.b", "b") // by CCP
	b.waitRoute("test.a", "a")

	alice.exchange(t, a, c, 1_000_000, 1960)
	a.wantOwed(map[string]int{"alice": -1_000_000, "b": 1_000_000})
	b.wantOwed(map[string]int{"a": -1_000_000, "c": 1960})
	c.wantOwed(map[string]int{"b": -1960})

	charlie.exchange(t, c, a, 1000, 490_000)
	c.wantOwed(map[string]int{"charlie": -1000, "b": -960})
	b.wantOwed(map[string]int{"c": 960, "a": -510_000})
	a.wantOwed(map[string]int{"alice": -1_000_000, "b": 510_000})
}

// exchange pays a fresh token of a site of to's with a packet of units sent to from; delivered is what has to arrive, no less and no more.
func (l *link) exchange(t *testing.T, from, to *gateway, units, delivered amount.Amount) {
	t.Helper()
	token := newToken()
	p := newPayment(t, ask(t, to.url(0), token), delivered)
	p.packet.Amount = units
	reply, err := l.send(from, p.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	wantFulfilled(t, reply, p)
	wantBalance(t, to.url(0), token, delivered)
}

// TestHeadersInTheMiddle: ilp-connectors pay each other over two nodes that are linked by draft 1 of ILP over HTTP. Every packet crosses HTTP, the
// headers, and BTP.
func TestHeadersInTheMiddle(t *testing.T) {
	needNode(t)
	portA, portB := freePort(t), freePort(t)
	aToB, bToA := hop("headers", "a", "b", portA, portB)
	left, right := newNeighbour(t, "q", "peer", "http"), newNeighbour(t, "s", "peer", "dial")
	ns := loadNeighbours(t, map[*neighbour]int{left: portA, right: portB})
	a := newGateway(t, gatewayConfig{
		address: "test.a", nodePort: portA, sites: []string{site}, accounts: []string{nodeAccount("b", "peer", "USD 9", aToB), left.account()},
	})
	b := newGateway(t, gatewayConfig{
		address: "test.b", nodePort: portB, sites: []string{site}, accounts: []string{nodeAccount("a", "peer", "USD 9", bToA), right.account()},
	})
	ns.start("q")
	ns.start("s")
	ns.waitRoute("q", "test.s")
	ns.waitRoute("s", "test.q")

	ns.pay("q", "s", 70_001)
	ns.pay("s", "q", 20_011)
	a.wantOwed(map[string]int{"q": -49_990, "b": 49_990})
	b.wantOwed(map[string]int{"a": -49_990, "s": 49_990})
	if q, s := ns.balance("q"), ns.balance("s"); q != -49_990 || s != 49_990 {
		t.Errorf("the connectors say that they are owed %d and %d", q, s)
	}
	for destination, by := range map[string]string{"test.s.users.nobody.at.all": "test.s", "test.b.nobody": "test.b", "test.nowhere": "test.q"} {
		if reply := ns.send("q", encoded(t, ping(destination, 1))); reply.Fulfilled || string(reply.TriggeredBy) != by {
			t.Errorf("%s: %s %q by %s, want a rejection by %s", destination, reply.Code, reply.Message, reply.TriggeredBy, by)
		}
	}
}
