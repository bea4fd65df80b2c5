package interop

// This file ends a gateway as an init system does, while requests and packets are under way: they come to their end, and what they cost is kept.

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// TestSIGTERMEndsWhatIsUnderWay has a request in the backend and a packet at the next node when the signal comes.
func TestSIGTERMEndsWhatIsUnderWay(t *testing.T) {
	needTime(t)
	for i, name := range []string{"HTTP 1.1", "HTTP 2 without TLS"} {
		t.Run(name, func(t *testing.T) { testSIGTERM(t, i) })
	}
}

func testSIGTERM(t *testing.T, over int) {
	fulfillment := [32]byte{7}
	backend := newPricedBackend(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		reply := ilpcore.Reject(ilpcore.F02, "", "", nil)
		if p, err := ilpcore.DecodePrepare(body); err == nil && p.Condition == ilpcore.ConditionOf(fulfillment) {
			arrived <- struct{}{}
			select {
			case <-release:
			case <-r.Context().Done():
			}
			reply = ilpcore.Fulfill(fulfillment, nil)
		}
		encoded, err := reply.Append(nil)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(encoded)
	}))
	t.Cleanup(next.Close)
	neighbour := newLink(t, "neighbour")
	secret := newSecret()
	g := newGateway(t, gatewayConfig{
		address: "test.shop",
		accounts: []string{neighbour.account(), fmt.Sprintf("\t\taccount next {\n\t\t\trelation peer\n\t\t\tasset USD 9\n\t\t\thttp %s/ilp {\n\t\t\t\tincoming simple %s\n\t\t\t\toutgoing simple %s\n\t\t\t}\n\t\t}\n\t\troute test.next next",
			next.URL, secret, secret)},
		sites: []string{"\tpaywall 10\n\treverse_proxy " + backend.Listener.Addr().String()},
	})
	token := newToken()
	neighbour.credit(t, g, token, 100)

	answered, replied := make(chan string, 1), make(chan string, 1)
	client := g.transports(t)[over].open(t)
	go func() {
		a, err := send(client, http.MethodGet, g.url(0)+"held", token, nil)
		answered <- fmt.Sprint(a.status, " ", err)
	}()
	go func() {
		packet := payment{packet: ilpcore.Prepare{
			Amount: 5, ExpiresAt: time.Now().Add(20 * time.Second), Condition: ilpcore.ConditionOf(fulfillment), Destination: []byte("test.next.x"),
		}}
		reply, err := neighbour.send(g, packet.bytes(t))
		replied <- fmt.Sprint(reply.Fulfilled, " ", reply.Code, reply.Message, " ", err)
	}()
	select {
	case backend.held <- struct{}{}:
	case said := <-answered:
		t.Fatalf("the request did not get to the backend: %s", said)
	}
	select {
	case <-arrived:
	case said := <-replied:
		t.Fatalf("the packet did not get to the next node: %s", said)
	}
	g.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.exited:
		t.Fatal("the gateway ended before what was under way")
	case <-time.After(500 * time.Millisecond):
	}
	close(release)
	select {
	case backend.held <- struct{}{}:
	case said := <-answered:
		t.Fatalf("the request under way ended with %s", said)
	}
	if said := <-answered; said != "200 <nil>" {
		t.Errorf("the request under way ended with %s", said)
	}
	if said := <-replied; said[:4] != "true" {
		t.Errorf("the packet under way ended with %s", said)
	}
	select {
	case <-g.exited:
	case <-time.After(20 * time.Second):
		t.Fatal("the gateway does not end")
	}
	g.start()
	if left := ask(t, g.url(0), token).balance; left != 90 {
		t.Errorf("the balance is %v after the restart, want 90", left)
	}
}
