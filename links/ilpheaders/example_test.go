package ilpheaders_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/ilpheaders"
)

type onlyAlice struct{}

func (onlyAlice) Authenticate(_, bearer string) (ilpcore.AccountID, bool) {
	return "alice", bearer == "her token"
}

// Two nodes on one machine: one serves the account alice, the other is alice and sends two packets.
func Example() {
	fulfillment := [32]byte{1}
	node := ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
		if string(in.Destination) != "test.bob" {
			return ilpcore.Reject(ilpcore.F02, "test.node", "no route to the destination", nil)
		}
		fmt.Println(in.From, "pays", in.Amount)
		return ilpcore.Fulfill(fulfillment, nil)
	})
	server, err := ilpheaders.NewServer(ilpheaders.ServerConfig{
		Accounts: onlyAlice{}, Handler: node, Self: func() ilpcore.Address { return "test.node" },
	})
	if err != nil {
		panic(err)
	}
	peer := httptest.NewServer(server)
	defer peer.Close()

	client, err := ilpheaders.NewClient(ilpheaders.ClientConfig{Endpoint: peer.URL, Token: "her token"})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for _, destination := range []string{"test.bob", "test.carol"} {
		reply := client.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: ilpcore.Prepare{
			Amount: 10, ExpiresAt: time.Now().Add(10 * time.Second), Condition: sha256.Sum256(fulfillment[:]), Destination: []byte(destination),
		}})
		if reply.Fulfilled {
			fmt.Println("fulfilled")
		} else {
			fmt.Println(reply.Code.Name(), "says", reply.TriggeredBy)
		}
	}
	// Output:
	// alice pays 10
	// fulfilled
	// Unreachable says test.node
}
