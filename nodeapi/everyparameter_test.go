package nodeapi

// This file sends every documented parameter in good and in wrong values: of queries and headers, and of paths.

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parameterRow is a parameter of an endpoint, or, in a path, of all endpoints with it.
type parameterRow struct {
	endpoint  string // "": all
	in, name  string
	byDefault string // as documented
	required  bool
	good, bad []string
	along     map[string]string // headers that this one needs
	status    int               // of a wrong value
}

func parameterRows() []parameterRow {
	const nonce, secret = "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	key := []string{"k", strings.Repeat("x", maxIdempotency)}
	rows := []parameterRow{
		{endpoint: "GET /accounts/{account}/payments", in: "query", name: "limit", byDefault: fmt.Sprint(defaultPage), good: []string{"1", fmt.Sprint(longestPage)}, bad: []string{"0", "-1", fmt.Sprint(longestPage + 1), "x", ""}, status: 400},
		{endpoint: "GET /accounts/{account}/payments", in: "query", name: "cursor", good: []string{"1-0", "ff-a"}, bad: []string{"", "1", "x", "01-0"}, status: 400},
		{endpoint: "GET /accounts/{account}/payments", in: "query", name: "direction", good: []string{"sent", "received"}, bad: []string{"", "both"}, status: 400},
		{endpoint: "POST /accounts/{account}/payments", in: "header", name: "Idempotency-Key", good: key, bad: []string{"", strings.Repeat("x", maxIdempotency+1)}, status: 400},
		{endpoint: "POST /accounts/{account}/settlements", in: "header", name: "Idempotency-Key", required: true, good: key, bad: []string{"", strings.Repeat("x", maxIdempotency+1)}, status: 400},
		{in: "path", name: "account", required: true, good: []string{"alice"}, bad: []string{"none"}, status: 404},
		{in: "path", name: "prefix", required: true, good: []string{"test.x", "test.x.y"}, bad: []string{"test%2Fx", "a%20b"}, status: 400},
		{in: "path", name: "keystore", required: true, good: []string{"jks", "JKS", "other-store"}},
	}
	for _, endpoint := range []string{"GET /accounts/{account}/spsp", "GET /.well-known/pay"} {
		rows = append(rows,
			parameterRow{endpoint: endpoint, in: "header", name: "Receipt-Nonce", good: []string{nonce}, bad: []string{"", "x", secret}, along: map[string]string{"Receipt-Secret": secret}, status: 400},
			parameterRow{endpoint: endpoint, in: "header", name: "Receipt-Secret", good: []string{secret}, bad: []string{"", "x", nonce}, along: map[string]string{"Receipt-Nonce": nonce}, status: 400})
	}
	return rows
}

// documentedParameter is a parameter in the document.
type documentedParameter struct {
	Name, In string
	Required bool
	Schema   struct{ Default json.Number }
}

// documentedParameters are those of the document, by endpoint, place and name; in a path they are the same everywhere.
func documentedParameters(t *testing.T) map[string]documentedParameter {
	t.Helper()
	var d struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]documentedParameter)
	for path, item := range d.Paths {
		for method, raw := range item {
			var parameters []documentedParameter
			endpoint, operation := "", struct{ Parameters *[]documentedParameter }{&parameters}
			into := any(&operation)
			if method == "parameters" {
				into = &parameters
			} else {
				endpoint = strings.ToUpper(method) + " " + path
			}
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatal(err)
			}
			for _, p := range parameters {
				if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") {
					t.Errorf("%s has no %s", path, p.Name)
				}
				all[strings.TrimSpace(endpoint+" "+p.In+" "+p.Name)] = p
			}
		}
	}
	return all
}

func TestEveryParameter(t *testing.T) {
	documented := documentedParameters(t)
	var names []string
	for _, row := range parameterRows() {
		name := strings.TrimSpace(row.endpoint + " " + row.in + " " + row.name)
		names = append(names, name)
		if d := documented[name]; d.Required != row.required || d.Schema.Default.String() != row.byDefault {
			t.Errorf("%s is documented as %+v", name, d)
		}
		t.Run(name, func(t *testing.T) {
			for _, q := range questions {
				if q.pattern == row.endpoint || row.endpoint == "" && strings.Contains(q.pattern, "{"+row.name+"}") {
					row.ask(t, q)
				}
			}
		})
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(documented)), slices.Sorted(slices.Values(names))); diff != "" {
		t.Errorf("parameters that are documented, and those of the rows (-documented +rows):\n%s", diff)
	}
}

// ask asks an endpoint with each value of the parameter, and without it.
func (row parameterRow) ask(t *testing.T, q question) {
	b := rustBed(t, func(c *Config) { c.Sender, c.SPSP, c.EngineToken = honest(), "alice", testEngine })
	for i, value := range row.good {
		row.try(t, b, q, &value, q.ok, i)
	}
	for i, value := range row.bad {
		want := row.status
		switch {
		case row.in == "path" && q.who == owner: // nobody is told that there is no such account
			want = http.StatusUnauthorized
		case row.in == "path" && strings.HasPrefix(q.pattern, "DELETE /routes"):
			want = http.StatusNotFound
		case strings.HasPrefix(q.pattern, "OPTIONS "):
			want = q.ok
		}
		row.try(t, b, q, &value, want, 100+i)
	}
	switch {
	case row.in == "path":
	case row.required:
		row.try(t, b, q, nil, row.status, 200)
	default:
		row.try(t, b, q, nil, q.ok, 200)
	}
}

// try asks with a value of the parameter; nil: without it. n is another number each time.
func (row parameterRow) try(t *testing.T, b *bed, q question, value *string, want, n int) {
	method, path, _ := strings.Cut(q.pattern, " ")
	body, login, headers := q.body, asAdmin, map[string]string{"Idempotency-Key": fmt.Sprint("key ", n)}
	if q.who == owner {
		login = asAlice
	}
	switch {
	case value == nil:
		delete(headers, row.name)
	case row.in == "query":
		path += "?" + row.name + "=" + url.QueryEscape(*value)
	case row.in == "header":
		maps.Copy(headers, row.along)
		headers[row.name] = *value
	case row.name == "account" && want < 400 && q.path != "": // the endpoint needs an account of its own
		path, body = numbered(q.path, n), numbered(body, n)
		if q.before != nil {
			q.before(b, t, n)
		}
	default:
		path = strings.Replace(path, "{"+row.name+"}", *value, 1)
		if method == "DELETE" && want < 400 {
			b.ask(t, "PUT", path, asAdmin, "alice")
		}
	}
	path = strings.NewReplacer("{account}", "alice").Replace(path)
	w := b.askWith(t, method, path, login, body, headers)
	if w.Code != want {
		t.Errorf("%s with %s: %d, want %d: %s", q.pattern, mustJSON(value), w.Code, want, w.Body)
	} else if want >= 400 && want != q.ok {
		refusal(t, w, want)
	}
}
