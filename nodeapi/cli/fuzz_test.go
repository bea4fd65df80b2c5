package cli

// This file feeds the readers and printers of answers with anything.

import (
	"bytes"
	"strings"
	"testing"
)

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{"[" + rustAccount + "]", javaAccount, nodeStatus, paid, `{"balance":1e-6,"asset_code":"XYZ"}`, `{"":"up","*":"x"}`, `{"Ok":null}`, `{"asset":[],"accounts":[[],{}]}`, rustPayments, javaPayments, settlementSaid} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var out bytes.Buffer
		_ = accountsTable(&out, body)
		_ = accountTable(&out, body)
		_ = balanceTable(&out, "bob", body)
		_ = routesTable(&out, body)
		_ = paymentsTable(&out, body)
		_ = settlementTable(&out, body)
		_ = mapTable(&out, body, "KEY", "VALUE")
		if r, err := decodeRecord(body); err == nil {
			statusTable(&out, r)
			receiptTable(&out, r)
			out.WriteString(paymentLine(r))
		}
		if strings.ContainsAny(out.String(), "\x1b\r\x00\x07\u009b") {
			t.Errorf("control characters go to the terminal: %q", out.String())
		}
		if v, err := decode(body); err == nil {
			first, err := marshal(withoutSecrets(v), "  ")
			if err != nil {
				t.Fatal(err)
			}
			again, err := decode(first)
			if err != nil {
				t.Fatalf("what is printed is no JSON: %s", first)
			}
			second, err := marshal(withoutSecrets(again), "  ")
			if err != nil || !bytes.Equal(first, second) {
				t.Errorf("printed once\n%s\nand again\n%s (%v)", first, second, err)
			}
		}
	})
}
