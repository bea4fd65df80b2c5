package nodeapi

// This file provokes every documented problem of every endpoint. A problem of the document that no row is about fails the test, and so does a row whose
// problem is not in the document.

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/connector"
)

// problemRow is a request and the problem that answers it.
type problemRow struct {
	endpoint string // as in the document
	status   int
	kind     string // its type after the first part; "": about:blank
	path     string // "": that of the endpoint, with alice for {account}
	login    string
	body     string
	headers  map[string]string
	dialect  Dialect // of the node
	before   func(b *bed, t *testing.T)
}

// What a type begins with: of interledger-rs, and of the Java connector.
const ofRust, ofJava = "http-api/", ""

const (
	notFound, exists, invalid = "accounts/account-not-found", "accounts/account-already-exists", "accounts/invalid-account-settings"
	caddyfile                 = "static" // an account, and test.static a route, that the Caddyfile has
)

func asks(method, path, login, body string) func(*bed, *testing.T) {
	return func(b *bed, t *testing.T) {
		if w := b.ask(t, method, path, login, body); w.Code >= 400 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

// jsonRows are those of an endpoint that reads JSON as interledger-rs does.
func jsonRows(endpoint, path, login string, headers map[string]string) (rows []problemRow) {
	for kind, body := range map[string]string{ofRust + "json-eof": `{"username":1`, ofRust + "json-syntax": `{x}`, ofRust + "json-data": `[]`} {
		rows = append(rows, problemRow{endpoint: endpoint, status: 400, kind: kind, path: path, login: login, body: body, headers: headers})
	}
	plain := map[string]string{"Content-Type": "text/plain"}
	maps.Copy(plain, headers)
	return append(rows, problemRow{endpoint: endpoint, status: 400, path: path, login: login, body: `{}`, headers: plain})
}

func problemRows() []problemRow {
	javaBob := strings.Replace(newInJava, "new%d", "bob", 1)
	engine := func(name string) string {
		return strings.Replace(strings.Replace(newInJava, "new%d", name, 1), "}", `,"settlementEngineDetails":{"baseUrl":"https://engine.example","settlementEngineAccountId":"e"}}`, 1)
	}
	plain, key := map[string]string{"Content-Type": "text/plain"}, map[string]string{"Idempotency-Key": "k"}
	toAlice, toStatic := `{"nextHopAccountId":"alice"}`, `{"nextHopAccountId":"bob"}`
	rows := []problemRow{
		{endpoint: "POST /accounts", status: 400, kind: ofJava + invalid, login: basic, body: strings.Replace(javaBob, "CHILD", "x", 1)},
		{endpoint: "POST /accounts", status: 400, kind: ofJava + "accounts/invalid-account-id", login: basic, body: `{"accountId":"a b"}`},
		{endpoint: "POST /accounts", status: 400, login: basic, body: `{x}`},
		{endpoint: "POST /accounts", status: 409, kind: ofRust + exists, login: asAdmin, body: account("alice", aliceKey)},
		{endpoint: "POST /accounts", status: 409, kind: ofJava + exists, login: basic, body: javaBob},
		{endpoint: "POST /accounts", status: 409, kind: ofJava + "accounts/account-settlement-engine-already-exists", login: basic, body: engine("one"), before: asks("POST", "/accounts", basic, engine("other"))},
		{endpoint: "POST /accounts", status: 415, login: basic, body: newInJava, headers: plain},
		{endpoint: "PUT /accounts/{account}", status: 400, kind: ofJava + invalid, login: basic, body: `{}`},
		{endpoint: "PUT /accounts/{account}", status: 400, login: asAdmin, body: account("bob", bobKey)},
		{endpoint: "PUT /accounts/{account}", status: 404, kind: ofRust + notFound, path: "/accounts/none", login: asAdmin, body: account("none", aliceKey)},
		{endpoint: "PUT /accounts/{account}", status: 404, kind: ofJava + notFound, path: "/accounts/none", login: basic, body: newInJava},
		{endpoint: "PUT /accounts/{account}", status: 409, path: "/accounts/" + caddyfile, login: asAdmin, body: account(caddyfile, aliceKey)},
		{endpoint: "PUT /accounts/{account}", status: 409, kind: ofJava + "accounts/account-settlement-engine-already-exists", login: basic, body: engine("alice"), before: asks("POST", "/accounts", basic, engine("other"))},
		{endpoint: "PUT /accounts/{account}", status: 415, login: basic, body: newInJava, headers: plain},
		{endpoint: "DELETE /accounts/{account}", status: 409, login: asAdmin, before: func(b *bed, t *testing.T) { _, _ = b.books.Credit(t.Context(), "alice", 1, nil) }},
		{endpoint: "DELETE /accounts/{account}", status: 409, login: basic, path: "/accounts/" + caddyfile},
		{endpoint: "PUT /accounts/{account}/settings", status: 404, kind: ofRust + notFound, path: "/accounts/none/settings", login: asAdmin, body: `{}`},
		{endpoint: "PUT /accounts/{account}/settings", status: 409, path: "/accounts/" + caddyfile + "/settings", login: asAdmin, body: `{}`},

		{endpoint: "POST /accounts/{account}/payments", status: 400, login: asAlice, body: fromSeed, headers: map[string]string{"Idempotency-Key": strings.Repeat("x", maxIdempotency+1)}},
		{endpoint: "POST /accounts/{account}/payments", status: 409, login: asAlice, body: fromSeed, headers: key, before: func(b *bed, t *testing.T) {
			b.askToPay(t, asAlice, "k", `{"receiver":"$x.example","source_amount":1}`)
		}},
		{endpoint: "POST /accounts/{account}/payments", status: 500, login: asAlice, body: fromSeed, before: func(b *bed, _ *testing.T) { b.sender.(*teller).err = errNoAsset }},
		{endpoint: "GET /accounts/{account}/payments/incoming", status: 426, login: asAlice},
		{endpoint: "GET /payments/incoming", status: 426, login: asAdmin},
		{endpoint: "GET /accounts/{account}/spsp", status: 404, path: "/accounts/out/spsp", before: func(b *bed, t *testing.T) {
			asks("POST", "/accounts", asAdmin, `{"username":"out","asset_code":"USD","asset_scale":9,"routing_relation":"Parent"}`)(b, t)
		}},
		{endpoint: "GET /.well-known/pay", status: 404, before: func(b *bed, _ *testing.T) { b.spspAccount = "" }},
		{endpoint: "GET /routes", status: 401, dialect: Java},
		{endpoint: "PUT /routes/static", status: 404, kind: ofRust + notFound, login: asAdmin, body: `{"test.x":"none"}`},
		{endpoint: "PUT /routes/static", status: 409, login: asAdmin, body: `{"test.static":"alice"}`},
		{endpoint: "PUT /routes/static/{prefix}", status: 400, path: "/routes/static/no%20prefix", login: asAdmin, body: "alice"},
		{endpoint: "PUT /routes/static/{prefix}", status: 400, path: "/routes/static/test.x", login: asAdmin, body: "no name"},
		{endpoint: "PUT /routes/static/{prefix}", status: 400, path: "/routes/static/no%20prefix", login: basic, body: toAlice},
		{endpoint: "PUT /routes/static/{prefix}", status: 400, path: "/routes/static/test.x", login: basic, body: "{x}"},
		{endpoint: "PUT /routes/static/{prefix}", status: 400, kind: ofJava + "accounts/invalid-account-id", path: "/routes/static/test.x", login: basic, body: "{}"},
		{endpoint: "PUT /routes/static/{prefix}", status: 404, kind: ofRust + notFound, path: "/routes/static/test.x", login: asAdmin, body: "none"},
		{endpoint: "PUT /routes/static/{prefix}", status: 404, kind: ofJava + notFound, path: "/routes/static/test.x", login: basic, body: `{"nextHopAccountId":"none"}`},
		{endpoint: "PUT /routes/static/{prefix}", status: 409, path: "/routes/static/test.static", login: asAdmin, body: "alice"},
		{endpoint: "PUT /routes/static/{prefix}", status: 409, kind: ofJava + "routes/static/static-route-already-exists", path: "/routes/static/test.static", login: basic, body: toStatic},
		{endpoint: "PUT /routes/static/{prefix}", status: 415, path: "/routes/static/test.x", login: basic, body: toAlice, headers: plain},
		{endpoint: "PUT /routes/static/{prefix}", status: 422, kind: ofJava + "routes/static/static-route-unprocessable", path: "/routes/static/test.x", login: basic, body: `{"routePrefix":"test.y","nextHopAccountId":"bob"}`},
		{endpoint: "DELETE /routes/static/{prefix}", status: 404, kind: ofJava + "routes/static/static-route-not-found", path: "/routes/static/test.x", login: asAdmin},
		{endpoint: "DELETE /routes/static/{prefix}", status: 409, path: "/routes/static/test.static", login: asAdmin},

		{endpoint: "POST /accounts/{account}/settlements", status: 400, login: asAdmin, body: `{"amount":"1","scale":6}`},
		{endpoint: "POST /accounts/{account}/settlements", status: 400, login: asAdmin, body: `{"amount":"99999999999999999999","scale":6}`, headers: key},
		{endpoint: "POST /accounts/{account}/settlements", status: 409, login: asAdmin, body: `{"amount":"1","scale":6}`, headers: key, before: func(b *bed, t *testing.T) {
			b.askWith(t, "POST", "/accounts/alice/settlements", asAdmin, `{"amount":"2","scale":6}`, key)
		}},
		{endpoint: "POST /accounts/{account}/messages", status: 502, login: asAdmin, body: "hello"},
		{endpoint: "POST /accounts/{account}/messages", status: 413, login: asAdmin, body: strings.Repeat("x", 32768)},
		{endpoint: "POST /accounts/{account}/settlement/resolution", status: 404, kind: ofRust + notFound, path: "/accounts/none/settlement/resolution", login: asAdmin, body: `{"key":"k","outcome":"settled","reason":"x"}`},
		{endpoint: "POST /accounts/{account}/settlement/resolution", status: 409, login: asAdmin, body: `{"key":"k","outcome":"settled","reason":"x"}`},
		{endpoint: "POST /encryption/encrypt", status: 400, login: asAdmin, body: "enc:JKS:x"},
		{endpoint: "PUT /encryption/keys/{keystore}", status: 400, path: "/encryption/keys/jks", login: asAdmin, body: "abc"},
	}
	for _, endpoint := range []string{"POST /accounts", "PUT /accounts/{account}", "PUT /accounts/{account}/settings", "PUT /rates", "PUT /routes/static", "PUT /settlement/engines", "POST /accounts/{account}/settlement/resolution"} {
		rows = append(rows, jsonRows(endpoint, "", asAdmin, nil)...)
	}
	for _, endpoint := range []string{"PUT /accounts/{account}/settings", "PUT /rates", "PUT /routes/static", "PUT /settlement/engines", "POST /accounts/{account}/settlement/resolution", "POST /accounts/{account}/messages"} {
		rows = append(rows, problemRow{endpoint: endpoint, status: 415, login: basic, body: "{}", headers: plain})
	}
	rows = append(rows, problemRow{endpoint: "POST /accounts/{account}/settlements", status: 415, login: basic, body: "{}", headers: map[string]string{"Content-Type": "text/plain", "Idempotency-Key": "k"}})
	rows = append(rows, jsonRows("POST /accounts/{account}/payments", "", asAlice, nil)...)
	rows = append(rows, jsonRows("POST /accounts/{account}/settlements", "", asAdmin, key)...)
	for endpoint, ending := range map[string]string{
		"GET /accounts/{account}": "", "DELETE /accounts/{account}": "", "GET /accounts/{account}/balance": "/balance", "GET /accounts/{account}/payments": "/payments",
	} {
		rows = append(rows, problemRow{endpoint: endpoint, status: 404, kind: ofRust + notFound, path: "/accounts/none" + ending, login: asAdmin},
			problemRow{endpoint: endpoint, status: 404, kind: ofJava + notFound, path: "/accounts/none" + ending, login: basic})
	}
	for endpoint, path := range map[string]string{
		"GET /accounts/{account}/payments/incoming": "/accounts/none/payments/incoming", "GET /accounts/{account}/spsp": "/accounts/none/spsp",
		"GET /accounts/{account}/settlement": "/accounts/none/settlement", "POST /accounts/{account}/settlements": "/accounts/none/settlements",
		"POST /accounts/{account}/messages": "/accounts/none/messages",
	} {
		rows = append(rows, problemRow{endpoint: endpoint, status: 404, kind: ofRust + notFound, path: path, login: asAdmin, body: "{}"})
	}
	for endpoint, path := range map[string]string{"GET /accounts/{account}/spsp": "/accounts/alice/spsp", "GET /.well-known/pay": "/.well-known/pay"} {
		rows = append(rows, problemRow{endpoint: endpoint, status: 400, path: path, headers: map[string]string{"Receipt-Nonce": "x"}},
			problemRow{endpoint: endpoint, status: 429, path: path, before: func(b *bed, t *testing.T) {
				for range 100 {
					b.ask(t, "GET", path, "", "")
				}
			}})
	}
	for _, query := range []string{"limit=0", "limit=501", "limit=x", "direction=x", "cursor=x", "%zz"} {
		for _, login := range []string{asAdmin, basic} {
			rows = append(rows, problemRow{endpoint: "GET /accounts/{account}/payments", status: 400, path: "/accounts/alice/payments?" + query, login: login})
		}
	}
	return rows
}

// documentedProblems are "METHOD /path status type" of the document, and which endpoints ask who asks and have a body.
func documentedProblems(t *testing.T) (problems, guarded, bodied []string) {
	t.Helper()
	var d struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	for path, item := range d.Paths {
		for method, raw := range item {
			var o struct {
				Security    []any
				RequestBody any
				Responses   map[string]struct {
					Content map[string]struct {
						Schema struct {
							AllOf []struct {
								Properties struct{ Type struct{ Enum []string } }
							}
						}
					}
				}
			}
			if method == "parameters" {
				continue
			}
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatal(err)
			}
			endpoint := strings.ToUpper(method) + " " + path
			if len(o.Security) > 0 {
				guarded = append(guarded, endpoint)
			}
			if o.RequestBody != nil {
				bodied = append(bodied, endpoint)
			}
			for status, response := range o.Responses {
				for _, part := range response.Content["application/problem+json"].Schema.AllOf {
					for _, kind := range part.Properties.Type.Enum {
						problems = append(problems, endpoint+" "+status+" "+kind)
					}
				}
			}
		}
	}
	return problems, guarded, bodied
}

func TestEveryDocumentedProblem(t *testing.T) {
	documented, guarded, bodied := documentedProblems(t)
	rows := problemRows()
	for _, endpoint := range guarded {
		rows = append(rows, problemRow{endpoint: endpoint, status: 401})
	}
	for _, endpoint := range bodied {
		login := asAdmin
		if strings.HasSuffix(endpoint, "/payments") {
			login = asAlice
		}
		rows = append(rows, problemRow{endpoint: endpoint, status: 413, login: login, body: strings.Repeat("x", maxBody+1)})
	}
	seen, beds := make(map[string]bool), make(map[Dialect]*bed) // of rows that need nothing before
	for _, row := range rows {
		kind := "about:blank"
		if row.kind != "" {
			kind = problemTypes + "/" + row.kind
		}
		name := fmt.Sprintf("%s %d %s", row.endpoint, row.status, kind)
		seen[name] = true
		b := beds[row.dialect]
		if b == nil || row.before != nil {
			b = row.bed(t)
		}
		if row.before == nil {
			beds[row.dialect] = b
		}
		t.Run(name, func(t *testing.T) { row.ask(t, b, kind) })
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(documented)), slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Errorf("problems that are documented, and those of the rows (-documented +rows):\n%s", diff)
	}
}

