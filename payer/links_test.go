package payer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilphttp"
)

// TestStreamOverLinks pays over sockets, by each link that carries whole ILP packets.
func TestStreamOverLinks(t *testing.T) {
	links := map[string]func(t *testing.T, node ilpcore.Handler) ilpcore.Handler{"ILP over HTTP": overHTTP, "BTP": overBTP}
	for name, open := range links {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t)
			node := &network{to: m, conditions: conditions{max: 300, rate: Rate{99, 100}, delay: 2 * time.Millisecond}}
			link := open(t, node)
			payment := m.payment(t, 10, false)
			payment.Deliver, payment.MaxSend = 99_000, 100_500
			got, err := streamOver(link).Pay(t.Context(), payment)
			if err != nil || got.Sent != node.paid || got.Delivered != m.till.sum() || got.Delivered != 99_000 || got.Fulfilled > 337 {
				t.Errorf("got %+v, %v; %s were paid, %s credited", got, err, node.paid, m.till.sum())
			}
		})
	}
}

func overHTTP(t *testing.T, node ilpcore.Handler) ilpcore.Handler {
	credentials := ilphttp.NewCredentials(nil)
	credentials.Add("alice", strings.Repeat("token", 8))
	server, err := ilphttp.NewServer(ilphttp.ServerConfig{Accounts: credentials, Handler: node})
	if err != nil {
		t.Fatal(err)
	}
	peer := httptest.NewServer(server)
	t.Cleanup(peer.Close)
	client, err := ilphttp.NewClient(ilphttp.ClientConfig{Endpoint: peer.URL, Token: strings.Repeat("token", 8)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func overBTP(t *testing.T, node ilpcore.Handler) ilpcore.Handler {
	peer, err := btp.Await(btp.AwaitConfig{Account: "alice", Token: strings.Repeat("token", 8), Handler: node})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	listener := btp.NewListener(btp.ListenerConfig{})
	t.Cleanup(func() { listener.Close() })
	listener.Add(peer)
	server := httptest.NewServer(http.HandlerFunc(listener.ServeHTTP))
	t.Cleanup(server.Close)
	address, err := btp.ParseURL("btp+ws://alice:" + strings.Repeat("token", 8) + "@" + strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan bool, 2)
	link, err := btp.Dial(btp.Config{Account: "uplink", URL: address, State: func(state bool) { up <- state }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	if !<-up {
		t.Fatal("the link does not come up")
	}
	return link
}
