package interop

// This file loses, of each payment of ilp-fetch, just the answer that says that all is paid: the gateway has credited it, and the payer
// does not know.

import (
	"fmt"
	"testing"
)

func TestFetchWhoseAnswerIsLost(t *testing.T) {
	needNode(t)
	for _, answers := range []int{1, 2, 3, 5} {
		t.Run(fmt.Sprintf("%d answers", answers), func(t *testing.T) {
			t.Parallel()
			v := variant{name: "loses answers", connector: connectorSetup{Lose: &loss{Answers: answers}}, rate: [2]uint64{1, 1}, price: 1000}
			conn, g := shapeNamed(t, "BTP, we dial").start(t, v, newBackend(t))
			testLostAnswer(t, v, payerNamed(t, "ilp-fetch 1.4.0, PSK2"), conn, g)
			testLostAnswer(t, v, payerNamed(t, "ilp-fetch 1.4.0, STREAM"), conn, g)
			checkLedger(t, g, countCrossed(conn), 2, v.price)
		})
	}
}

// testLostAnswer wants the request to be paid once. With STREAM ilp-fetch sends the money again, is told that it is there, and goes on;
// with PSK2 it gives up, and finds the request paid when it is called again with the same token.
func testLostAnswer(t *testing.T, v variant, p payer, conn *connector, g *gateway) {
	t.Helper()
	token, before := newToken(), countCrossed(conn)
	got := p.pay(t, v, conn, g.url(0)+"echo", token)
	c := countCrossed(conn).since(before)
	checkReceipt(t, p, v, got, c)
	if c.Amount != v.price || c.Unpaid != v.price || got.Spent != 0 {
		t.Errorf("%s: the price is %d; %d was credited and the answer to %d was lost, so that the payer spent %d, and should have spent 0",
			p.name, v.price, c.Amount, c.Unpaid, got.Spent)
	}
	wantAttempts := 1
	if p.method == "interledger-psk2" {
		wantAttempts = 2
	}
	if got.attempts != wantAttempts {
		t.Errorf("%s was called %d times, want %d", p.name, got.attempts, wantAttempts)
	}
	wantBalanceOf(t, g, token, 0)
}

// TestSenderThatDoesNotRead pays with senders that answer each go-ahead that nobody reads with a packet: the gateway does not keep that up.
func TestSenderThatDoesNotRead(t *testing.T) {
	needNode(t)
	v := variant{name: "one to one", rate: [2]uint64{1, 1}, price: 1000}
	conn, g := shapeNamed(t, "BTP, we dial").start(t, v, newBackend(t))
	for _, old := range []bool{true, false} {
		var sent struct {
			Paying, After int
			Spent         uint64 `json:",string"`
		}
		token := newToken()
		run(t, "pay-deaf.js", map[string]any{"server": conn.Payers, "url": g.url(0) + "echo", "token": token, "old": old}, &sent)
		if sent.Spent != v.price || sent.After > 8 {
			t.Errorf("old %v: %+v, want %d spent and few packets after", old, sent, v.price)
		}
		wantBalanceOf(t, g, token, v.price)
		t.Logf("old %v: %+v", old, sent)
	}
}
