package interop

// This file lets package payer pay receivers of other people: npm's ilp-protocol-stream and @interledger/stream-receiver, through npm's
// ilp-connector.

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	paying "github.com/paydoor/paydoor/payer"
)

// streamReceiver is peers/receive-stream.js or peers/receive-stateless.js.
type streamReceiver struct {
	*peer
	Destination string
	Secret      string
}

// received says what arrived, and how many connections ended.
func (r *streamReceiver) received() (sum amount.Amount, closed int) {
	r.t.Helper()
	var answer struct {
		Amount uint64 `json:",string"`
		Closed int
	}
	r.ask("received", &answer)
	return amount.Amount(answer.Amount), answer.Closed
}

// pay pays the receiver over link.
func (r *streamReceiver) pay(link ilpcore.Handler, payment paying.Payment) (paying.Result, error) {
	r.t.Helper()
	secret, err := base64.StdEncoding.DecodeString(r.Secret)
	if err != nil {
		r.t.Fatal(err)
	}
	payment.Address, payment.Secret = ilpcore.Address(r.Destination), secret
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	return paying.Stream{Link: link, Random: rand.Reader, Now: time.Now}.Pay(ctx, payment)
}

func TestOurSenderPaysTheirReceiver(t *testing.T) {
	needNode(t)
	tests := []struct {
		name       string
		connector  connectorOptions
		receiveMax string
		wait       int // milliseconds until the receiver decides
		payment    paying.Payment
		delivered  amount.Amount
		least      amount.Amount // sent
		most       amount.Amount
	}{
		{"deliver", connectorOptions{}, "100000", 0, paying.Payment{Deliver: 5000, MaxSend: 5000}, 5000, 5000, 5000},
		{"several packets", connectorOptions{MaxPacketAmount: "300"}, "100000", 0, paying.Payment{Deliver: 5000, MaxSend: 5000}, 5000, 5000, 5000},
		{"send", connectorOptions{MaxPacketAmount: "300"}, "100000", 0, paying.Payment{Send: 5000}, 5000, 5000, 5000},
		{"a spread", connectorOptions{MaxPacketAmount: "1000", Spread: 0.01}, "100000", 0, paying.Payment{Deliver: 5000, MaxSend: 5100}, 5000, 5050, 5100},
		{"another scale", connectorOptions{PayerScale: 6}, "100000", 0, paying.Payment{Deliver: 5000}, 5000, 5, 5},
		{"a receiver that takes its time", connectorOptions{}, "100000", 500, paying.Payment{Deliver: 5000, MaxSend: 5000}, 5000, 5000, 5000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			conn := startConnector(t, test.connector)
			var r streamReceiver
			r.peer = startPeer(t, "receive-stream.js", map[string]any{"server": conn.Gateways, "receiveMax": test.receiveMax, "wait": test.wait}, &r)
			link := dialPayers(t, conn)
			got, err := r.pay(link, test.payment)
			received, closed := r.received()
			if err != nil || got.Delivered != test.delivered || got.Sent < test.least || got.Sent > test.most || received != got.Delivered || closed != 1 {
				t.Errorf("got %+v, %v; %s were received, %d connections ended", got, err, received, closed)
			}
			if counted, _ := conn.delivered(); amount.Amount(counted) != got.Delivered {
				t.Errorf("the connector delivered %d, and %+v", counted, got)
			}
			if got.DestinationAsset == nil || got.DestinationAsset.Code != "USD" {
				t.Errorf("the receiver's asset is %v", got.DestinationAsset)
			}
		})
	}
}

// TestOurSenderWastesNoPackets pays ten million units to each receiver, in at most one packet in a hundred more than the largest packets make
// necessary.
func TestOurSenderWastesNoPackets(t *testing.T) {
	needNode(t)
	receivers := []struct {
		name, script string
		options      map[string]any
	}{
		{"ilp-protocol-stream", "receive-stream.js", map[string]any{"receiveMax": "18446744073709551615", "wait": 0}},
		{"@interledger/stream-receiver", "receive-stateless.js", map[string]any{}},
	}
	ways := []struct {
		name    string
		most    uint64 // of a packet
		options connectorOptions
		rate    [2]uint64
		payment paying.Payment
	}{
		{"fixed send", 20_000, connectorOptions{}, [2]uint64{1, 1}, paying.Payment{Send: tenMillion}},
		{"fixed delivery, the connector keeps 1 %", 17_777, connectorOptions{Spread: 0.01}, [2]uint64{99, 100}, paying.Payment{Deliver: tenMillion, MaxSend: 10_101_200}}, // each packet is rounded down
	}
	for _, way := range ways {
		way.options.MaxPacketAmount = decimal(way.most)
		conn := startConnector(t, way.options)
		for _, receiver := range receivers {
			t.Run(way.name+", "+receiver.name, func(t *testing.T) {
				var r streamReceiver
				receiver.options["server"] = conn.Gateways
				r.peer = startPeer(t, receiver.script, receiver.options, &r)
				before, packetsBefore := conn.delivered()
				begun := time.Now()
				got, err := r.pay(dialPayers(t, conn), way.payment)
				received, _ := r.received()
				after, packets := conn.delivered()
				if err != nil || got.Unknown != 0 || got.Delivered != received || uint64(received) != after-before || got.Fulfilled < packets-packetsBefore {
					t.Errorf("got %+v, %v; %s were received, the connector counts %d in %d packets", got, err, received, after-before, packets-packetsBefore)
				}
				least := amount.Amount(tenMillion * way.rate[1] / way.rate[0])
				if way.payment.Send > 0 && got.Sent != tenMillion || way.payment.Deliver > 0 && got.Delivered < tenMillion || got.Sent < least || got.Sent > max(way.payment.MaxSend, way.payment.Send) {
					t.Errorf("got %+v of %+v", got, way.payment)
				}
				needed := int((uint64(least) + way.most - 1) / way.most)
				if got.Fulfilled > needed+needed/100 {
					t.Errorf("%d packets were fulfilled, and %d are enough", got.Fulfilled, needed)
				}
				t.Logf("%s sent, %s delivered: %d packets were fulfilled of %d that are needed, %d rejected, %d probes, in %.1f s",
					got.Sent, got.Delivered, got.Fulfilled, needed, got.Rejected, got.Probes, time.Since(begun).Seconds())
			})
		}
	}
}

// dialPayers makes us one of the connector's payers.
func dialPayers(t *testing.T, conn *connector) ilpcore.Handler {
	t.Helper()
	address, err := btp.ParseURL(strings.Replace(conn.Payers, "://", "://:"+newToken()+"@", 1))
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan bool, 2)
	link, err := btp.Dial(btp.Config{Account: "connector", URL: address, State: func(state bool) { up <- state }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	select {
	case <-up:
	case <-time.After(20 * time.Second):
		t.Fatal("the connector does not take our link")
	}
	return link
}
