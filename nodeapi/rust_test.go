package nodeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	asAdmin  = "Bearer " + testAdmin
	aliceKey = "alice's own token, long enough to pass"
	bobKey   = "bob's own token, which is long enough too"
)

// seedAccount is the comprehensive list of seed 001.
const seedAccount = `{
"username": "other_node",
"ilp_address": "example.other-node",
"asset_code": "ABC",
"asset_scale": 9,
"max_packet_amount": 100000000000,
"min_balance": 0,
"ilp_over_http_url": "https://peer-ilp-over-http-endpoint.example/ilp",
"ilp_over_http_incoming_token": "http bearer token they will use to authenticate with us",
"ilp_over_http_outgoing_token": "http bearer token we will use to authenticate with them",
"ilp_over_btp_url": "btp+wss://peer-btp-endpoint/ilp/btp",
"ilp_over_btp_outgoing_token": "btp auth token we will use to authenticate with them",
"ilp_over_btp_incoming_token": "btp auth token they will use to authenticate with us",
"settlement_engine_url": "http://settlement-engine-for-this-account:3000",
"settle_threshold": 1000000000,
"settle_to": 0,
"routing_relation": "Peer",
"round_trip_time": 500,
"amount_per_minute_limit": 1000000000,
"packets_per_minute_limit": 10
}`

func account(name, token string) string {
	return fmt.Sprintf(`{"username":%q,"asset_code":"xyz","asset_scale":6,"ilp_over_http_incoming_token":%q}`, name, token)
}

// rustBed has the accounts alice and bob.
func rustBed(t testing.TB, edit func(*Config)) *bed {
	t.Helper()
	b := newBed(t, edit)
	for name, token := range map[string]string{"alice": aliceKey, "bob": bobKey} {
		if w := b.ask(t, "POST", "/accounts", asAdmin, account(name, token)); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	return b
}

func TestSeedAccount(t *testing.T) {
	b := newBed(t, nil)
	want := map[string]any{
		"username": "other_node", "ilp_address": "example.other-node", "asset_code": "ABC", "asset_scale": json.Number("9"),
		"max_packet_amount": json.Number("100000000000"), "min_balance": json.Number("0"),
		"ilp_over_http_url":            "https://peer-ilp-over-http-endpoint.example/ilp",
		"ilp_over_http_incoming_token": "SECRET", "ilp_over_http_outgoing_token": "SECRET",
		"ilp_over_btp_url":            "btp+wss://peer-btp-endpoint/ilp/btp",
		"ilp_over_btp_outgoing_token": "SECRET", "ilp_over_btp_incoming_token": "SECRET",
		"settlement_engine_url": "http://settlement-engine-for-this-account:3000",
		"settle_threshold":      json.Number("1000000000"), "settle_to": json.Number("0"), "routing_relation": "Peer",
		"round_trip_time": json.Number("500"), "amount_per_minute_limit": json.Number("1000000000"), "packets_per_minute_limit": json.Number("10"),
	}
	w := b.ask(t, "POST", "/accounts", asAdmin, seedAccount)
	got := members(t, w)
	if id, _ := got["id"].(string); w.Code != http.StatusOK || len(id) != 36 {
		t.Errorf("%d, id %v", w.Code, got["id"])
	}
	want["id"] = got["id"]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s, err := b.directory.Account("other_node")
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]Sealed{
		"http bearer token they will use to authenticate with us": s.HTTP.Incoming[0].Secret, "http bearer token we will use to authenticate with them": s.HTTP.Outgoing.Secret,
		"btp auth token we will use to authenticate with them": s.BTP.Outgoing, "btp auth token they will use to authenticate with us": s.BTP.Incoming,
	}
	for secret, sealed := range secrets {
		if got, err := b.directory.Keeper().Open(sealed); got != secret || err != nil {
			t.Errorf("kept %q, %v; want %q", got, err, secret)
		}
	}
	for _, path := range []string{"/accounts/other_node", "/accounts", "/accounts/"} {
		w := b.ask(t, "GET", path, asAdmin, "")
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "authenticate") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestDefaultsAndStringNumbers(t *testing.T) {
	b := newBed(t, nil)
	w := b.ask(t, "POST", "/accounts/", asAdmin, `{"username":"ａlice","asset_code":"xyz","asset_scale":"6","min_balance":"-9223372036854775808",
		"max_packet_amount":"18446744073709551615","unknown":{},"ilp_over_http_url":null}`)
	got := members(t, w)
	want := map[string]any{
		"id": got["id"], "username": "alice", "ilp_address": "test.node.alice", "asset_code": "XYZ", "asset_scale": json.Number("6"),
		"max_packet_amount": json.Number("18446744073709551615"), "min_balance": json.Number("-9223372036854775808"),
		"ilp_over_http_url": nil, "ilp_over_http_incoming_token": "SECRET", "ilp_over_http_outgoing_token": "SECRET",
		"ilp_over_btp_url": nil, "ilp_over_btp_outgoing_token": "SECRET", "ilp_over_btp_incoming_token": "SECRET",
		"settlement_engine_url": nil, "settle_threshold": nil, "settle_to": nil, "routing_relation": "NonRoutingAccount",
		"round_trip_time": json.Number("500"), "amount_per_minute_limit": nil, "packets_per_minute_limit": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%d (-want +got):\n%s", w.Code, diff)
	}
	w = b.ask(t, "POST", "/accounts", asAdmin, `{"username":"peer","asset_code":"xyz","asset_scale":6,"routing_relation":"pEER"}`)
	if got := members(t, w); got["ilp_address"] != "test.node.peer" || got["routing_relation"] != "Peer" || got["max_packet_amount"] != json.Number("18446744073709551615") {
		t.Errorf("%d %v", w.Code, got)
	}
}

func TestBalanceOfBothDialects(t *testing.T) {
	b := rustBed(t, nil)
	if _, err := b.books.Credit(t.Context(), "alice", 9007199254740993, nil); err != nil {
		t.Fatal(err)
	}
	for authorization, want := range map[string]string{
		"Bearer alice:" + aliceKey: `{"balance":9007199254740993}`,
		"Bearer " + aliceKey:       `{"asset_code":"XYZ","balance":9007199254.740993}`,
		asAdmin:                    `{"balance":9007199254740993}`,
	} {
		if w := b.ask(t, "GET", "/accounts/alice/balance", authorization, ""); strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%q: %d %s, want %s", authorization, w.Code, w.Body, want)
		}
	}
	newer := rustBed(t, func(c *Config) { c.Dialect = Rust10 })
	if w := newer.ask(t, "GET", "/accounts/alice/balance", asAdmin, ""); strings.TrimSpace(w.Body.String()) != `{"asset_code":"XYZ","balance":0}` {
		t.Errorf("%s", w.Body)
	}
}

