package connector_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// A node with one account inside the process, whose packets reach the node's receiver.
func Example() {
	fulfillment := [32]byte{1}
	node, err := connector.NewNode(connector.Config{
		Address:  "test.shop",
		Asset:    ilpcore.Asset{Code: "USD", Scale: 9},
		Accounts: []connector.Account{{ID: "wallet", Relation: connector.Local, MaxPacketAmount: 1000}},
		Receiver: ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
			fmt.Println(in.From, "pays", in.Amount)
			return ilpcore.Fulfill(fulfillment, nil)
		}),
	})
	if err != nil {
		panic(err)
	}
	wallet, err := node.Local("wallet")
	if err != nil {
		panic(err)
	}
	prepare := ilpcore.Prepare{
		Amount: 10, ExpiresAt: time.Now().Add(10 * time.Second),
		Condition: sha256.Sum256(fulfillment[:]), Destination: []byte("test.shop.a-token"),
	}
	fmt.Println("fulfilled:", wallet.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: prepare}).Fulfilled)

	prepare.Destination = []byte("test.elsewhere")
	fmt.Println("rejected:", wallet.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: prepare}).Code)
	// Output:
	// wallet pays 10
	// fulfilled: true
	// rejected: F02
}