// bed is a node to ask.
func (row problemRow) bed(t *testing.T) *bed {
	return rustBed(t, func(c *Config) {
		c.Sender, c.SPSP, c.Dialect = honest(), "alice", row.dialect
		c.Static = []Settings{{ID: caddyfile, Relation: "child", Origin: "Caddyfile:7", Asset: Asset{"USD", 9}}}
		c.Routes = []connector.Route{{Prefix: "test.static", Account: "bob"}}
	})
}

// ask wants the problem, in words, and nothing changed.
func (row problemRow) ask(t *testing.T, b *bed, kind string) {
	if row.before != nil {
		row.before(b, t)
	}
	method, path, _ := strings.Cut(row.endpoint, " ")
	if row.path != "" {
		path = row.path
	}
	path = strings.NewReplacer("{account}", "alice", "{prefix}", "test.x", "{keystore}", "jks").Replace(path)
	before := b.state(t)
	w := b.askWith(t, method, path, row.login, row.body, row.headers)
	m := refusal(t, w, row.status)
	title, _ := m["title"].(string)
	detail, _ := m["detail"].(string)
	if m["type"] != kind || title == "" || detail == "" {
		t.Errorf("%v", m)
	}
	if after := b.state(t); after != before && row.status != 500 {
		t.Errorf("it has changed something:\n%s\n%s", before, after)
	}
}