func TestWholeUnits(t *testing.T) {
	for _, test := range []struct {
		n     int64
		scale uint8
		want  string
	}{{0, 9, "0"}, {1, 6, "0.000001"}, {-1, 6, "-0.000001"}, {-1 << 63, 0, "-9223372036854775808"}, {-1 << 63, 18, "-9.223372036854775808"}, {1000, 3, "1"}, {1500, 3, "1.5"}} {
		if got := wholeUnits(test.n, test.scale).String(); got != test.want {
			t.Errorf("%d of scale %d: %s, want %s", test.n, test.scale, got, test.want)
		}
	}
}

func TestDuplicateAccount(t *testing.T) {
	b := rustBed(t, func(c *Config) { c.Static = []Settings{{ID: "file", Relation: "peer", Origin: "Caddyfile:3"}} })
	for _, name := range []string{"alice", "file"} {
		w := b.ask(t, "POST", "/accounts", asAdmin, account(name, bobKey))
		if m := members(t, w); w.Code != http.StatusConflict || m["type"] != rustTypes+"accounts/account-already-exists" {
			t.Errorf("%s: %d %v", name, w.Code, m)
		}
	}
	if w := b.ask(t, "GET", "/accounts/alice", "Bearer "+aliceKey, ""); w.Code != http.StatusOK {
		t.Errorf("alice's token: %d", w.Code)
	}
	w := b.ask(t, "PUT", "/accounts/file", asAdmin, account("file", bobKey))
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Caddyfile:3") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPutReplacesAndSettingsChange(t *testing.T) {
	b := newBed(t, nil)
	b.ask(t, "POST", "/accounts", asAdmin, seedAccount)
	id := members(t, b.ask(t, "GET", "/accounts/other_node", asAdmin, ""))["id"]
	w := b.ask(t, "PUT", "/accounts/other_node/settings", asAdmin, `{"settle_threshold":"5","ilp_over_btp_url":"","ilp_over_http_url":null,"min_balance":-99}`)
	m := members(t, w)
	for name, want := range map[string]any{
		"id": id, "settle_threshold": json.Number("5"), "settle_to": json.Number("0"), "ilp_over_btp_url": nil, "min_balance": json.Number("0"),
		"ilp_over_http_url": "https://peer-ilp-over-http-endpoint.example/ilp", "routing_relation": "Peer",
	} {
		if m[name] != want {
			t.Errorf("%s is %v, want %v", name, m[name], want)
		}
	}
	tokens := func() (incoming, outgoing bool) {
		s, err := b.directory.Account("other_node")
		if err != nil {
			t.Fatal(err)
		}
		return s.HTTP.Incoming != nil, s.HTTP.Outgoing != nil
	}
	w = b.ask(t, "PUT", "/accounts/other_node", asAdmin, `{"username":"other_node","asset_code":"ABC","asset_scale":9,"routing_relation":"Peer","ilp_over_http_incoming_token":"SECRET"}`)
	m = members(t, w)
	for name, want := range map[string]any{
		"id": id, "settle_threshold": nil, "settle_to": nil, "ilp_over_http_url": nil, "min_balance": nil, "ilp_address": "test.node.other_node",
		"max_packet_amount": json.Number("18446744073709551615"), "amount_per_minute_limit": nil, "settlement_engine_url": nil,
	} {
		if m[name] != want {
			t.Errorf("after PUT %s is %v, want %v", name, m[name], want)
		}
	}
	if incoming, outgoing := tokens(); !incoming || outgoing {
		t.Errorf("tokens after PUT: %v %v, want the first alone", incoming, outgoing)
	}
	for body, want := range map[string]int{
		`{"settle_to":-1}`: 400, `{"settle_to":"9223372036854775808"}`: 400, `{"settle_threshold":null}`: 400,
		`{"ilp_over_http_incoming_token":"short"}`: 400, `{"ilp_over_http_incoming_token":""}`: 200, `{}`: 200,
	} {
		if w := b.ask(t, "PUT", "/accounts/other_node/settings", asAdmin, body); w.Code != want {
			t.Errorf("%s: %d, want %d", body, w.Code, want)
		}
	}
	if incoming, _ := tokens(); incoming {
		t.Error("a token that was taken away is still there")
	}
	w = b.ask(t, "PUT", "/accounts/other_node", asAdmin, account("renamed", aliceKey))
	if m := members(t, w); w.Code != http.StatusBadRequest || m["invalid-params"] == nil {
		t.Errorf("renamed: %d %v", w.Code, m)
	}
}

