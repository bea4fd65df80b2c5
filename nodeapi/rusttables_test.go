package nodeapi

import (
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

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

// TestNoRatesStayNoRates: that all were taken away counts before those of the Caddyfile, as any others that were set.
func TestNoRatesStayNoRates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	one, err := connector.ParseRate("1")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ when, want string }{{"nothing was set yet", `{"ABC":1.0}`}, {"none were set", `{}`}} {
		s := openStore(t, dir)
		b := newBed(t, func(c *Config) {
			c.Directory = openDirectory(t, s)
			if err := c.Rates.Replace(map[string]connector.Rate{"ABC": one}); err != nil {
				t.Fatal(err)
			}
		})
		if got := strings.TrimSpace(b.ask(t, "GET", "/rates", "", "").Body.String()); got != test.want {
			t.Errorf("when %s the rates are %s, want %s", test.when, got, test.want)
		}
		if w := b.ask(t, "PUT", "/rates", asAdmin, `{}`); w.Code != http.StatusOK {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
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

// TestRoutesOfTheCaddyfileStay whatever the API does about routes, and it keeps none of them.
func TestRoutesOfTheCaddyfileStay(t *testing.T) {
	b := rustBed(t, nil)
	b.staticRoutes = []connector.Route{{Prefix: "test.fixed", Account: "alice"}}
	b.OpenAccounts()
	for _, change := range []struct {
		method, path, authorization, body string
		want                              int
		kept                              []connector.Route // of the API, afterwards
	}{
		{"PUT", "/routes/static/test.fixed", asAdmin, "bob", 409, nil},
		{"PUT", "/routes/static/test.other", asAdmin, "bob", 200, []connector.Route{{Prefix: "test.other", Account: "bob"}}},
		{"PUT", "/routes/static", asAdmin, `{"test.fixed":"bob","test.more":"bob"}`, 409, []connector.Route{{Prefix: "test.other", Account: "bob"}}},
		{"PUT", "/routes/static/test.fixed", basic, routeBody("test.fixed", "bob"), 409, []connector.Route{{Prefix: "test.other", Account: "bob"}}},
		{"DELETE", "/routes/static/test.fixed", basic, "", 409, []connector.Route{{Prefix: "test.other", Account: "bob"}}},
		{"DELETE", "/accounts/bob", asAdmin, "", 200, nil},
		{"PUT", "/routes/static", asAdmin, `{}`, 200, nil},
	} {
		what := change.method + " " + change.path + " " + change.body
		if w := b.ask(t, change.method, change.path, change.authorization, change.body); w.Code != change.want {
			t.Errorf("%s: %d, want %d: %s", what, w.Code, change.want, w.Body)
		}
		if routes := members(t, b.ask(t, "GET", "/routes", "", "")); routes["test.fixed"] != "alice" || routes["test.more"] != nil {
			t.Errorf("%s: in force are %v", what, routes)
		}
		if diff := cmp.Diff(change.kept, b.directory.Routes(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: the API keeps (-want +got):\n%s", what, diff)
		}
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
