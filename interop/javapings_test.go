package interop

// This file is the ping cases of the Java connector's own integration tests, between the two nodes of its guide.

import (
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// pingCase is a packet of peter's and its answer. Rejected packets move no money.
type pingCase struct {
	name   string
	from   string // an account of alice's
	packet ilpcore.Prepare
	code   ilpcore.Code // zero: fulfilled
	by     string       // which node rejects
	peter  int          // peter's balance afterwards, as the Java connector counts: what alice owes him
	bob    int          // bob's
}

func pingCases() []pingCase {
	unlike, expired := ping("test.bob", 1), ping("test.bob", 1)
	unlike.Condition[0] ^= 1
	expired.ExpiresAt = time.Now().Add(-time.Second).UTC().Truncate(time.Millisecond)
	ownUnlike := ping("test.alice", 1)
	ownUnlike.Condition[0] ^= 1
	to := func(destination string, units amount.Amount) ilpcore.Prepare { return ping(destination, units) }
	return []pingCase{
		{"its own child", "peter", to("test.alice.peter", 1), ilpcore.F02, "test.alice", 0, 0},
		{"its own node", "peter", to("test.alice", 1), ilpcore.Code{}, "", -1, 0},
		{"the peer, 0 units", "peter", to("test.bob", 0), ilpcore.Code{}, "", -1, 0},
		{"the peer, 1 unit", "peter", to("test.bob", 1), ilpcore.Code{}, "", -2, 1},
		{"the peer, 10 units", "peter", to("test.bob", 10), ilpcore.Code{}, "", -12, 11},
		{"a loop over the peer", "peter", to("test.loop.anyone", 1), ilpcore.F02, "test.bob", -12, 11},
		{"nowhere", "peter", to("test.nowhere.at.all", 1), ilpcore.F02, "test.alice", -12, 11},
		{"nobody below this node", "peter", to("test.alice.nobody", 1), ilpcore.F02, "test.alice", -12, 11},
		{"nobody below the peer", "peter", to("test.bob.nobody", 1), ilpcore.F02, "test.bob", -12, 11},
		{"nobody, further below the peer", "peter", to("test.bob.nobody.at.all", 1), ilpcore.F02, "test.bob", -12, 11},
		{"the child of the peer, who has no way to be reached", "peter", to("test.bob.pauline", 1), ilpcore.F02, "test.bob", -12, 11},
		{"self.", "peter", to("self.foo", 1), ilpcore.F02, "test.alice", -12, 11},
		{"expired", "peter", expired, ilpcore.R02, "test.alice", -12, 11},
		{"too large", "little", to("test.bob", 11), ilpcore.F08, "test.alice", -12, 11},
		{"the condition of no ping, at the peer", "peter", unlike, ilpcore.F00, "test.bob", -12, 11},
		{"the condition of no ping, here", "peter", ownUnlike, ilpcore.F00, "test.alice", -12, 11},
	}
}

func TestJavaConnectorsPings(t *testing.T) {
	needTime(t)
	n := startGuide(t)
	n.alice.operate("PUT", "/routes/static/test.loop", `{"routePrefix": "test.loop", "nextHopAccountId": "bob"}`, 201)
	n.bob.operate("PUT", "/routes/static/test.loop", `{"routePrefix": "test.loop", "nextHopAccountId": "alice"}`, 201)
	n.alice.operate("POST", "/accounts", `{
		"accountId": "little", "accountRelationship": "CHILD", "linkType": "ILP_OVER_HTTP", "assetCode": "USD", "assetScale": "3", "maximumPacketAmount": "10",
		"customSettings": {"ilpOverHttp.incoming.auth_type": "SIMPLE", "ilpOverHttp.incoming.simple.auth_token": "shh"}
	}`, 201)
	for _, test := range pingCases() {
		t.Run(test.name, func(t *testing.T) {
			reply := n.alice.sendAs(test.from, guideSecret, test.packet)
			switch {
			case test.code == (ilpcore.Code{}) && (!reply.Fulfilled || reply.Fulfillment != ilpcore.PingFulfillment):
				t.Errorf("rejected with %s %q by %s", reply.Code, reply.Message, reply.TriggeredBy)
			case test.code != (ilpcore.Code{}) && (reply.Fulfilled || reply.Code != test.code || string(reply.TriggeredBy) != test.by):
				t.Errorf("%s %q by %s, want %s by %s", reply.Code, reply.Message, reply.TriggeredBy, test.code, test.by)
			}
			n.alice.wantOwed(map[string]int{"peter": test.peter, "bob": test.bob, "little": 0})
			n.bob.wantOwed(map[string]int{"alice": -test.bob, "pauline": 0})
		})
	}
}
