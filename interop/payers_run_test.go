package interop

// This file is the payers that people really have, as they come from npm, and how each is asked to pay for one request.

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// payer is one of them.
type payer struct {
	name   string
	method string // what it asks for in Pay-Accept
	script string // of ./peers; those other than pay.js are used by themselves, without closed.js
	fixes  string // which side's amount it fixes: "price" is ilp-fetch, which pays what a 402 says; "send" and "deliver" ask by OPTIONS
}

var payers = []payer{
	{"ilp-fetch 1.4.0, PSK2", "interledger-psk2", "pay.js", "price"},
	{"ilp-fetch 1.4.0, STREAM", "interledger-stream", "pay.js", "price"},
	{"ilp-protocol-psk2 0.5.0", "interledger-psk2", "pay-psk2.js", "send"},
	{"ilp-protocol-stream 2.7.2-alpha.3", "interledger-stream", "pay-stream.js", "send"},
	{"@interledger/pay 0.4.0-alpha.9", "interledger-stream", "pay-interledger.js", "deliver"},
}

// cannot says why a payer has no way to pay through a connector, or nothing.
func (p payer) cannot(v variant) string {
	if p.fixes == "price" && p.method == "interledger-psk2" && v.connector.MaxPacketAmount == "300" {
		return "a PSK2 payment is one packet, and ilp-fetch measures the rate with a packet of 1000"
	}
	return ""
}

// receipt is the paid answer, and what the payer knows.
type receipt struct {
	Error      string
	Status     int
	Pay        string
	PayBalance string
	Body       string
	Funded     string         // Pay-Balance between payment and request; only of payers that ask by OPTIONS
	Told       uint64         `json:",string"` // what their library believes was received, in the gateway's units
	Spent      uint64         `json:",string"` // what the payer's link saw fulfilled, in the payer's units
	Rejected   map[string]int // how many packets came back with which code; not from ilp-fetch
	attempts   int
}

// paidBody is what every payer sends with its paid request.
const paidBody = "what is paid for"

// pay lets the payer pay for one POST to url with token, through the connector.
func (p payer) pay(t *testing.T, v variant, conn *connector, url, token string) receipt {
	t.Helper()
	if p.fixes == "price" {
		return p.fetch(t, v, conn, url, token)
	}
	most := v.connector.MaxPacketAmount // ilp-protocol-psk2 leaves it to its user to know how much fits into a packet
	if most == "" {
		most = "1000000"
	}
	result := receipt{attempts: 1}
	runAlone(t, p.script, map[string]any{
		"server": conn.Payers, "url": url, "token": token, "body": paidBody, "scale": v.payerScale(), "most": most,
		"send": decimal(v.send), "deliver": decimal(v.deliver),
	}, &result)
	return result
}

// fetch runs ilp-fetch. Its PSK2 does not repeat a payment that was lost; its user may call it again with the same token.
func (p payer) fetch(t *testing.T, v variant, conn *connector, url, token string) (result receipt) {
	t.Helper()
	attempts, spent := 1, uint64(0)
	if v.loses() {
		attempts = 10
	}
	for i := range attempts {
		result = receipt{attempts: i + 1}
		run(t, p.script, map[string]any{
			"server": conn.Payers, "url": url, "token": token, "body": paidBody, "method": "POST", "maxPrice": "50000",
			"headers": map[string]string{"Pay-Accept": p.method},
		}, &result)
		if spent += result.Spent; result.Error == "" {
			break
		}
	}
	result.Spent = spent
	return result
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// runAlone is run without closed.js, which no payer of today needs, and with more time.
func runAlone(t *testing.T, script string, options, result any) {
	t.Helper()
	argument, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "peers/"+script, string(argument))
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, stderr.Bytes())
	}
	if err := json.Unmarshal(out, result); err != nil {
		t.Fatalf("%s printed %q: %v", script, out, err)
	}
}
