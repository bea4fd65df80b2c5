package nodeapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

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
		{"GET", "/accounts/alice/payments", "", holders},
		{"GET", "/accounts/alice/payments?limit=0", "", [...]int{401, 401, 401, 400, 400, 400}},
		{"GET", "/accounts/nobody/payments", "", [...]int{401, 401, 401, 401, 401, 404}},
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

// TestAWebPageCannotUseABrowsersLogin: without being asked a browser adds the user's Basic credentials to what a page sends elsewhere, of these media types.
func TestAWebPageCannotUseABrowsersLogin(t *testing.T) {
	b := rustBed(t, func(c *Config) { c.EngineToken = testEngine })
	asEngine := "Basic " + base64.StdEncoding.EncodeToString([]byte("settlement:"+testEngine))
	for _, media := range []string{"application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8", "multipart/form-data; boundary=x", "text/plain", ""} {
		before := b.state(t)
		for _, test := range []struct{ login, path, body string }{
			{basic, "/accounts", account("mallory", aliceKey)},
			{basic, "/accounts/alice/settlements", `{"amount":"7","scale":6}`},
			{asEngine, "/accounts/alice/settlements", `{"amount":"7","scale":6}`},
			{basic, "/accounts/alice/settlement/resolution", `{"key":"k","outcome":"settled","reason":"x"}`},
			{asEngine, "/accounts/alice/messages", "hello"},
			{basic, "/accounts/alice/messages", "hello"},
		} {
			w := b.askWith(t, "POST", test.path, test.login, test.body, map[string]string{"Content-Type": media, "Idempotency-Key": "k"})
			if w.Code != http.StatusUnsupportedMediaType {
				t.Errorf("%s as %q: %d %s", test.path, media, w.Code, w.Body)
			}
		}
		b.balanceIs(t, "alice", 0)
		if after := b.state(t); after != before {
			t.Errorf("%q changed something:\n%s\n%s", media, before, after)
		}
	}
	for login, media := range map[string]string{basic: "application/vnd.paydoor+json", asEngine: "application/json; charset=utf-8", "Bearer " + testEngine: "application/x-www-form-urlencoded"} {
		if w := b.askWith(t, "POST", "/accounts/alice/settlements", login, `{"amount":"7","scale":6}`, map[string]string{"Content-Type": media, "Idempotency-Key": "j"}); w.Code != http.StatusCreated {
			t.Errorf("%q: %d %s", media, w.Code, w.Body)
		}
	}
	b.balanceIs(t, "alice", 7)
	if w := b.askWith(t, "POST", "/accounts/alice/messages", asEngine, "hello", map[string]string{"Content-Type": octets}); w.Code != http.StatusBadGateway {
		t.Errorf("a message of an engine: %d %s", w.Code, w.Body)
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
	f.Add("POST", "/accounts/alice/settlement/resolution", `{"key":"k","outcome":"refunded","reason":"x"}`)
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
func (b *bed) state(t testing.TB) string {
	t.Helper()
	engines, _ := b.directory.Table(EnginesTable)
	return fmt.Sprintf("%+v %v %v %v", b.directory.Accounts(), b.directory.Routes(), engines, b.rates.All())
}
