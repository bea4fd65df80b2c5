package btp_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
	"github.com/paydoor/paydoor/links/btp"
)

// A link to a peer on this machine that accepts any token and fulfills one packet.
func ExampleDial() {
	fulfillment := [32]byte{1}
	peer := httptest.NewServer(onePacketPeer(fulfillment))
	defer peer.Close()

	address, err := btp.ParseURL("btp+ws://shop:token@" + strings.TrimPrefix(peer.URL, "http://"))
	if err != nil {
		panic(err)
	}
	connected := make(chan bool, 2)
	link, err := btp.Dial(btp.Config{Account: "uplink", URL: address, State: func(up bool) { connected <- up }})
	if err != nil {
		panic(err)
	}
	defer link.Close()
	fmt.Println("up:", <-connected)
	reply := link.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: ilpcore.Prepare{
		Amount: 10, ExpiresAt: time.Now().Add(10 * time.Second), Condition: sha256.Sum256(fulfillment[:]), Destination: []byte("test.bob"),
	}})
	fmt.Println("fulfilled:", reply.Fulfilled)
	// Output:
	// up: true
	// fulfilled: true
}

func onePacketPeer(fulfillment [32]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		var f frames.Frame
		for {
			_, message, err := conn.Read(r.Context())
			if err != nil || f.Decode(message) != nil {
				return
			}
			answer, _ := (&frames.Frame{Type: frames.TypeResponse, RequestID: f.RequestID}).Append(nil)
			if _, ok := f.ILP(); ok {
				reply := ilpcore.Fulfill(fulfillment, nil)
				packet, _ := reply.Append(nil)
				answer = frames.AppendILP(nil, frames.TypeResponse, f.RequestID, packet)
			}
			if conn.Write(r.Context(), websocket.MessageBinary, answer) != nil {
				return
			}
		}
	}
}
