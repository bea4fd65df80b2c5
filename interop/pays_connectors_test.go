package interop

// This file lets `paydoor fetch` pay the gateway through connectors that keep something, count otherwise, take small packets only, or lose some.

import (
	"fmt"
	"testing"
)

// worst is all of it at once.
var worst = variant{
	name:      "keeps 1 %, payer scale 6, ours 9, packets up to 300, loses 10 %",
	connector: connectorSetup{connectorOptions: connectorOptions{Spread: 0.01, PayerScale: 6, MaxPacketAmount: "300"}, Lose: &loss{Percent: 10}},
	rate:      [2]uint64{990, 1}, price: 10_000_000,
}

// mostTries is how often fetch is run until it is paid. Only connectors that lose packets need more than one.
const mostTries = 3

func TestFetchCommandThroughAwkwardConnectors(t *testing.T) {
	needNode(t)
	for _, v := range append([]variant{worst}, variants[1:]...) {
		if v.loses() {
			v.price = max(v.price, 40_000) // in 20 packets
		}
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			conn, g := shapeNamed(t, "BTP, we dial").start(t, v, newBackend(t))
			for _, method := range []string{"stream", "psk2"} {
				t.Run(method, func(t *testing.T) { testAwkward(t, v, conn, g.url(0)+"echo", method) })
			}
			checkLedger(t, g, countCrossed(conn), 2, v.price)
		})
	}
}

// testAwkward fetches with a new wallet until the answer is 200, and adds up what left, what crossed and what is on the token.
func testAwkward(t *testing.T, v variant, conn *connector, url, method string) {
	p, before := newPurse(t, conn), countCrossed(conn)
	most := v.cost(v.price) * 102 / 100
	if v.cost(v.price) < 100 {
		most = v.cost(v.price) // not even a unit more
	}
	var got bought
	var sent, delivered uint64
	tries, payments := 0, 0
	for got.Exit = -1; got.Exit != 0 && tries < mostTries; tries++ {
		got = p.fetch("--max", fmt.Sprint(most), "--method", method, "-d", paidBody, url)
		left, arrived := got.sent()
		if sent, delivered = sent+left, delivered+arrived; left > most {
			t.Errorf("%d left, and --max is %d", left, most)
		}
		if got.Exit != 0 && (!v.loses() || got.Exit != 5) {
			t.Fatalf("try %d: %+v", tries, got)
		}
		payments += len(got.Payments)
	}
	c := countCrossed(conn).since(before)
	t.Logf("%d tries, %d sent in %d payments, %+v crossed", tries, sent, payments, c)
	if got.Status != 200 || got.Body != "POST "+paidBody || got.Balance != decimal(c.Amount-v.price) {
		t.Fatalf("%d crossed for %d: %+v", c.Amount, v.price, got)
	}
	if spent, _, balance := p.spent(); spent != sent || balance != got.Balance {
		t.Errorf("the wallet has %d spent and %s left; %d was sent, and Pay-Balance is %s", spent, balance, sent, got.Balance)
	}
	known := c.Amount - c.Unpaid // what was lost on the way back, nobody paid for
	if worth := v.worth(sent); known > worth || known+c.Packets < worth || delivered != known {
		t.Errorf("%d left, which is worth %d; the payer believes that %d arrived; %d was fulfilled", sent, worth, delivered, known)
	}
	unit := max(v.worth(1), 1)
	if over := c.Amount - v.price; over >= unit*c.Packets && !v.loses() || over > c.Unpaid+unit*c.Packets {
		t.Errorf("%d arrived for a price of %d, in %d packets", c.Amount, v.price, c.Packets)
	}
}
