package caddymodule

// This file has an account of the Caddyfile settled by an engine on this machine, sees what its metrics say, and resolves a doubt.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/connector"
)

// settlingEngine is an engine that answers as said, and remembers what it was asked.
type settlingEngine struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string // METHOD path body
	answer func(settlements int) int
	calls  int
}

func newSettlingEngine(t *testing.T) *settlingEngine {
	e := new(settlingEngine)
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

// ServeHTTP answers 201, or to settlements what answer says; 0 breaks the connection.
func (e *settlingEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&body)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, body))
	status := http.StatusCreated
	if strings.HasSuffix(r.URL.Path, "/settlements") && e.answer != nil {
		e.calls++
		if status = e.answer(e.calls); status == 0 {
			panic(http.ErrAbortHandler)
		}
	}
	w.WriteHeader(status)
}

func (e *settlingEngine) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.asked...)
}

// operates sends the operator's request to the node's API.
func (s *server) operates(method, path, body string) answer {
	s.t.Helper()
	token, err := readSecretFile(s.dataDir() + "/" + adminTokenFile)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequest(method, "http://"+s.node+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	return s.send(request)
}

func TestEngineOfTheCaddyfileSettles(t *testing.T) {
	s, e := newServer(t), newSettlingEngine(t)
	options := s.options
	with := func(engine string) {
		s.options = options + "\naccount bob {\nrelation peer\nloopback\nsettle_threshold 100\nsettle_to 10\nsettlement_engine " + engine + "\n}"
		s.load()
	}
	with(e.URL)
	before, _ := s.scrape()
	grown := func() map[string]float64 {
		t.Helper()
		after, _ := s.scrape()
		all := increases(before, after)
		for name := range all {
			if !strings.HasPrefix(name, "paydoor_settle") || strings.Contains(name, "_seconds") {
				delete(all, name)
			}
		}
		return all
	}
	earn := func() {
		t.Helper()
		if _, err := s.running().books.accounts.Refund(t.Context(), "bob", 140, nil); err != nil {
			t.Fatal(err)
		}
		s.running().due("bob")
	}
	const of, pending = `{account="bob",asset="USD",outcome="%s",scale="9"}`, `{account="bob",asset="USD",scale="9",state="%s"}`
	series := func(name, labels, value string) string { return "paydoor_" + name + fmt.Sprintf(labels, value) }
	want := map[string]float64{}
	check := func(when string, balance connector.Balance) {
		t.Helper()
		eventually(t, when, func() bool { return cmp.Equal(want, grown()) })
		if got, _ := s.running().books.accounts.Balance("bob"); got != balance {
			t.Errorf("%s the balance is %+v, want %+v", when, got, balance)
		}
		if t.Failed() {
			t.Fatal(cmp.Diff(want, grown()))
		}
	}
	earn()
	want[series("settlements_total", of, "sent")], want[series("settled_units_total", of, "sent")] = 1, 130
	check("a settlement is made,", connector.Balance{Clearing: 10})
	id := uuidOf("bob")
	if diff := cmp.Diff([]string{`POST /accounts {"id":"` + id + `"}`, "POST /accounts/" + id + `/settlements {"amount":"130","scale":9}`}, e.heard()); diff != "" {
		t.Errorf("the engine was asked (-want +got):\n%s", diff)
	}

	token, err := readSecretFile(s.dataDir() + "/" + engineTokenFile)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+s.node+"/accounts/"+id+"/settlements", strings.NewReader(`{"amount":"1995","scale":10}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", "one")
	if a := s.send(request); a.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s", a.Status, a.body)
	}
	want[series("settlements_total", of, "received")], want[series("settled_units_total", of, "received")] = 1, 199
	want[`paydoor_settlement_leftover_units{account="bob",asset="USD",scale="9"}`] = 0.5
	check("one came in,", connector.Balance{Clearing: 10, Prepaid: 199})

	e.mu.Lock()
	e.answer = func(call int) int { return map[bool]int{true: 0, false: http.StatusForbidden}[call == 1] }
	e.mu.Unlock()
	earn()
	want[`paydoor_settlement_unclear_total{account="bob",asset="USD",scale="9"}`] = 1
	want[series("settlement_pending_units", pending, "refused")] = 140
	check("one is refused after a doubt,", connector.Balance{Clearing: 10, Prepaid: 199})
	var shown struct {
		Settlements []struct{ Account, Key, State string }
	}
	if err := json.Unmarshal([]byte(s.operates(http.MethodGet, "/status", "").body), &shown); err != nil || len(shown.Settlements) != 1 {
		t.Fatalf("%+v, %v", shown, err)
	}
	resolve := func() answer {
		return s.operates(http.MethodPost, "/accounts/bob/settlement/resolution", `{"outcome":"refunded","reason":"a test","key":"`+shown.Settlements[0].Key+`"}`)
	}
	eventually(t, "it is resolved", func() bool { return resolve().StatusCode == http.StatusOK })
	delete(want, series("settlement_pending_units", pending, "refused"))
	want[series("settlements_total", of, "resolved_refunded")], want[series("settled_units_total", of, "resolved_refunded")] = 1, 140
	check("it is resolved,", connector.Balance{Clearing: 150, Prepaid: 199})

	// A reload with another engine settles there.
	other := newSettlingEngine(t)
	with(other.URL)
	want[series("settlements_total", of, "sent")], want[series("settled_units_total", of, "sent")] = 2, 270
	check("the new engine settles,", connector.Balance{Clearing: 10, Prepaid: 199})
	if heard := other.heard(); len(heard) != 2 || heard[1] != "POST /accounts/"+id+`/settlements {"amount":"140","scale":9}` {
		t.Errorf("the new engine was asked %q", heard)
	}
	if a := s.operates(http.MethodGet, "/accounts/bob", ""); !strings.Contains(a.body, `"settlement_engine_url":"`+other.URL+`"`) {
		t.Errorf("the account is shown as %s", a.body)
	}
}

// TestOnlyTheOperatorsEnginesAreOnThisMachine: what stands in the Caddyfile is dialled, and what the API was given is not.
func TestOnlyTheOperatorsEnginesAreOnThisMachine(t *testing.T) {
	e, other := newSettlingEngine(t), newSettlingEngine(t)
	r := &running{app: new(App), settings: &settings{accounts: []accountSettings{{engine: e.URL + "/below"}, {}, {engine: "https://Engine.example"}}}}
	if diff := cmp.Diff(map[string]bool{strings.TrimPrefix(e.URL, "http://"): true, "engine.example:443": true}, r.settings.ownEngines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	transport := r.engineTransport()
	defer transport.CloseIdleConnections()
	for url, want := range map[string]bool{e.URL: true, other.URL: false} {
		a, err := (&http.Client{Transport: transport}).Get(url)
		if err == nil {
			_ = a.Body.Close()
		}
		if (err == nil) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}
