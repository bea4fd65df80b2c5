package interop

// This file lets package payer pay a receiver of other people: npm's ilp-protocol-stream, through npm's ilp-connector.

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

// streamReceiver is peers/receive-stream.js.
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
			secret, err := base64.StdEncoding.DecodeString(r.Secret)
			if err != nil {
				t.Fatal(err)
			}
			test.payment.Address, test.payment.Secret = ilpcore.Address(r.Destination), secret
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			got, err := paying.Stream{Link: link, Random: rand.Reader, Now: time.Now}.Pay(ctx, test.payment)
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
