package interop

// This file sends one payment many times: at once, over another link, after a crash. It is money once.

import (
	"encoding/hex"
	"errors"
	"sync"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

const copies = 50

// sender sends all packets at once and returns their replies in order.
type sender func(t *testing.T, packets [][]byte) []ilpcore.Reply

func TestReplayedPrepareIsCreditedOnce(t *testing.T) {
	needTime(t)
	one, other := newLink(t, "one"), newLink(t, "other")
	g := newGateway(t, gatewayConfig{
		address:  "test.gateway",
		accounts: []string{one.account(), other.account()},
		sites:    []string{paidSite(10, newBackend(t))},
	})
	testReplay(t, g, atOnce(g, one.send), atOnce(g, other.sendByPath))
}

func TestReplayedPrepareThroughTheConnector(t *testing.T) {
	needNode(t)
	deduplicate := false
	conn := startConnector(t, connectorOptions{Deduplicate: &deduplicate})
	neighbour := newLink(t, "neighbour")
	g := newGateway(t, gatewayConfig{
		accounts: []string{dialledUplink(conn), neighbour.account()},
		sites:    []string{paidSite(10, newBackend(t))},
	})
	testReplay(t, g, atOnce(g, neighbour.send), throughConnector(conn))
}

// testReplay pays 100 once, and sends that payment and changed copies of it again and again over two links.
func testReplay(t *testing.T, g *gateway, first, second sender) {
	token := newToken()
	p := newPayment(t, ask(t, g.url(0), token), 100)
	same := repeat(p.bytes(t))

	wantAllFulfilled(t, "at once", p, first(t, same))
	wantBalance(t, g.url(0), token, 100)
	wantAllFulfilled(t, "over the other link", p, second(t, same))
	wantBalance(t, g.url(0), token, 100)

	g.kill()
	g.start()
	wantBalance(t, g.url(0), token, 100)
	wantAllFulfilled(t, "after the crash", p, first(t, same))
	wantAllFulfilled(t, "after the crash, over the other link", p, second(t, same))
	wantBalance(t, g.url(0), token, 100)

	changed := changedCopies(t, g, p)
	for name, packet := range changed {
		for _, reply := range append(first(t, repeat(packet)), second(t, repeat(packet))...) {
			if reply.Fulfilled || reply.Code != ilpcore.F00 {
				t.Fatalf("%s: fulfilled %v, code %q %q; want F00", name, reply.Fulfilled, reply.Code, reply.Message)
			}
		}
	}
	wantBalance(t, g.url(0), token, 100)
}

// changedCopies are payments with p's condition that say something else than p.
func changedCopies(t *testing.T, g *gateway, p payment) map[string][]byte {
	t.Helper()
	more, elsewhere, deeper, damaged := p, p, p, p
	more.packet.Amount = 200
	deeper.packet.Destination = []byte(string(p.packet.Destination) + ".x") // further segments reach the same receiver
	damaged.packet.Data = append([]byte{0}, p.packet.Data...)
	stranger := newToken()
	elsewhere.packet.Destination = []byte(ask(t, g.url(0), stranger).destination)
	t.Cleanup(func() { wantBalance(t, g.url(0), stranger, 0) })
	return map[string][]byte{
		"another amount":                    more.bytes(t),
		"another token's destination":       elsewhere.bytes(t),
		"another destination of this token": deeper.bytes(t),
		"other data":                        damaged.bytes(t),
	}
}

func repeat(packet []byte) [][]byte {
	packets := make([][]byte, copies)
	for i := range packets {
		packets[i] = packet
	}
	return packets
}

func wantAllFulfilled(t *testing.T, when string, p payment, replies []ilpcore.Reply) {
	t.Helper()
	if len(replies) != copies {
		t.Fatalf("%s: %d replies, want %d", when, len(replies), copies)
	}
	for _, reply := range replies {
		if !reply.Fulfilled || reply.Fulfillment != p.fulfillment {
			t.Fatalf("%s: fulfilled %v, code %q %q; want the first fulfillment again", when, reply.Fulfilled, reply.Code, reply.Message)
		}
	}
}

// atOnce is a sender over a link that this process holds.
func atOnce(g *gateway, send func(*gateway, []byte) (ilpcore.Reply, error)) sender {
	return func(t *testing.T, packets [][]byte) []ilpcore.Reply {
		t.Helper()
		start, replies, failures := make(chan struct{}), make([]ilpcore.Reply, len(packets)), make([]error, len(packets))
		var wait sync.WaitGroup
		for i, packet := range packets {
			wait.Go(func() {
				<-start
				replies[i], failures[i] = send(g, packet)
			})
		}
		close(start)
		wait.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		return replies
	}
}

// throughConnector is a sender that is a payer of the npm connector, which forwards over the link the gateway dialled.
func throughConnector(conn *connector) sender {
	return func(t *testing.T, packets [][]byte) []ilpcore.Reply {
		t.Helper()
		options := struct {
			Server  string   `json:"server"`
			Packets []string `json:"packets"`
		}{Server: conn.Payers}
		for _, packet := range packets {
			options.Packets = append(options.Packets, hex.EncodeToString(packet))
		}
		var result struct{ Replies []string }
		run(t, "send.js", options, &result)
		replies := make([]ilpcore.Reply, len(result.Replies))
		for i, text := range result.Replies {
			b, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			if replies[i], err = ilpcore.DecodeReply(b); err != nil {
				t.Fatal(err)
			}
		}
		return replies
	}
}
