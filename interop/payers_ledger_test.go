package interop

// This file compares the gateway's ledger with what the connector has counted.

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/store"
)

func wantBalanceOf(t *testing.T, g *gateway, token string, want uint64) {
	t.Helper()
	wantBalance(t, g.url(0), token, amount.Amount(want))
}

// checkLedger stops the gateway and audits its ledger: it adds up, every unit that was fulfilled is credited once, nothing else is,
// and every paid request was charged once.
func checkLedger(t *testing.T, g *gateway, c crossed, requests, price uint64) {
	t.Helper()
	g.stop()
	s, err := store.Open(context.Background(), filepath.Join(g.dataDir(), "ledger"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := balances.Open(s, balances.Options{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := l.Audit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	totals := report.Totals
	if credited := totals.Credits.Lo - totals.Reversals.Lo; credited != c.Amount || totals.Credits.Hi != 0 {
		t.Errorf("the ledger credited %d, the connector saw %d fulfilled", credited, c.Amount)
	}
	if totals.CreditCount != c.Packets && totals.Reversals == (balances.Sum{}) {
		t.Errorf("the ledger has %d credits, the connector saw %d fulfilled packets", totals.CreditCount, c.Packets)
	}
	if totals.ChargeCount != requests || totals.Charges.Lo != requests*price {
		t.Errorf("the ledger has %d charges of together %d, want %d of %d", totals.ChargeCount, totals.Charges.Lo, requests, requests*price)
	}
	if left := report.Balances.Lo; left != c.Amount-requests*price {
		t.Errorf("the balances are together %d, want %d", left, c.Amount-requests*price)
	}
}
