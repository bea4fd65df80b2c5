package nodeapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
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
	w := b.ask(t, "POST", "/accounts/", asAdmin, `{"username":"ａlice","asset_code":"xyz","asset_scale":"6","min_balance":"-9223372036854775807",
		"max_packet_amount":"18446744073709551615","unknown":{},"ilp_over_http_url":null}`)
	got := members(t, w)
	want := map[string]any{
		"id": got["id"], "username": "alice", "ilp_address": "test.node.alice", "asset_code": "XYZ", "asset_scale": json.Number("6"),
		"max_packet_amount": json.Number("18446744073709551615"), "min_balance": json.Number("-9223372036854775807"),
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

func TestWhoMayAsk(t *testing.T) {
	b := rustBed(t, func(c *Config) { c.Sender, c.SPSP = honest(), "alice" })
	settings, whole := `{"settle_to":"7"}`, account("alice", aliceKey)
	anybody, admins, holders := [...]int{200, 200, 200, 200, 200, 200}, [...]int{401, 401, 401, 401, 401, 200}, [...]int{401, 401, 401, 200, 200, 200}
	tests := []struct {
		method, path, body string
		want               [6]int // nobody, wrong, bob, alice as 1.0, alice as 0.6, admin
	}{
		{"GET", "/", "", anybody},
		{"POST", "/accounts", `{}`, [...]int{401, 401, 401, 401, 401, 400}},
		{"GET", "/accounts", "", [...]int{401, 401, 401, 401, 401, 200}},
		{"GET", "/accounts/alice", "", holders},
		{"GET", "/accounts/nobody", "", [...]int{401, 401, 401, 401, 401, 404}},
		{"PUT", "/accounts/alice", whole, admins},
		{"PUT", "/accounts/nobody", whole, [...]int{401, 401, 401, 401, 401, 404}},
		{"PUT", "/accounts/alice/settings", settings, holders},
		{"PUT", "/accounts/nobody/settings", settings, [...]int{401, 401, 401, 401, 401, 404}},
		{"GET", "/accounts/alice/balance", "", holders},
		{"GET", "/accounts/nobody/balance", "", [...]int{401, 401, 401, 401, 401, 404}},
		{"DELETE", "/accounts/nobody", "", [...]int{401, 401, 401, 401, 401, 404}},
		{"GET", "/accounts/alice/payments/incoming", "", [...]int{401, 401, 401, 426, 426, 426}},
		{"GET", "/payments/incoming", "", [...]int{401, 401, 401, 401, 401, 426}},
		{"POST", "/accounts/alice/payments", fromSeed, [...]int{401, 401, 401, 200, 200, 401}},
		{"GET", "/accounts/alice/spsp", "", anybody},
		{"GET", "/.well-known/pay", "", anybody},
		{"GET", "/rates", "", anybody},
		{"PUT", "/rates", `{"ABC":1.0,"XYZ":"2.517"}`, admins},
		{"GET", "/routes", "", anybody},
		{"PUT", "/routes/static", `{"test.other":"alice"}`, admins},
		{"PUT", "/routes/static/test.more", "bob", admins},
		{"PUT", "/settlement/engines", `{"ABC":"http://localhost:3001"}`, admins},
		{"DELETE", "/accounts/alice", "", admins}, // the last, of course
	}
	who := [...]string{"", "Bearer wrong", "Bearer " + bobKey, "Bearer " + aliceKey, "Bearer alice:" + aliceKey, asAdmin}
	for _, test := range tests {
		var refusals []string
		for i, authorization := range who {
			w := b.ask(t, test.method, test.path, authorization, test.body)
			if w.Code != test.want[i] {
				t.Errorf("%s %s as %q: %d, want %d: %s", test.method, test.path, authorization, w.Code, test.want[i], w.Body)
			}
			if w.Code >= 400 && w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s as %q: a %d of type %q", test.method, test.path, authorization, w.Code, w.Header().Get("Content-Type"))
			}
			if w.Code == 401 {
				refusals = append(refusals, w.Body.String())
			}
		}
		if refusals = slices.Compact(refusals); len(refusals) > 1 {
			t.Errorf("%s %s is refused in different words: %q", test.method, test.path, refusals)
		}
	}
}

