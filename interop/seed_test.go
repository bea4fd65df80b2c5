package interop

// This file is the example of seed 003 itself, walked through by a payer that has only npm's ilp-protocol-psk2.

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
)

// seedAnswer is one response as peers/seed-flow.js prints it.
type seedAnswer struct {
	Status     int
	Pay        string
	PayBalance string
}

// seedFlow is what peers/seed-flow.js prints.
type seedFlow struct {
	Quote struct {
		seedAnswer
		Method, DestinationAccount, Secret, Price string
	}
	Payment struct {
		Fulfilled      bool
		Code           string
		Arrived, Spent uint64 `json:",string"`
	}
	Answers []seedAnswer
}

func TestSeedExample(t *testing.T) {
	needNode(t)
	for _, memo := range []string{"raw", "text"} { // the seed does not say whether the memo is the token's bytes or its text
		t.Run("the memo is the token, "+memo, func(t *testing.T) {
			conn := startConnector(t, connectorOptions{})
			backend := newBackend(t)
			g := newGateway(t, gatewayConfig{accounts: []string{dialledUplink(conn)}, sites: []string{paidSite(10, backend)}})

			flow := runSeedFlow(t, conn, g.url(0)+"upload", memo)
			checkSeedFlow(t, flow)
			if !strings.HasPrefix(flow.Quote.DestinationAccount, "test.conn.gateways.") {
				t.Errorf("the address %s is not below the parent's", flow.Quote.DestinationAccount)
			}
			if n := backend.hitCount("/upload"); n != 10 {
				t.Errorf("the backend was reached %d times, want 10", n)
			}
		})
	}
}

func runSeedFlow(t *testing.T, conn *connector, url, memo string) seedFlow {
	t.Helper()
	var flow seedFlow
	run(t, "seed-flow.js", map[string]any{"server": conn.Payers, "url": url, "amount": "100", "requests": 11, "memo": memo}, &flow)
	return flow
}

// checkSeedFlow wants what the seed shows: price 10 and nothing paid; 100 paid; 90, 80 … 0; then payment required.
func checkSeedFlow(t *testing.T, flow seedFlow) {
	t.Helper()
	q := flow.Quote
	if q.Status != 204 || q.Method != "interledger-psk2" || q.Price != "10" || q.PayBalance != "0" {
		t.Errorf("OPTIONS was answered with %d, Pay %q, Pay-Balance %q", q.Status, q.Pay, q.PayBalance)
	}
	if secret, err := base64.RawURLEncoding.DecodeString(q.Secret); err != nil || len(secret) != 32 {
		t.Errorf("the secret %q is not 32 bytes of unpadded base64url", q.Secret)
	}
	if p := flow.Payment; !p.Fulfilled || p.Arrived != 100 || p.Spent != 100 {
		t.Errorf("the payment of 100 became %+v", p)
	}
	if len(flow.Answers) != 11 {
		t.Fatalf("%d answers, want 11", len(flow.Answers))
	}
	for i, a := range flow.Answers[:10] {
		if want := strconv.Itoa(90 - 10*i); a.Status != 200 || a.PayBalance != want || a.Pay == "" {
			t.Errorf("request %d: %+v, want 200 with Pay and Pay-Balance %s", i+1, a, want)
		}
	}
	if last := flow.Answers[10]; last.Status != 402 || last.PayBalance != "0" || !strings.HasPrefix(last.Pay, "interledger-psk2 ") {
		t.Errorf("the eleventh request: %+v, want 402 with Pay and Pay-Balance 0", last)
	}
}
