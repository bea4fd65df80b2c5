package interop

// This file is the Java connector's peering guide (seed 000), carried out: its JSON bodies as they stand there, on two nodes that then ping
// each other in both directions.

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// guideKey is the AES key of the Java connector's published demonstration keystore, with which the guide's secrets are encrypted.
const guideKey = "30acd5ade6db6380b0e7cc6ec897fae329d9e12637c21046dc0e1cef67817587"

// guideSecret is what they say.
const guideSecret = "shh"

// guideBody returns the body with which the guide makes an account. Without the guide beside the repository it is the copy of nodeapi's tests.
func guideBody(t *testing.T, account string) string {
	t.Helper()
	if found, _ := filepath.Glob("../../shared/seeds/000_*.txt"); len(found) == 1 {
		text, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range regexp.MustCompile(`(?s)--data-raw '(\{.*?\})'`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(body[1], `"accountId": "`+account+`"`) {
				return body[1]
			}
		}
		t.Fatalf("the guide makes no account %s", account)
	}
	text, err := os.ReadFile(filepath.Join("..", "nodeapi", "testdata", "java", account+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// guide are the two nodes of the guide.
type guide struct{ alice, bob *gateway }

// startGuide starts both nodes and makes the four accounts of the guide. Of its bodies only the hosts are replaced.
func startGuide(t *testing.T) guide {
	t.Helper()
	start := func(address string) *gateway {
		return newGateway(t, gatewayConfig{
			address: address, scale: 3, options: []string{"\t\tallow_weak_secrets"}, handler: "\t\tallow_private",
			sites: []string{site},
		})
	}
	n := guide{start("test.alice"), start("test.bob")}
	n.alice.operate("PUT", "/encryption/keys/JKS", guideKey, 204)
	n.bob.importKey(guideKey)
	hosts := strings.NewReplacer("https://alice.example.com", n.alice.nodeURL(), "https://bob.example.com", n.bob.nodeURL())
	for _, account := range []struct {
		node *gateway
		name string
	}{{n.alice, "bob"}, {n.alice, "peter"}, {n.bob, "alice"}, {n.bob, "pauline"}} {
		answer := account.node.operate("POST", "/accounts", hosts.Replace(guideBody(t, account.name)), 201)
		var made struct{ AccountID string }
		if err := json.Unmarshal(answer, &made); err != nil || made.AccountID != account.name || strings.Contains(string(answer), `"`+guideSecret+`"`) {
			t.Errorf("%s was made, and shown as %s", account.name, answer)
		}
	}
	n.alice.waitRoute("test.bob", "bob") // by CCP: the guide writes no routes
	n.bob.waitRoute("test.alice", "alice")
	return n
}

// importKey imports a key of the Java connector as an operator does, by the command.
func (g *gateway) importKey(key string) {
	g.t.Helper()
	path, err := binary()
	if err != nil {
		g.t.Fatal(err)
	}
	command := exec.Command(path, "node", "import-key", "JKS", "--node", g.nodeURL())
	command.Env = append(os.Environ(), "PAYDOOR_ADMIN_TOKEN="+g.adminToken, "HOME="+g.dir)
	command.Stdin = strings.NewReader(key)
	if out, err := command.CombinedOutput(); err != nil {
		g.t.Fatalf("paydoor node import-key: %v: %s", err, out)
	}
}

// ping is a packet that only the node at destination itself fulfills.
func ping(destination string, units amount.Amount) ilpcore.Prepare {
	return ilpcore.Prepare{
		Amount: units, ExpiresAt: time.Now().Add(20 * time.Second).UTC().Truncate(time.Millisecond), Condition: ilpcore.PingCondition,
		Destination: []byte(destination), Data: []byte("are you there?"),
	}
}

func encoded(t *testing.T, packet ilpcore.Prepare) []byte {
	t.Helper()
	b, err := packet.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sendAs sends a packet from an account with a bearer token.
func (g *gateway) sendAs(account, bearer string, packet ilpcore.Prepare) ilpcore.Reply {
	g.t.Helper()
	reply, err := newLink(g.t, account).post(g.nodeURL()+"/accounts/"+account+"/ilp", bearer, encoded(g.t, packet))
	if err != nil {
		g.t.Fatal(err)
	}
	return reply
}

func TestPeeringGuide(t *testing.T) {
	needTime(t)
	n := startGuide(t)
	for _, way := range []struct {
		node, far   *gateway
		from, to    string
		peer, there string // how either node calls the other
	}{{n.alice, n.bob, "peter", "test.bob", "bob", "alice"}, {n.bob, n.alice, "pauline", "test.alice", "alice", "bob"}} {
		reply := way.node.sendAs(way.from, guideSecret, ping(way.to, 7))
		if !reply.Fulfilled || reply.Fulfillment != ilpcore.PingFulfillment || string(reply.Data) != "are you there?" {
			t.Errorf("%s's ping to %s: %s %q by %s", way.from, way.to, reply.Code, reply.Message, reply.TriggeredBy)
		}
		way.node.wantOwed(map[string]int{way.from: -7})
	}
	// Both nodes sent 7 to the other: neither owes the other anything, and both know it.
	n.alice.wantOwed(map[string]int{"bob": 0})
	n.bob.wantOwed(map[string]int{"alice": 0})
}
