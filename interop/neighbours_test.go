package interop

// This file runs npm's ilp-connectors around a gateway: as its parent, its child and its peers, over HTTP and BTP.

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

// neighbour is one ilp-connector with its link to the gateway, as the gateway sees it.
type neighbour struct {
	name     string // of the connector, and of its account at the gateway
	address  string // of the connector; of a child it is learned
	relation string // of the connector to the gateway
	kind     string // of the link: "http", "dial" (the gateway is dialled), or "listen" (the gateway dials)
	routes   string // what its account says of routes besides the defaults

	port, admin     int    // where the connector listens
	incoming, token string // what it shows the gateway, and what it is shown
}

func newNeighbour(t *testing.T, name, relation, kind string) *neighbour {
	n := &neighbour{name: name, address: "test." + name, relation: relation, kind: kind, port: freePort(t), admin: freePort(t), incoming: newSecret(), token: newSecret()}
	if relation == "child" {
		n.address = ""
	}
	return n
}

// account is the gateway's end of the link.
func (n *neighbour) account() string {
	link := map[string]string{
		"http":   fmt.Sprintf("http http://127.0.0.1:%d/ {\n\t\t\t\tincoming simple %s\n\t\t\t\toutgoing simple %s\n\t\t\t}", n.port, n.incoming, n.token),
		"dial":   "btp listen " + n.incoming,
		"listen": fmt.Sprintf("btp btp+ws://:%s@127.0.0.1:%d", n.token, n.port),
	}[n.kind]
	return fmt.Sprintf("\t\taccount %s {\n\t\t\trelation %s\n\t\t\tasset USD 9\n\t\t\t%s\n%s\t\t}", n.name, n.relation, link, n.routes)
}

// options are the connector's, as peers/nodes.js describes them.
func (n *neighbour) options(nodePort int) map[string]any {
	link := map[string]any{"kind": n.kind, "port": n.port, "in": n.token, "out": n.incoming}
	switch n.kind {
	case "http":
		link["url"] = fmt.Sprintf("http://127.0.0.1:%d/accounts/%s/ilp", nodePort, n.name)
	case "dial":
		link["url"] = fmt.Sprintf("btp+ws://:%s@127.0.0.1:%d/accounts/%s/ilp/btp", n.incoming, nodePort, n.name)
	case "listen":
		link["out"] = n.token
	}
	mirrored := map[string]string{"parent": "child", "child": "parent", "peer": "peer"}[n.relation]
	options := map[string]any{"relation": mirrored, "admin": n.admin, "link": link}
	if n.address != "" {
		options["address"] = n.address
	}
	return options
}

// neighbours are the connectors of one process of peers/nodes.js.
type neighbours struct {
	*peer
	all map[string]*neighbour
}

// loadNeighbours loads npm's connectors without starting them. Each is linked to the gateway whose ilp_node has the port.
func loadNeighbours(t *testing.T, linked map[*neighbour]int) *neighbours {
	t.Helper()
	ns := &neighbours{all: make(map[string]*neighbour)}
	options := make(map[string]any)
	for n, port := range linked {
		ns.all[n.name], options[n.name] = n, n.options(port)
	}
	ns.peer = startPeer(t, "nodes.js", options, new(struct{}))
	return ns
}

// failure is what peers/nodes.js answers when it could not do what it was told.
type failure struct{ Error string }

func (ns *neighbours) do(answer any, format string, args ...any) {
	ns.t.Helper()
	line, raw := fmt.Sprintf(format, args...), json.RawMessage{}
	ns.ask(line, &raw)
	var failed failure
	if err := json.Unmarshal(raw, &failed); err != nil || failed.Error != "" {
		ns.t.Fatalf("%s: %s", line, raw)
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		ns.t.Fatalf("%s: %v", line, err)
	}
}

// start starts a connector and returns the address that it has by then.
func (ns *neighbours) start(name string) string {
	ns.t.Helper()
	var answer struct{ Address string }
	ns.do(&answer, "start %s", name)
	return answer.Address
}

// pay lets a user of one connector pay a user of another one by STREAM, and wants every unit to arrive.
func (ns *neighbours) pay(from, to string, sum int) {
	ns.t.Helper()
	var answer struct {
		Sent, Received int `json:",string"`
		Rejected       map[string]int
	}
	ns.do(&answer, "pay %s %s %d", from, to, sum)
	if answer.Sent != sum || answer.Received != sum {
		ns.t.Errorf("of %d from %s to %s, %d were sent and %d received; rejects: %v", sum, from, to, answer.Sent, answer.Received, answer.Rejected)
	}
}

// send lets a user of a connector send one packet.
func (ns *neighbours) send(from string, packet []byte) ilpcore.Reply {
	ns.t.Helper()
	var answer struct{ Reply string }
	ns.do(&answer, "send %s %x", from, packet)
	b, err := hex.DecodeString(answer.Reply)
	if err != nil {
		ns.t.Fatal(err)
	}
	reply, err := ilpcore.DecodeReply(b)
	if err != nil {
		ns.t.Fatal(err)
	}
	return reply
}

// admin asks the admin API of a connector.
func (ns *neighbours) admin(name, path string, into any) {
	ns.t.Helper()
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", ns.all[name].admin, path))
	if err != nil {
		ns.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		ns.t.Fatalf("%s of %s: %v", path, name, err)
	}
}

// balance is what a connector says that the gateway owes it.
func (ns *neighbours) balance(name string) (units int) {
	ns.t.Helper()
	var answer struct {
		Accounts struct {
			Gateway struct {
				Balance int `json:",string"`
			}
		}
	}
	ns.admin(name, "/balance", &answer)
	return answer.Accounts.Gateway.Balance
}

// waitRoute waits until a connector sends what is for prefix to the gateway, because CCP has told it so.
func (ns *neighbours) waitRoute(name, prefix string) {
	ns.t.Helper()
	eventually(ns.t, fmt.Sprintf("%s knows a way to %s", name, prefix), func() bool {
		var answer struct {
			LocalRoutingTable map[string]struct{ NextHop string }
		}
		ns.admin(name, "/routing", &answer)
		return answer.LocalRoutingTable[prefix].NextHop == "gateway"
	})
}
