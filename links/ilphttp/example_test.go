package ilphttp_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/ilphttp"
)

// Two nodes on one machine: one serves the account alice, the other is alice and sends a packet.
func Example() {
	fulfillment := [32]byte{1}
	node := ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
		fmt.Println(in.From, "pays", in.Amount)
		return ilpcore.Fulfill(fulfillment, nil)
	})
	credentials := ilphttp.NewCredentials(nil)
	credentials.Add("alice", "her token")
	server, err := ilphttp.NewServer(ilphttp.ServerConfig{Accounts: credentials, Handler: node})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/accounts/{account}/ilp", server)
	peer := httptest.NewServer(mux)
	defer peer.Close()

	client, err := ilphttp.NewClient(ilphttp.ClientConfig{Endpoint: peer.URL + "/accounts/alice/ilp", Token: "her token"})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	reply := client.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: ilpcore.Prepare{
		Amount: 10, ExpiresAt: time.Now().Add(10 * time.Second), Condition: sha256.Sum256(fulfillment[:]), Destination: []byte("test.bob"),
	}})
	fmt.Println("fulfilled:", reply.Fulfilled)
	// Output:
	// alice pays 10
	// fulfilled: true
}