func TestDeleteRefusesABalance(t *testing.T) {
	b := rustBed(t, nil)
	if _, err := b.books.Credit(t.Context(), "alice", 1, nil); err != nil {
		t.Fatal(err)
	}
	b.ask(t, "PUT", "/routes/static/test.alices", asAdmin, "alice")
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusConflict {
		t.Errorf("with a balance: %d %s", w.Code, w.Body)
	}
	if w := b.ask(t, "GET", "/accounts/alice/balance", "Bearer "+aliceKey, ""); w.Code != http.StatusOK {
		t.Errorf("alice afterwards: %d", w.Code)
	}
	b.ask(t, "PUT", "/routes/static/test.bobs", asAdmin, "bob")
	w := b.ask(t, "DELETE", "/accounts/bob", asAdmin, "")
	if m := members(t, w); w.Code != http.StatusOK || m["username"] != "bob" || m["ilp_address"] != "test.node.bob" {
		t.Errorf("%d %v", w.Code, m)
	}
	want := map[string]any{"test.alices": "alice", "test.node.alice": "alice"}
	if diff := cmp.Diff(want, members(t, b.ask(t, "GET", "/routes", "", ""))); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

func TestParentBecomesTheDefaultRoute(t *testing.T) {
	b := newBed(t, nil)
	parent := func(name string) string {
		return fmt.Sprintf(`{"username":%q,"asset_code":"USD","asset_scale":9,"routing_relation":"Parent"}`, name)
	}
	if w := b.ask(t, "POST", "/accounts", asAdmin, parent("up")); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if m := members(t, b.ask(t, "GET", "/routes", "", "")); m[""] != "up" {
		t.Errorf("routes %v", m)
	}
	if w := b.ask(t, "POST", "/accounts", asAdmin, parent("other")); w.Code != http.StatusBadRequest {
		t.Errorf("a second parent: %d %s", w.Code, w.Body)
	}
	if _, err := b.directory.Account("other"); err == nil {
		t.Error("the refused parent was kept")
	}
}

// TestAnAccountThatBecomesTheParent: a peer that is made the parent is a new parent, and one that was it before and is changed in something else is none.
func TestAnAccountThatBecomesTheParent(t *testing.T) {
	b := rustBed(t, nil)
	ask := func(method, path, body string) string {
		t.Helper()
		w := b.ask(t, method, path, asAdmin, body)
		if w.Code != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return strings.TrimSpace(w.Body.String())
	}
	const up, parent = `{"username":"up","asset_code":"USD","asset_scale":9,"ilp_address":"test.up"`, `,"routing_relation":"Parent"`
	ask("POST", "/accounts", up+`,"routing_relation":"Peer"}`)
	ask("PUT", "/accounts/up", up+parent+`}`)
	if routes := ask("GET", "/routes", ""); !strings.Contains(routes, `"":"up"`) {
		t.Errorf("a new parent: %s", routes)
	}
	ask("PUT", "/routes/static", `{}`)
	ask("PUT", "/accounts/up", up+parent+`,"min_balance":0}`)
	if routes := ask("GET", "/routes", ""); strings.Contains(routes, `"":"up"`) {
		t.Errorf("a parent whose route was taken away: %s", routes)
	}
}