func TestNoBearerNoAccess(t *testing.T) {
	b := rustBed(t, nil)
	for _, authorization := range []string{"XXXXXX " + aliceKey, aliceKey, "Basic " + aliceKey, "Bearer bob:" + aliceKey, "Bearer alice:", "Bearer alice", "Bearer "} {
		if w := b.ask(t, "GET", "/accounts/alice", authorization, ""); w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", authorization, w.Code)
		}
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

func TestWrongBodies(t *testing.T) {
	type bad struct {
		body, kind string
		params     []string
	}
	minimal := func(more string) string {
		return `{"username":"carol","asset_code":"ABC","asset_scale":9,` + more + `}`
	}
	tests := []bad{
		{``, "about:blank", nil},
		{`{`, "json-eof", nil},
		{`{"username"`, "json-eof", nil},
		{`{]`, "json-syntax", nil},
		{`[]`, "json-data", nil},
		{`null`, "json-data", nil},
		{`{}`, "json-data", []string{"username", "asset_code", "asset_scale"}},
		{`{"username":7,"asset_code":"ABC","asset_scale":9}`, "json-data", []string{"username"}},
		{`{"username":"carol","asset_code":"ABC","asset_scale":256}`, "json-data", []string{"asset_scale"}},
		{`{"username":"carol","asset_code":"ABC","asset_scale":9.0}`, "json-data", []string{"asset_scale"}},
		{`{"username":"a/b","asset_code":"ABC","asset_scale":9}`, "about:blank", []string{"username"}},
		{`{"username":"","asset_code":"ABC","asset_scale":9}`, "about:blank", []string{"username"}},
		{`{"username":"carol","asset_code":"","asset_scale":9}`, "about:blank", []string{"asset_code"}},
		{minimal(`"max_packet_amount":18446744073709551616`), "json-data", []string{"max_packet_amount"}},
		{minimal(`"max_packet_amount":null`), "json-data", []string{"max_packet_amount"}},
		{minimal(`"max_packet_amount":0`), "json-data", []string{"max_packet_amount"}},
		{minimal(`"max_packet_amount":1e3`), "json-data", []string{"max_packet_amount"}},
		{minimal(`"max_packet_amount":-1`), "json-data", []string{"max_packet_amount"}},
		{minimal(`"min_balance":"1.5"`), "json-data", []string{"min_balance"}},
		{minimal(`"min_balance":true,"settle_to":[],"settle_threshold":{}`), "json-data", []string{"min_balance", "settle_threshold", "settle_to"}},
		{minimal(`"packets_per_minute_limit":4294967296`), "json-data", []string{"packets_per_minute_limit"}},
		{minimal(`"settle_to":5,"settle_threshold":4`), "about:blank", []string{"settle_to"}},
		{minimal(`"routing_relation":"Friend"`), "about:blank", []string{"routing_relation"}},
		{minimal(`"ilp_address":"nowhere"`), "about:blank", []string{"ilp_address"}},
		{minimal(`"ilp_over_http_url":"ftp://x"`), "about:blank", []string{"ilp_over_http_url"}},
		{minimal(`"ilp_over_http_url":"http://elsewhere.example/"`), "about:blank", []string{"ilp_over_http_url"}},
		{minimal(`"ilp_over_btp_url":"btp+wss://user:pass@x/"`), "about:blank", []string{"ilp_over_btp_url"}},
		{minimal(`"ilp_over_http_incoming_token":"shh"`), "about:blank", []string{"ilp_over_http_incoming_token"}},
		{minimal(`"ilp_over_btp_incoming_token":"shh"`), "about:blank", []string{"ilp_over_btp_incoming_token"}},
		{minimal(`"ilp_over_http_outgoing_token":"enc:what"`), "about:blank", []string{"ilp_over_http_outgoing_token"}},
		{minimal(`"ilp_over_http_outgoing_token":"SECRET"`), "json-data", []string{"ilp_over_http_outgoing_token"}},
		{minimal(`"settlement_engine_url":"nonsense"`), "about:blank", []string{"settlement_engine_url"}},
	}
	b := rustBed(t, nil)
	before := b.ask(t, "GET", "/accounts", asAdmin, "").Body.String()
	for _, test := range tests {
		w := b.ask(t, "POST", "/accounts", asAdmin, test.body)
		m := members(t, w)
		kind := strings.TrimPrefix(m["type"].(string), rustTypes)
		var params []string
		list, _ := m["invalid-params"].([]any)
		for _, p := range list {
			params = append(params, p.(map[string]any)["name"].(string))
		}
		if w.Code != http.StatusBadRequest || kind != test.kind || !slices.Equal(params, test.params) {
			t.Errorf("%s: %d %s %q, want %s %q", test.body, w.Code, kind, params, test.kind, test.params)
		}
		if detail, _ := m["detail"].(string); detail == "" {
			t.Errorf("%s: nothing says what to do", test.body)
		}
	}
	if after := b.ask(t, "GET", "/accounts", asAdmin, "").Body.String(); after != before {
		t.Error("a refused body changed something")
	}
}

func TestContentType(t *testing.T) {
	b := newBed(t, nil)
	for contentType, want := range map[string]int{
		"": 400, "text/plain": 400, "application/json": 200, "application/json; charset=utf-8": 200, "application/json; charset=latin1": 400,
		"application/x-www-form-urlencoded": 200,
	} {
		r := httptest.NewRequest("PUT", "/rates", strings.NewReader(`{"ABC":1}`))
		r.Header.Set("Authorization", asAdmin)
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		if b.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%q: %d, want %d", contentType, w.Code, want)
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

func TestRates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	b := newBed(t, func(c *Config) { c.Directory = openDirectory(t, s) })
	w := b.ask(t, "PUT", "/rates", asAdmin, `{"ABC":1.0,"XYZ":"2.517","SAT":1e-20}`)
	want := `{"ABC":1.0,"SAT":0.00000000000000000001,"XYZ":2.517}`
	if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusOK || got != want {
		t.Errorf("%d %s, want %s", w.Code, got, want)
	}
	for _, bad := range []string{`{"A":0}`, `{"A":-1}`, `{"A":"NaN"}`, `{"A":"Infinity"}`, `{"A":1e308}`, `{"A":null}`, `{"A":[]}`, `{"":1}`, `{"A":"0x1"}`} {
		if w := b.ask(t, "PUT", "/rates", asAdmin, bad); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	if got := strings.TrimSpace(b.ask(t, "GET", "/rates", "", "").Body.String()); got != want {
		t.Errorf("after refusals %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := newBed(t, func(c *Config) { c.Directory = openDirectory(t, openStore(t, dir)) })
	if got := strings.TrimSpace(again.ask(t, "GET", "/rates", "", "").Body.String()); got != want {
		t.Errorf("after a restart %s", got)
	}
	if w := again.ask(t, "PUT", "/rates", asAdmin, `{"EUR":3}`); strings.TrimSpace(w.Body.String()) != `{"EUR":3.0}` {
		t.Errorf("the whole table is replaced: %s", w.Body)
	}
}

func TestRoutes(t *testing.T) {
	b := rustBed(t, func(c *Config) { c.Routes = []connector.Route{} })
	w := b.ask(t, "PUT", "/routes/static", asAdmin, `{"example.some-prefix":"alice","":"bob"}`)
	if diff := cmp.Diff(map[string]any{"example.some-prefix": "alice", "": "bob"}, members(t, w)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w = b.ask(t, "PUT", "/routes/static/example.other.more", asAdmin, "alice\n")
	if w.Code != http.StatusOK || w.Body.String() != "alice" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	want := map[string]any{"": "bob", "example.some-prefix": "alice", "example.other.more": "alice", "test.node.alice": "alice", "test.node.bob": "bob"}
	got := members(t, b.ask(t, "GET", "/routes", "", ""))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for body, status := range map[string]int{
		`{"example.x":"nobody"}`: 404, `{"example.x":"a b"}`: 400, `{"example.x":null}`: 400, `{"peer.x":"alice"}`: 400, `{"not a prefix":"alice"}`: 400, `[]`: 400,
	} {
		if w := b.ask(t, "PUT", "/routes/static", asAdmin, body); w.Code != status {
			t.Errorf("%s: %d, want %d", body, w.Code, status)
		}
	}
	for path, status := range map[string]int{"/routes/static/example.y": 404, "/routes/static/peer.y": 404} {
		if w := b.ask(t, "PUT", path, asAdmin, "nobody"); w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
	if !maps.Equal(want, members(t, b.ask(t, "GET", "/routes", "", ""))) {
		t.Error("a refused change changed something")
	}
}

func TestRoutesOfTheCaddyfileStay(t *testing.T) {
	b := rustBed(t, nil)
	b.staticRoutes = []connector.Route{{Prefix: "test.fixed", Account: "alice"}}
	if w := b.ask(t, "PUT", "/routes/static/test.fixed", asAdmin, "bob"); w.Code != http.StatusConflict {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestEngines(t *testing.T) {
	b := newBed(t, nil)
	w := b.ask(t, "PUT", "/settlement/engines", asAdmin, `{"ABC":"http://localhost:3001","XYZ":"http://localhost:3002"}`)
	if diff := cmp.Diff(map[string]any{"ABC": "http://localhost:3001", "XYZ": "http://localhost:3002"}, members(t, w)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.ask(t, "POST", "/accounts", asAdmin, account("alice", aliceKey))
	b.ask(t, "POST", "/accounts", asAdmin, seedAccount)
	for name, want := range map[string]string{"alice": "http://localhost:3002", "other_node": "http://settlement-engine-for-this-account:3000"} {
		if m := members(t, b.ask(t, "GET", "/accounts/"+name, asAdmin, "")); m["settlement_engine_url"] != want {
			t.Errorf("%s: %v, want %s", name, m["settlement_engine_url"], want)
		}
		s, _ := b.directory.Account(ilpcore.AccountID(name))
		if e := b.EngineOf(s); e.URL != want || e.AccountID != s.UUID {
			t.Errorf("%s: %+v", name, e)
		}
	}
	for _, bad := range []string{`{"ABC":"what"}`, `{"ABC":7}`, `{"ABC":null}`, `{"ABC":""}`} {
		if w := b.ask(t, "PUT", "/settlement/engines", asAdmin, bad); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}

func TestUnknownEndpoints(t *testing.T) {
	b := newBed(t, nil)
	for request, want := range map[string]int{"GET /nowhere": 404, "PATCH /accounts": 405, "DELETE /rates": 405, "GET /accounts/a/b/c": 404} {
		method, path, _ := strings.Cut(request, " ")
		w := b.ask(t, method, path, "", "")
		if m := members(t, w); w.Code != want || m["status"] != json.Number(fmt.Sprint(want)) || want == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s: %d %v %v", request, w.Code, m, w.Header())
		}
	}
}

func FuzzRustBodies(f *testing.F) {
	f.Add("POST", "/accounts", seedAccount)
	f.Add("PUT", "/accounts/alice", account("alice", aliceKey))
	f.Add("PUT", "/accounts/alice/settings", `{"settle_to":"7","ilp_over_http_incoming_token":"SECRET"}`)
	f.Add("PUT", "/rates", `{"ABC":1e-20}`)
	f.Add("PUT", "/routes/static", `{"":"alice"}`)
	f.Add("PUT", "/routes/static/test.x", `alice`)
	f.Add("PUT", "/settlement/engines", `{"ABC":"http://localhost"}`)
	b := rustBed(f, func(c *Config) { c.Sender = honest() }) // which the inputs change one after another
	f.Fuzz(func(t *testing.T, method, path, body string) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " %?#\x00\r\n\t\x7f") || !Serves(path) || !slices.Contains([]string{"GET", "POST", "PUT", "DELETE"}, method) {
			t.Skip()
		}
		before := b.state(t)
		r, err := http.NewRequest(method, "http://node.example", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		r.URL.Path = path
		r.Header.Set("Authorization", asAdmin)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %s %q: %d %s", method, path, body, w.Code, w.Body)
		}
		if after := b.state(t); w.Code >= 400 && after != before {
			t.Errorf("%s %s %q: a %d changed something:\n%s\n%s", method, path, body, w.Code, before, after)
		}
	})
}

// state is all that the API can change.
func (b *bed) state(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("%+v %v %v %v", b.directory.Accounts(), b.directory.Routes(), b.directory.Table(EnginesTable), b.rates.All())
}
