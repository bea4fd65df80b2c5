package nodeapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
)

// described is what the tests read of the document.
type described struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas         map[string]struct{ Properties map[string]any }
		SecuritySchemes map[string]any
	}
}

func readOpenAPI(t *testing.T) (d described) {
	t.Helper()
	w := newBed(t, nil).ask(t, "GET", "/openapi.json", "", "")
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d, %v", w.Code, err)
	}
	return d
}

// logins are the security schemes of who may ask.
var logins = map[access][]string{
	open: {}, holder: {"account", "admin", "adminBasic"}, owner: {"account"}, admin: {"admin", "adminBasic"},
	engine: {"admin", "adminBasic", "engine", "engineBasic"},
}

// TestOpenAPIDescribesEveryEndpoint holds the document against what is registered, both ways, with who may ask.
func TestOpenAPIDescribesEveryEndpoint(t *testing.T) {
	want := make(map[string][]string)
	for pattern, e := range newBed(t, func(c *Config) { c.Sender = honest() }).endpoints() {
		method, path, _ := strings.Cut(pattern, " ")
		if path = strings.TrimSuffix(path, "{$}"); path != "/" {
			path = strings.TrimSuffix(path, "/") // an alias with a slash behind
		}
		want[method+" "+path] = logins[e.access]
	}
	got := make(map[string][]string)
	for path, item := range readOpenAPI(t).Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			var operation struct{ Security []map[string]any }
			if err := json.Unmarshal(raw, &operation); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			names := []string{}
			for _, s := range operation.Security {
				names = append(names, slices.Collect(maps.Keys(s))...)
			}
			slices.Sort(names)
			got[strings.ToUpper(method)+" "+path] = names
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("registered and described endpoints differ (-registered +described):\n%s", diff)
	}
}

// TestOpenAPIHasWhatAccountsHave makes an account and wants each member of the answers described, in both forms.
func TestOpenAPIHasWhatAccountsHave(t *testing.T) {
	schemas := readOpenAPI(t).Components.Schemas
	b := newBed(t, func(c *Config) { c.AllowWeakSecrets = true })
	w := b.ask(t, "POST", "/accounts", "Bearer "+testAdmin, `{"username":"bob","asset_code":"ABC","asset_scale":9,"routing_relation":"Child"}`)
	for name := range members(t, w) {
		if _, ok := schemas["Account"].Properties[name]; !ok {
			t.Errorf("%s of an account is not described", name)
		}
	}
	for name := range schemas["Account"].Properties {
		if _, ok := members(t, w)[name]; !ok {
			t.Errorf("%s of an account is described and not there", name)
		}
	}
	for name, schema := range schemas {
		if len(schema.Properties) == 0 && !slices.Contains([]string{"Rates", "Routes", "Engines"}, name) {
			t.Errorf("schema %s says nothing", name)
		}
	}
}

// TestOpenAPIHasWhatPaymentsHave wants the members of the history described, in both forms, and those of settlements.
func TestOpenAPIHasWhatPaymentsHave(t *testing.T) {
	schemas := readOpenAPI(t).Components.Schemas
	yes, n, text, scale := true, amount.Amount(1), "x", uint8(1)
	number := amountNumber(n)
	for name, whole := range map[string]any{
		"HistoricPayment":     rustPayment{Destination: "d", From: "f", Closed: &yes, Receiver: "r", Source: &number, InFlight: &number, Delivered: &number, ToCode: &text, ToScale: &scale, Key: "k", Why: "w"},
		"JavaHistoricPayment": javaPayment{Destination: "d", From: "f", Closed: &yes, Receiver: "r", Source: &n, InFlight: &n, Delivered: &n, ToCode: &text, ToScale: &text, Key: "k", Why: "w"},
		"PendingSettlement":   shownPending{Last: "l", Why: "w"},
		"Settlement":          shownSettlement{Problem: "p"},
		"Resolution":          resolution{UUID: "u"},
		"NodeState":           nodeState{Status: connector.Status{Address: "a"}, Problem: "p"},
		"AccountState":        connector.AccountStatus{Problem: "p"},
	} {
		var has map[string]any
		if err := json.Unmarshal(mustJSON(whole), &has); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(has)), slices.Sorted(maps.Keys(schemas[name].Properties))); diff != "" {
			t.Errorf("%s (-answered +described):\n%s", name, diff)
		}
	}
	has := make(map[string]any)
	for _, receipt := range []any{receipt06{Receipt: []byte{1}}, receipt10{Receipt: []byte{1}}} { // of one or the other dialect
		if err := json.Unmarshal(mustJSON(receipt), &has); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(has)), slices.Sorted(maps.Keys(schemas["Delivery"].Properties))); diff != "" {
		t.Errorf("Delivery (-answered +described):\n%s", diff)
	}
}
