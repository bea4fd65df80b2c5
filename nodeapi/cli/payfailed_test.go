package cli

// This file shows what a payment says and exits with that was not made in full, or of which nobody knows.

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestAPaymentThatIsNotWhole(t *testing.T) {
	const flying = `"receipt":{"from":"test.a","source_amount":5,"source_asset_code":"ABC","source_asset_scale":0,"sent_amount":3,"in_flight_amount":2,"delivered_amount":1}`
	const part = `"receipt":{"from":"test.a","sent_amount":3,"sent_asset_code":"ABC","sent_asset_scale":0,"delivered_amount":1,"in_flight_amount":0}`
	const none = `"receipt":{"from":"test.a","sent_amount":0,"delivered_amount":0}`
	const detail = `{"title":"Internal Server Error","status":500,"detail":"Error sending SPSP payment: it went away",`
	const path = "POST /accounts/alice/payments"
	const again = "run the command again with --idempotency-key k-7 within 24 hours; later, look at paydoor node accounts payments alice first"
	const ended = "; this stays the answer to the key k-7 for 24 hours: pay what is missing with another one"
	for _, test := range []struct {
		name   string
		says   said
		status int
		out    []string
		err    string
	}{
		{"in part", problemSaid(500, detail+part+"}"), StatusRefused, []string{"sent       3 (3 ABC)", "delivered  1"}, errNotWhole.Error() + ": Error sending SPSP payment: it went away" + ended},
		{"in part, and in flight", problemSaid(500, detail+flying+"}"), StatusUnknown, []string{"sent       3 (3 ABC)", "in flight  2 (2 ABC)"},
			"nobody told what became of 2 base units: Error sending SPSP payment: it went away; before you pay with another key than k-7, look at paydoor node accounts payments alice"},
		{"in flight, answered as whole", said{200, "", `{"source_amount":5,"sent_amount":5,"in_flight_amount":2}`}, StatusUnknown, []string{"in flight  2"}, "nobody told what became of 2 base units; before you pay with another key than k-7"},
		{"not at all", problemSaid(500, detail+none+"}"), StatusRefused, []string{"sent       0"}, "the node refused: Error sending SPSP payment: it went away (500)" + ended},
		{"before it was begun", problemSaid(503, `{"detail":"nothing was paid"}`), StatusRefused, nil, "the node refused: nothing was paid (503)"},
		{"maybe before", problemSaid(503, `{"detail":"the node is shutting down"}`), StatusUnknown, nil, "the node is shutting down (503)"},
		{"under way", said{409, problemType, `{"title":"Conflict","detail":"it is under way"}`}, StatusUnknown, nil, "it is under way (409): " + again},
		{"interrupted", problemSaid(409, `{"title":"Conflict","detail":"the node was stopped: look at GET /accounts/NAME/payments"}`), StatusUnknown, nil, "the node was stopped: look at GET /accounts/NAME/payments (409); before you pay with another key than k-7, look at paydoor node accounts payments alice"},
		{"another's key", problemSaid(409, `{"title":"Provided idempotency key is tied to other input","detail":"use another Idempotency-Key for another payment"}`), StatusRefused, nil, "use another Idempotency-Key for another payment (409)"},
		{"a proxy gave up", said{504, "text/html", "<h1>504</h1>"}, StatusUnknown, nil, "a proxy in front of the node answers 504 Gateway Timeout; whether the payment was made is unknown: " + again},
		{"a proxy lost the node", said{502, "", ""}, StatusUnknown, nil, "answers 502 Bad Gateway; whether the payment was made is unknown: " + again},
		{"a proxy of a kind of its own", said{524, "text/html", "<h1>524</h1>"}, StatusUnknown, nil, "answers 524; whether the payment was made is unknown: " + again},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStub(t, map[string]said{path: test.says})
			if test.name == "under way" || test.name == "maybe before" {
				s.header = map[string]string{"Retry-After": "1"}
			}
			got := newTerminal(s).types(t, strings.Fields("pay alice --to $p.example --amount 5 --idempotency-key k-7")...)
			if got.status != test.status || !strings.Contains(got.err, test.err) {
				t.Errorf("status %d, said %s\nwant %d and %s", got.status, got.err, test.status, test.err)
			}
			for _, line := range test.out {
				if !strings.Contains(got.out, line) {
					t.Errorf("printed\n%s\nwant %s", got.out, line)
				}
			}
		})
	}
	s := newStub(t, map[string]said{path: problemSaid(503, `{"detail":"the node is shutting down"}`)})
	s.header = map[string]string{"Retry-After": "1"}
	if got := newTerminal(s).types(t, strings.Fields("pay alice --to $p.example --amount 5")...); got.status != StatusRefused {
		t.Errorf("with a key of its own, which no payment before can have: status %d, said %s", got.status, got.err)
	}
	s = newStub(t, map[string]said{path: problemSaid(500, detail+none+"}")})
	if got := newTerminal(s).types(t, strings.Fields("pay alice --to $p.example --amount 5")...); got.status != StatusRefused || strings.Contains(got.err, "another one") {
		t.Errorf("with a key of its own, which does not come back: status %d, said %s", got.status, got.err)
	}
	s = newStub(t, map[string]said{path: problemSaid(500, detail+flying+"}")})
	if got := newTerminal(s).types(t, strings.Fields("pay alice --to $p.example --amount 5 --json")...); got.status != StatusUnknown || !strings.Contains(got.out, `"in_flight_amount": 2`) {
		t.Errorf("--json: status %d, printed %s", got.status, got.out)
	}
}

// errFull is what a full disk says.
var errFull = errors.New("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestAReceiptThatIsNotPrinted pays, and cannot print the receipt: a script that takes 1 for "not all was paid" would pay again.
func TestAReceiptThatIsNotPrinted(t *testing.T) {
	s := newStub(t, map[string]said{"POST /accounts/alice/payments": {200, "", `{"source_amount":5,"sent_amount":5,"in_flight_amount":0}`}})
	m := newTerminal(s)
	var errs bytes.Buffer
	node := &cobra.Command{Use: "node", SilenceUsage: true, SilenceErrors: true}
	AddCommands(node, Environment{Getenv: func(name string) string { return m.variables[name] }, Now: time.Now})
	node.SetOut(full{})
	node.SetErr(&errs)
	node.SetArgs(strings.Fields("pay alice --to $p.example --amount 5 --idempotency-key k-7"))
	err := node.ExecuteContext(t.Context())
	if ExitStatus(err) != StatusUnknown || !errors.Is(err, errFull) || !strings.Contains(err.Error(), "the payment was made") || !strings.Contains(err.Error(), "--idempotency-key k-7") {
		t.Errorf("status %d, said %v", ExitStatus(err), err)
	}
}
