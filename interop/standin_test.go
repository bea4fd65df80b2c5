package interop

// This file is the control experiment: npm peers only, no gateway. When these tests fail, the peers are broken, not Paydoor.

import (
	"fmt"
	"testing"
)

// standinOptions are those of peers/standin.js.
type standinOptions struct {
	Method string       `json:"method"`
	Price  int          `json:"price"`
	BTP    string       `json:"btp,omitempty"`
	HTTP   *httpOptions `json:"http,omitempty"`
}

func TestPeersAlone(t *testing.T) {
	needNode(t)
	for _, link := range []string{"btp", "http"} {
		for _, method := range []string{"psk2", "stream"} {
			t.Run(link+" "+method, func(t *testing.T) { testPeersAlone(t, link, method) })
		}
	}
}

func testPeersAlone(t *testing.T, link, method string) {
	port, in, out := freePort(t), newSecret(), newSecret()
	toStandin := &httpOptions{URL: fmt.Sprintf("http://127.0.0.1:%d/", port), Incoming: in, Outgoing: out}
	conn := startConnector(t, connectorOptions{HTTP: toStandin})
	options := standinOptions{Method: method, Price: 10}
	if link == "http" {
		options.HTTP = &httpOptions{Port: port, URL: conn.HTTP, Incoming: out, Outgoing: in}
	} else {
		options.BTP = withToken(conn.Gateways, newSecret())
	}
	var standin struct{ URL string }
	startPeer(t, "standin.js", options, &standin)

	got := pay(t, fetchOptions{Server: conn.Payers, URL: standin.URL, MaxPrice: "1000", Method: "POST", Body: "hello"})
	if got.Error != "" || got.Status != 200 || got.Body != "hello" || got.PayBalance != "0" || got.Spent != 10 {
		t.Errorf("ilp-fetch brought %+v, want status 200, the echoed body, balance 0 and 10 spent", got)
	}
	if sum, _ := conn.delivered(); sum != 10 {
		t.Errorf("the connector delivered %d, want 10", sum)
	}
	if method == "psk2" {
		checkSeedFlow(t, runSeedFlow(t, conn, standin.URL, "raw"))
	}
}
