package nodeapi

// This file sends ten thousand bodies that are wrong in some way to every endpoint that takes one, in all dialects: none is the node's fault, and
// whatever is refused changes nothing. The same faults come each time; the fuzz targets look for others.

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

const wrongBodies = 10_000

// oddValues take the place of what a member should be.
var oddValues = []string{
	`null`, `true`, `0`, `-1`, `1.5`, `1e400`, `18446744073709551616`, `-9223372036854775809`, `""`, `" "`, `"x"`, `"NaN"`, `"-0"`, `"0x10"`, `[]`, `{}`, `[{}]`, `{"a":{"b":[1]}}`,
	`"\ud800"`, `"\u0000"`, `"ａ"`, `"a b"`, `"../alice"`, `"alice"`, `"Peer"`, `"Parent"`, `"SECRET"`, `"***"`, `"enc:x"`, `"http://127.0.0.1/"`, `"btp+wss://u:p@h/"`, `"$x"`, `"test.x"`,
	`"` + strings.Repeat("long ", 300) + `"`, strings.Repeat("[", 200) + strings.Repeat("]", 200),
}

// spoiled returns body with something wrong with it, or at least something else.
func spoiled(random *rand.Rand, body string) string {
	var members map[string]json.RawMessage
	if random.IntN(3) == 0 || json.Unmarshal([]byte(body), &members) != nil || len(members) == 0 {
		return spoiledBytes(random, []byte(body))
	}
	for range 1 + random.IntN(2) {
		names := slices.Sorted(maps.Keys(members))
		name := names[random.IntN(len(names))]
		switch random.IntN(6) {
		case 0:
			if len(members) > 1 {
				delete(members, name)
			}
		case 1:
			members["unknown "+name] = members[name]
		default:
			members[name] = json.RawMessage(oddValues[random.IntN(len(oddValues))])
		}
	}
	b, err := json.Marshal(members)
	if err != nil { // an odd value that no JSON document holds
		return body + body
	}
	return string(b)
}

func spoiledBytes(random *rand.Rand, b []byte) string {
	for range 1 + random.IntN(3) {
		if len(b) == 0 {
			break
		}
		i := random.IntN(len(b))
		switch random.IntN(5) {
		case 0:
			b = b[:i]
		case 1:
			b[i] = byte(random.IntN(256))
		case 2:
			b = slices.Delete(b, i, i+1)
		case 3:
			b = slices.Insert(b, i, `"\{}[]:,0-e`[random.IntN(11)])
		default:
			b = append(b, b[:i]...)
		}
	}
	return string(bytes.Clone(b))
}

func TestTenThousandWrongBodies(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 17))
	sender := honest()
	b := rustBed(t, func(c *Config) { c.Sender, c.EngineToken = sender, testEngine })
	b.createJava(t, map[string]any{"accountId": "jay"})
	type target struct{ method, path, authorization, body string }
	targets := []target{
		{"POST", "/accounts", asAdmin, seedAccount},
		{"POST", "/accounts", basic, accountBody(t, full)},
		{"PUT", "/accounts/alice", asAdmin, account("alice", aliceKey)},
		{"PUT", "/accounts/alice", asAdmin, strings.Replace(seedAccount, "other_node", "alice", 1)},
		{"PUT", "/accounts/jay", basic, accountBody(t, map[string]any{"accountId": "jay"})},
		{"PUT", "/accounts/jay", basic, accountBody(t, map[string]any{"accountId": "jay", "customSettings": credentials["jwt"]})},
		{"PUT", "/accounts/alice/settings", asAdmin, `{"settle_to":"7","settle_threshold":9,"ilp_over_http_url":"https://x.example/ilp","ilp_over_btp_url":"btp+wss://x.example"}`},
		{"PUT", "/accounts/bob/settings", "Bearer " + bobKey, `{"settle_to":7,"ilp_over_btp_outgoing_token":"some token of thirty-two bytes or more"}`},
		{"POST", "/accounts/bob/payments", "Bearer " + bobKey, `{"receiver":"$x.example","source_amount":"7","slippage":"0.025"}`},
		{"PUT", "/rates", asAdmin, `{"ABC":1.0,"XYZ":"2.517"}`},
		{"PUT", "/routes/static", asAdmin, `{"test.other":"alice","":"bob"}`},
		{"PUT", "/routes/static/test.x", asAdmin, `bob`},
		{"PUT", "/routes/static/test.y", basic, `{"routePrefix":"test.y","nextHopAccountId":"bob"}`},
		{"PUT", "/settlement/engines", asAdmin, `{"ABC":"https://engine.example:3001"}`},
		{"POST", "/accounts/bob/settlements", "Bearer " + testEngine, `{"amount":"5","scale":6}`},
		{"POST", "/encryption/encrypt", asAdmin, `a secret`},
		{"PUT", "/encryption/keys/jks", asAdmin, javaKey},
	}
	outcomes, bodies := make(map[int]int), wrongBodies
	if testing.Short() {
		bodies /= 5
	}
	before := b.everything(t)
	for n := range bodies {
		to := targets[n%len(targets)]
		body := spoiled(random, to.body)
		written, paid := b.directory.store.Durable(), sender.count()
		status := b.askOnce(to.method, to.path, to.authorization, body, n)
		outcomes[status]++
		switch {
		case status >= 500:
			t.Errorf("%s %s %q: %d", to.method, to.path, body, status)
		case status < 400:
			if len(b.directory.Accounts()) > 10 {
				b.deleteAllBut(t, "alice", "bob", "jay")
			}
			before = b.everything(t)
		case b.directory.store.Durable() != written || sender.count() != paid:
			t.Errorf("%s %s %q: a %d has written or paid something", to.method, to.path, body, status)
		case n%8 == 0: // what is in memory takes long to compare
			if after := b.everything(t); after != before {
				t.Errorf("%s %s %q, or one of the seven before: a %d has changed something:\n%s\n%s", to.method, to.path, body, status, before, after)
			}
		}
	}
	t.Logf("by status: %v", outcomes)
	if outcomes[400] < bodies/4 || outcomes[200] == 0 || outcomes[201] == 0 || outcomes[401] > 0 {
		t.Errorf("the bodies are not wrong enough, or too wrong: %v", outcomes)
	}
}

func (b *bed) deleteAllBut(t *testing.T, kept ...ilpcore.AccountID) {
	t.Helper()
	for _, s := range b.directory.Accounts() {
		if slices.Contains(kept, s.ID) {
			continue
		}
		if w := b.ask(t, "DELETE", "/accounts/"+string(s.ID), asAdmin, ""); w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", s.ID, w.Code, w.Body)
		}
	}
}

// askOnce sends a request with an Idempotency-Key and returns the status of the answer.
func (b *bed) askOnce(method, path, authorization, body string, n int) int {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", strconv.Itoa(n%50))
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w.Code
}
