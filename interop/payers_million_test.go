package interop

// This file pays ten million units to one token in hundreds of packets: every unit that was fulfilled is there, once.

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const tenMillion = 10_000_000

// millions are the payments of ten million units. ilp-fetch has none: it pays what one request costs.
var millions = []struct {
	payer   string
	shape   string
	variant variant
}{
	{"ilp-protocol-stream", "HTTP, JSON web tokens", inPackets("20000", nil)},
	{"ilp-protocol-stream", "BTP, we dial", inPackets("100000", &loss{Percent: 10})},
	{"@interledger/pay", "BTP, we are dialled", inPackets("20000", nil)},
	{"@interledger/pay", "HTTP, bearer tokens", inPackets("100000", &loss{Percent: 10})},
}

// inPackets is a connector that takes packets of up to most units.
func inPackets(most string, lose *loss) variant {
	name := "packets up to " + most
	if lose != nil {
		name += fmt.Sprintf(", loses %d %%", lose.Percent)
	}
	return variant{
		name: name, connector: connectorSetup{connectorOptions: connectorOptions{MaxPacketAmount: most}, Lose: lose},
		rate: [2]uint64{1, 1}, price: 7, send: tenMillion, deliver: tenMillion,
	}
}

func TestTenMillionUnits(t *testing.T) {
	needNode(t)
	lines := make([]string, len(millions))
	t.Run("all", func(t *testing.T) { // returns when all parallel ones have
		for i, m := range millions {
			t.Run(m.payer+", "+m.variant.name, func(t *testing.T) {
				t.Parallel()
				lines[i] = testTenMillion(t, payerNamed(t, m.payer), m.variant, shapeNamed(t, m.shape))
			})
		}
	})
	t.Logf("\n| payer | link | connector | credited | charged | Pay-Balance | packets | lost | of the credited, payer does not know | seconds |\n"+
		"|---|---|---|---:|---:|---:|---:|---:|---:|---:|\n%s", strings.Join(lines, ""))
}

// testTenMillion returns the line of the table.
func testTenMillion(t *testing.T, p payer, v variant, s shape) string {
	conn, g := s.start(t, v, newBackend(t))
	token, begun := newToken(), time.Now()
	got := p.pay(t, v, conn, g.url(0)+"echo", token)
	took, c := time.Since(begun), countCrossed(conn)

	checkReceipt(t, p, v, got, c)
	if known := c.Amount - c.Unpaid; known != tenMillion {
		t.Errorf("the payer knows of %d fulfilled units, want %d", known, tenMillion)
	}
	if v.loses() != (c.Lost > 0) {
		t.Errorf("%d packets were lost", c.Lost)
	}
	wantBalanceOf(t, g, token, c.Amount-v.price)
	checkLedger(t, g, c, 1, v.price)
	return fmt.Sprintf("| %s | %s | %s | %d | %d | %s | %d | %d | %d | %.1f |\n",
		p.name, s.name, v.name, c.Amount, v.price, got.PayBalance, c.Packets, c.Lost, c.Unpaid, took.Seconds())
}

func payerNamed(t *testing.T, name string) payer {
	t.Helper()
	for _, p := range payers {
		if strings.HasPrefix(p.name, name) {
			return p
		}
	}
	t.Fatalf("no payer is called %s", name)
	return payer{}
}

func shapeNamed(t *testing.T, name string) shape {
	t.Helper()
	for _, s := range shapes {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no shape is called %s", name)
	return shape{}
}
