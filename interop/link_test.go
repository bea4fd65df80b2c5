package interop

// This file pays the gateway without Node: as its neighbour on an ILP-over-HTTP link, with PSK2 packets made here.

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
)

// link is an account of the gateway that this test process holds the other end of.
type link struct {
	name   string
	secret string
	client *http.Client
}

func newLink(t *testing.T, name string) *link {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &link{name: name, secret: newSecret(), client: &http.Client{Transport: transport}}
}

// account is the gateway's end of the link. The gateway has nothing to send to it, so its URL is a port nothing listens on.
func (l *link) account() string { return l.accountIn("USD 9") }

func (l *link) accountIn(asset string) string {
	return fmt.Sprintf(`		account %s {
			relation child
			asset %s
			http http://127.0.0.1:9/ilp {
				incoming simple %s
				outgoing simple %s
			}
		}`, l.name, asset, l.secret, l.secret)
}

// send posts a packet to POST /ilp, where the bearer names the account.
func (l *link) send(g *gateway, packet []byte) (ilpcore.Reply, error) {
	return l.post(g.nodeURL()+"/ilp", l.name+":"+l.secret, packet)
}

// sendByPath posts a packet to the account's own path, where the bearer is the secret alone.
func (l *link) sendByPath(g *gateway, packet []byte) (ilpcore.Reply, error) {
	return l.post(g.nodeURL()+"/accounts/"+l.name+"/ilp", l.secret, packet)
}

func (l *link) post(url, bearer string, packet []byte) (ilpcore.Reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(packet))
	if err != nil {
		return ilpcore.Reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := l.client.Do(request)
	if err != nil {
		return ilpcore.Reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return ilpcore.Reply{}, err
	}
	if response.StatusCode != http.StatusOK {
		return ilpcore.Reply{}, fmt.Errorf("%s: status %d: %.200s", url, response.StatusCode, body)
	}
	return ilpcore.DecodeReply(body)
}

// payment is one PSK2 request, before it is bytes, so that a test can change it and send it again.
type payment struct {
	packet      ilpcore.Prepare
	fulfillment [32]byte
}

// newPayment makes a Prepare that pays sum to a quote and that the gateway can fulfil; its memo is empty, which every quote takes.
func newPayment(t *testing.T, q quote, sum amount.Amount) payment {
	t.Helper()
	keys := psk2.Keys(q.secret)
	plain, err := psk2.Packet{Type: psk2.TypeRequest, RequestID: 1, Amount: sum}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := keys.Seal(nil, plain, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	fulfillment := keys.Fulfillment(data)
	return payment{fulfillment: fulfillment, packet: ilpcore.Prepare{
		Amount:      sum,
		ExpiresAt:   time.Now().Add(50 * time.Second),
		Condition:   sha256.Sum256(fulfillment[:]),
		Destination: []byte(q.destination),
		Data:        data,
	}}
}

func (p payment) bytes(t *testing.T) []byte {
	t.Helper()
	b, err := p.packet.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// credit pays sum for a token and fails the test unless it was fulfilled.
func (l *link) credit(t *testing.T, g *gateway, token string, sum amount.Amount) {
	t.Helper()
	p := newPayment(t, ask(t, g.url(0), token), sum)
	reply, err := l.send(g, p.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	wantFulfilled(t, reply, p)
}

func wantFulfilled(t *testing.T, reply ilpcore.Reply, p payment) {
	t.Helper()
	if !reply.Fulfilled {
		t.Fatalf("the payment was rejected with %v %q", reply.Code, reply.Message)
	}
	if reply.Fulfillment != p.fulfillment {
		t.Fatal("the fulfillment is not that of the condition")
	}
}
