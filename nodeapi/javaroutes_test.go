package nodeapi

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/connector"
)

// routes returns the list of an answer as prefix and account.
func (b *bed) routes(t *testing.T, path, name string) map[string]string {
	t.Helper()
	w := b.ask(t, "GET", path, basic, "")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	list := map[string]string{}
	for _, element := range members(t, w)["_embedded"].(map[string]any)[name].([]any) {
		route := element.(map[string]any)
		list[route["routePrefix"].(string)] = route["nextHopAccountId"].(string)
	}
	return list
}

func (b *bed) listedRoutes(t *testing.T) map[string]string {
	return b.routes(t, "/routes/static", "immutableStaticRouteList")
}

func routeBody(prefix, account string) string {
	return string(mustJSON(map[string]any{"routePrefix": prefix, "nextHopAccountId": account, "whatIsThatSmell": 1}))
}

func TestJavaRoutes(t *testing.T) {
	b := newBed(t, nil)
	b.createJava(t, map[string]any{"accountId": "charlie"})
	b.createJava(t, map[string]any{"accountId": "frank", "accountRelationship": "PEER"})
	own := map[string]string{"test.node.charlie": "charlie"}
	if diff := cmp.Diff(own, b.routes(t, "/routes", "immutableRouteList")); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
	for prefix, account := range map[string]string{"g.philly.birdlaw": "charlie", "g.philly.paddys": "frank"} {
		w := b.ask(t, "PUT", "/routes/static/"+prefix, basic, routeBody(prefix, account))
		want := map[string]any{"routePrefix": prefix, "nextHopAccountId": account}
		if diff := cmp.Diff(want, members(t, w)); w.Code != http.StatusCreated || diff != "" {
			t.Errorf("%d, (-want +got):\n%s", w.Code, diff)
		}
	}
	want := map[string]string{"g.philly.birdlaw": "charlie", "g.philly.paddys": "frank"}
	if diff := cmp.Diff(want, b.listedRoutes(t)); diff != "" {
		t.Errorf("static (-want +got):\n%s", diff)
	}
	want["test.node.charlie"] = "charlie"
	if diff := cmp.Diff(want, b.routes(t, "/routes", "immutableRouteList")); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	for _, step := range []struct {
		prefix string
		status int
	}{{"g.philly.birdlaw", 204}, {"g.philly.birdlaw", 404}, {"g.philly", 404}} {
		if w := b.ask(t, "DELETE", "/routes/static/"+step.prefix, basic, ""); w.Code != step.status {
			t.Errorf("deleting %s: %d %s", step.prefix, w.Code, w.Body)
		}
	}
	// A route goes with its account.
	if w := b.ask(t, "DELETE", "/accounts/frank", basic, ""); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff(map[string]string{}, b.listedRoutes(t)); diff != "" || len(b.directory.Routes()) != 0 {
		t.Errorf("at last (-want +got):\n%s", diff)
	}
}

func TestRoutesThatCannotBe(t *testing.T) {
	b := newBed(t, func(c *Config) {
		c.Static = []Settings{{ID: "static", Form: FormRust, Relation: "peer", Asset: Asset{"USD", 2}, Origin: "Caddyfile:7"}}
		c.Routes = []connector.Route{{Prefix: "g.caddy", Account: "static"}}
	})
	if err := b.opener.Open(b.static["static"]); err != nil {
		t.Fatal(err)
	}
	b.createJava(t, nil)
	if w := b.ask(t, "PUT", "/routes/static/g.philly.shelter", basic, `{"nextHopAccountId":"bob"}`); w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	before := b.listedRoutes(t)
	tests := []struct {
		name, method, prefix, body string
		status                     int
		kind, title, extra         string
	}{
		{"exists", "PUT", "g.philly.shelter", routeBody("g.philly.shelter", "bob"), 409, "/routes/static/static-route-already-exists",
			"Static Route Already Exists (`g.philly.shelter`)", "g.philly.shelter"},
		{"exists in the Caddyfile", "PUT", "g.caddy", routeBody("g.caddy", "bob"), 409, "/routes/static/static-route-already-exists",
			"Static Route Already Exists (`g.caddy`)", "g.caddy"},
		{"mismatch", "PUT", "g.philly.shelter", routeBody("g.philly.priesthood", "bob"), 422, "/routes/static/static-route-unprocessable",
			"Static Route Unprocessable [entityPrefix: `g.philly.priesthood`, urlPrefix: `g.philly.shelter`]", "g.philly.priesthood"},
		{"not found", "DELETE", "g.philly.dairy", "", 404, "/routes/static/static-route-not-found", "Static Route Does Not Exist (`g.philly.dairy`)", "g.philly.dairy"},
		{"of the Caddyfile", "DELETE", "g.caddy", "", 409, "", "Conflict", "g.caddy"},
		{"unknown account", "PUT", "g.a", routeBody("g.a", "eve"), 404, "/accounts/account-not-found", "Account Not Found (`eve`)", ""},
		{"no account", "PUT", "g.a", `{"routePrefix":"g.a"}`, 400, "/accounts/invalid-account-id", "Invalid Account Id", ""},
		{"no prefix", "PUT", "g.a%20b", routeBody("g.a b", "bob"), 400, "", "Bad Request", ""},
		{"no JSON", "PUT", "g.a", "bob", 400, "", "Bad Request", ""},
	}
	for _, test := range tests {
		w := b.ask(t, test.method, "/routes/static/"+test.prefix, basic, test.body)
		p := refusal(t, w, test.status)
		kind := problemTypes + test.kind
		if test.kind == "" {
			kind = "about:blank"
		}
		if p["type"] != kind || p["title"] != test.title || test.extra != "" && p["prefix"] != test.extra {
			t.Errorf("%s: %v", test.name, p)
		}
	}
	if diff := cmp.Diff(before, b.listedRoutes(t)); diff != "" {
		t.Errorf("what was refused has changed routes:\n%s", diff)
	}
}
