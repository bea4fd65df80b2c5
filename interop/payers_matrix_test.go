package interop

// This file is the whole matrix: every payer, through every connector, over every shape of link, pays for one request.

import (
	"fmt"
	"strings"
	"testing"
)

// cell is one line of the table that the test prints.
type cell struct {
	payer, connector, link string
	result                 string
	credited, price        uint64
	balance                string
	note                   string
}

func TestEveryPayerOverEveryLink(t *testing.T) {
	needNode(t)
	table := make([][]cell, len(variants)*len(shapes))
	t.Run("pairs", func(t *testing.T) { // returns when all parallel ones have
		for i, v := range variants {
			for j, s := range shapes {
				if s.again && i > 0 {
					continue
				}
				t.Run(v.name+"/"+s.name, func(t *testing.T) {
					t.Parallel()
					testPayers(t, v, s, &table[i*len(shapes)+j])
				})
			}
		}
	})
	t.Log(markdown(table))
}

// testPayers lets one payer after the other pay over one link, so that what crosses it is theirs.
func testPayers(t *testing.T, v variant, s shape, table *[]cell) {
	conn, g := s.start(t, v, newBackend(t))
	requests := uint64(0)
	for _, p := range payers {
		t.Run(p.name, func(t *testing.T) {
			r := cell{payer: p.name, connector: v.name, link: s.name, result: "failed", price: v.price}
			defer func() { *table = append(*table, r) }()
			if testPayer(t, p, v, conn, g, &r); r.result == "paid 200" {
				requests++
			}
		})
	}
	checkLedger(t, g, countCrossed(conn), requests, v.price)
}

func testPayer(t *testing.T, p payer, v variant, conn *connector, g *gateway, r *cell) {
	token, before := newToken(), countCrossed(conn)
	got := p.pay(t, v, conn, g.url(0)+"echo", token)
	c := countCrossed(conn).since(before)
	r.credited = c.Amount
	if reason := p.cannot(v); reason != "" {
		if got.Error == "" || c.Amount != 0 {
			t.Errorf("%s can pay after all: %+v", p.name, got)
		}
		wantBalance(t, g.url(0), token, 0)
		r.result, r.balance, r.note = "cannot", "0", reason+": "+got.Error
		return
	}
	checkReceipt(t, p, v, got, c)
	wantBalanceOf(t, g, token, c.Amount-v.price)
	if t.Failed() {
		return
	}
	r.result, r.balance, r.note = "paid 200", got.PayBalance, notes(got, c)
}

// checkReceipt wants the paid answer with the exact balance, and payer, connector and gateway to agree on what was paid.
func checkReceipt(t *testing.T, p payer, v variant, got receipt, c crossed) {
	t.Helper()
	if got.Error != "" || got.Status != 200 || got.Body != "POST "+paidBody {
		t.Fatalf("status %d, body %.80q, error %q; %+v crossed", got.Status, got.Body, got.Error, c)
	}
	if !strings.HasPrefix(got.Pay, p.method+" ") {
		t.Errorf("Pay is %q, but Pay-Accept asked for %s", got.Pay, p.method)
	}
	if want := decimal(c.Amount - v.price); got.PayBalance != want {
		t.Errorf("%d was fulfilled and %d charged, but Pay-Balance is %s, want %s", c.Amount, v.price, got.PayBalance, want)
	}
	known := c.Amount - c.Unpaid // what was lost on the way back, no payer knows of
	if most, least := v.worth(got.Spent), v.worth(got.Spent)-min(v.worth(got.Spent), c.Packets); known > most || known < least {
		t.Errorf("the payer spent %d, which is worth %d to %d, but %d was fulfilled", got.Spent, least, most, known)
	}
	if p.fixes == "price" {
		if most := v.cost(v.price); got.Spent > most {
			t.Errorf("ilp-fetch spent %d, but the price costs at most %d", got.Spent, most)
		}
		return
	}
	if got.Funded != decimal(c.Amount) || got.Told != known {
		t.Errorf("%d was fulfilled; Pay-Balance said %s before the request; the payer believes %d, want %d", c.Amount, got.Funded, got.Told, known)
	}
	if p.fixes == "send" && got.Spent != v.send {
		t.Errorf("the payer spent %d, want %d", got.Spent, v.send)
	}
	if p.fixes == "deliver" && known < v.deliver {
		t.Errorf("%d was delivered, want at least %d", known, v.deliver)
	}
}

func notes(got receipt, c crossed) string {
	var all []string
	if c.Packets > 1 {
		all = append(all, fmt.Sprintf("%d packets", c.Packets))
	}
	if c.Lost > 0 {
		all = append(all, fmt.Sprintf("%d lost, and with them answers for %d", c.Lost, c.Unpaid))
	}
	if got.attempts > 1 {
		all = append(all, fmt.Sprintf("called %d times with one token", got.attempts))
	}
	return strings.Join(all, "; ")
}

func markdown(table [][]cell) string {
	var b strings.Builder
	b.WriteString("\n| payer | link | connector | result | credited | price | Pay-Balance | notes |\n|---|---|---|---|---:|---:|---:|---|\n")
	for _, rows := range table {
		for _, r := range rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %d | %s | %s |\n", r.payer, r.link, r.connector, r.result, r.credited, r.price, r.balance, r.note)
		}
	}
	return b.String()
}
