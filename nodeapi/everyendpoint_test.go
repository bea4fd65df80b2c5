package nodeapi

// This file asks every endpoint as everybody, in all dialects: who may not ask gets the same 401 and changes nothing, and who may gets what is
// documented. An endpoint that is not in the table fails the test.

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// question is one endpoint. In path and bodies, %d is another number each time.
type question struct {
	pattern string // as it is registered
	path    string // "": the pattern's, with alice for {account}
	who     access // as documented
	body    string // of the dialects of interledger-rs
	ok      int    // the status for it

	java   string // the body in Java's dialect; "": the same
	javaOK int    // 0: the same

	before func(b *bed, t *testing.T, n int) // makes what the endpoint needs
}

func madeBefore(body string) func(*bed, *testing.T, int) {
	return func(b *bed, t *testing.T, n int) {
		if w := b.ask(t, "POST", "/accounts", asAdmin, fmt.Sprintf(body, n)); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

func routedBefore(b *bed, t *testing.T, n int) {
	body := fmt.Sprintf(`{"routePrefix":"test.gone%d","nextHopAccountId":"bob"}`, n)
	if w := b.ask(t, "PUT", fmt.Sprintf("/routes/static/test.gone%d", n), asAdmin, body); w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

var (
	newInRust = `{"username":"new%d","asset_code":"USD","asset_scale":9}`
	newInJava = `{"accountId":"new%d","accountRelationship":"CHILD","linkType":"LOOPBACK","assetCode":"USD","assetScale":9}`

	questions = []question{
		{pattern: "GET /{$}", path: "/", who: open, ok: 200},
		{pattern: "GET /status", who: admin, ok: 200},
		{pattern: "GET /openapi.json", who: open, ok: 200},

		{pattern: "POST /accounts", who: admin, body: newInRust, ok: 200, java: newInJava, javaOK: 201},
		{pattern: "POST /accounts/{$}", path: "/accounts/", who: admin, body: newInRust, ok: 200},
		{pattern: "GET /accounts", who: admin, ok: 200},
		{pattern: "GET /accounts/{$}", path: "/accounts/", who: admin, ok: 200},
		{pattern: "GET /accounts/{account}", who: holder, ok: 200},
		{
			pattern: "PUT /accounts/{account}", path: "/accounts/old%d", who: admin, ok: 200, body: `{"username":"old%d","asset_code":"USD","asset_scale":3}`,
			java:   `{"accountRelationship":"CHILD","linkType":"LOOPBACK","assetCode":"USD","assetScale":3}`,
			before: madeBefore(`{"username":"old%d","asset_code":"USD","asset_scale":9}`),
		},
		{pattern: "PUT /accounts/{account}/settings", who: holder, body: `{"settle_to":"7"}`, ok: 200},
		{pattern: "GET /accounts/{account}/balance", who: holder, ok: 200},
		{
			pattern: "DELETE /accounts/{account}", path: "/accounts/out%d", who: admin, ok: 200, javaOK: 204,
			before: madeBefore(`{"username":"out%d","asset_code":"USD","asset_scale":9}`),
		},

		{pattern: "POST /accounts/{account}/payments", who: owner, body: fromSeed, ok: 200},
		{pattern: "GET /accounts/{account}/payments", who: holder, ok: 200},
		{pattern: "GET /accounts/{account}/payments/incoming", who: holder, ok: 426},
		{pattern: "GET /payments/incoming", who: admin, ok: 426},
		{pattern: "GET /accounts/{account}/spsp", who: open, ok: 200},
		{pattern: "OPTIONS /accounts/{account}/spsp", who: open, ok: 204},
		{pattern: "GET /.well-known/pay", who: open, ok: 200},
		{pattern: "OPTIONS /.well-known/pay", who: open, ok: 204},

		{pattern: "GET /rates", who: open, ok: 200},
		{pattern: "PUT /rates", who: admin, body: `{"ABC":1.0,"XYZ":"2.517"}`, ok: 200},
		{pattern: "GET /routes", who: open, ok: 200},
		{pattern: "PUT /routes/static", who: admin, body: `{"test.other":"alice"}`, ok: 200},
		{pattern: "GET /routes/static", who: admin, ok: 200},
		{
			pattern: "PUT /routes/static/{prefix}", path: "/routes/static/test.more%d", who: admin, body: "bob", ok: 200,
			java: `{"routePrefix":"test.more%d","nextHopAccountId":"bob"}`, javaOK: 201,
		},
		{pattern: "DELETE /routes/static/{prefix}", path: "/routes/static/test.gone%d", who: admin, ok: 204, before: routedBefore},

		{pattern: "PUT /settlement/engines", who: admin, body: `{"ABC":"http://localhost:3001"}`, ok: 200},
		{pattern: "POST /accounts/{account}/settlements", who: engine, body: `{"amount":"5","scale":6}`, ok: 201},
		{pattern: "POST /accounts/{account}/messages", who: engine, body: `hello`, ok: 502}, // alice has no node to bring it to
		{pattern: "GET /accounts/{account}/settlement", who: admin, ok: 200},
		{
			pattern: "POST /accounts/{account}/settlement/resolution", who: admin, ok: 409, // nothing of alice is unanswered
			body: `{"key":"k","outcome":"settled","reason":"x"}`,
		},
		{pattern: "POST /encryption/encrypt", who: admin, body: `a secret`, ok: 200},
		{pattern: "PUT /encryption/keys/{keystore}", path: "/encryption/keys/jks", who: admin, body: javaKey, ok: 204},
	}
)

// asker is somebody, and what of the endpoints is theirs.
type asker struct {
	name, authorization string
	may                 []access
	java                bool // answered in Java's dialect whatever is configured
	nobody              bool // answered in the dialect that is configured
	bare                bool // the token without the account
}

var everybody = []asker{
	{name: "nobody", may: []access{open}, nobody: true},
	{name: "a wrong bearer", authorization: "Bearer wrong", may: []access{open}, nobody: true},
	{name: "a wrong pair", authorization: "Bearer alice:wrong", may: []access{open}, nobody: true},
	{name: "a wrong password", authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:wrong")), may: []access{open}, nobody: true},
	{name: "another account, as 1.0", authorization: "Bearer " + bobKey, may: []access{open}, nobody: true},
	{name: "another account, as 0.6", authorization: "Bearer bob:" + bobKey, may: []access{open}},
	{name: "the account, as 1.0", authorization: "Bearer " + aliceKey, may: []access{open, holder, owner}, bare: true},
	{name: "the account, as 0.6", authorization: "Bearer alice:" + aliceKey, may: []access{open, holder, owner}},
	{name: "an engine", authorization: "Bearer " + testEngine, may: []access{open, engine}, nobody: true},
	{name: "the admin", authorization: asAdmin, may: []access{open, holder, admin, engine}},
	{name: "the admin by password", authorization: basic, may: []access{open, holder, admin, engine}, java: true},
}

func TestEveryEndpointAsksWhoAsks(t *testing.T) {
	for _, dialect := range []Dialect{Rust06, Rust10, Java} {
		t.Run(dialect.String(), func(t *testing.T) {
			b := rustBed(t, func(c *Config) { c.Sender, c.SPSP, c.Dialect, c.EngineToken = honest(), "alice", dialect, testEngine })
			var patterns []string
			for _, q := range questions {
				patterns = append(patterns, q.pattern)
			}
			slices.Sort(patterns)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(b.endpoints())), patterns); diff != "" {
				t.Fatalf("the endpoints that are registered, and those of this test (-registered +tested):\n%s", diff)
			}
			n := 0
			for _, q := range questions {
				var refusals []string
				for _, who := range everybody {
					n++
					if refused := b.question(t, q, who, dialect, n); refused != "" {
						refusals = append(refusals, refused)
					}
				}
				if refusals = slices.Compact(refusals); len(refusals) > 1 {
					t.Errorf("%s is refused in different words: %q", q.pattern, refusals)
				}
			}
		})
	}
}

// question asks one endpoint as one asker, and returns what a refusal says.
func (b *bed) question(t *testing.T, q question, who asker, dialect Dialect, n int) (refused string) {
	t.Helper()
	nobody := who.nobody || who.bare && !strings.Contains(q.pattern, "{account}") // a bare token is that of the account in the path
	inJava := who.java || dialect == Java && (nobody || who.authorization == asAdmin)
	may := slices.Contains(who.may, q.who)
	if q.pattern == "GET /routes" && inJava { // which the Java connector shows its admin alone
		may = slices.Contains(who.may, admin)
	}
	method, path, _ := strings.Cut(q.pattern, " ")
	if q.path != "" && (may || !strings.HasPrefix(q.path, "/accounts/")) {
		path = numbered(q.path, n)
	}
	path = strings.NewReplacer("{account}", "alice", "{$}", "").Replace(path)
	body, want := q.body, q.ok
	if inJava && q.java != "" {
		body = q.java
	}
	if inJava && q.javaOK != 0 {
		want = q.javaOK
	}
	if may && q.before != nil {
		q.before(b, t, n)
	}
	before := b.everything(t)
	r := httptest.NewRequest(method, path, strings.NewReader(numbered(body, n)))
	r.Header.Set("Authorization", who.authorization)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", fmt.Sprintf("key %d", n))
	r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", n%256)
	if who.authorization == "" {
		r.Header.Del("Authorization")
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	if may {
		if w.Code != want {
			t.Errorf("%s by %s: %d, want %d: %s", q.pattern, who.name, w.Code, want, w.Body)
		}
		return ""
	}
	if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%s by %s: %d %v %s", q.pattern, who.name, w.Code, w.Header(), w.Body)
	}
	refusal(t, w, http.StatusUnauthorized)
	if after := b.everything(t); after != before {
		t.Errorf("%s by %s was refused and has changed something:\n%s\n%s", q.pattern, who.name, before, after)
	}
	return w.Body.String()
}

func numbered(text string, n int) string { return strings.ReplaceAll(text, "%d", fmt.Sprint(n)) }

// everything is all that a request can change: what is in memory, and whether anything was written to the store.
func (b *bed) everything(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("%s %v %+v; %d groups", b.state(t), b.node.Routes(), b.node.Status(), b.directory.store.Durable())
}
