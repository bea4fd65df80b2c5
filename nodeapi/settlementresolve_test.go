package nodeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/internal/testengine"
)

// doubtful is an engine that settles once without an answer, and then refuses: what it did nobody can learn from it.
func doubtful(t *testing.T) *testengine.Engine {
	e := newEngine(t)
	e.Fail(func(call int) testengine.Fault {
		if call > 1 {
			return testengine.Fault{Status: http.StatusForbidden}
		}
		return testengine.Fault{Lost: true}
	})
	return e
}

// pending waits until alice's settlement is in a state, and returns what is shown of it.
func (b *bed) pending(t *testing.T, state string) (shown map[string]any) {
	t.Helper()
	eventually(t, "the settlement is "+state, func() bool {
		m := members(t, b.ask(t, "GET", "/accounts/alice/settlement", asAdmin, ""))
		shown, _ = m["pending"].(map[string]any)
		return shown != nil && shown["state"] == state
	})
	return shown
}

// decide resolves alice's settlement, and waits while the engine is being asked.
func (b *bed) decide(t *testing.T, want int, key, outcome, reason string) map[string]any {
	t.Helper()
	body := string(mustJSON(map[string]string{"key": key, "outcome": outcome, "reason": reason}))
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		w := b.ask(t, "POST", "/accounts/alice/settlement/resolution", asAdmin, body)
		m := members(t, w)
		if w.Header().Get("Retry-After") != "" && time.Now().Before(end) {
			continue
		}
		if w.Code != want {
			t.Fatalf("%s %s: %d, want %d: %v", key, outcome, w.Code, want, m)
		}
		return m
	}
}

// TestADoubtIsResolvedToTheUnit: what an operator has decided is where the money is, also after a restart, and settling goes on.
func TestADoubtIsResolvedToTheUnit(t *testing.T) {
	for outcome, left := range map[string]int64{resolvedSettled: 10, resolvedRefunded: 150} {
		t.Run(outcome, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			e := doubtful(t)
			var mu sync.Mutex
			counted := map[SettlementOutcome]uint64{}
			count := func(v SettlementEvent) {
				mu.Lock()
				defer mu.Unlock()
				if v.Outcome != SettlementUnclear {
					counted[v.Outcome] += uint64(v.Amount)
				}
				if v.Account != "alice" || v.Asset != (Asset{"USD", 3}) {
					t.Errorf("counted %+v", v)
				}
			}
			b := settlingBed(t, dir, e.URL, func(c *Config, _ *http.Transport) { c.Settled = count })
			b.earn(t, 150)
			shown := b.pending(t, SettlementDoubtful)
			key, _ := shown["key"].(string)
			if shown["amount"] != "140" || shown["engine"] != e.URL || !strings.Contains(fmt.Sprint(shown["error"]), "403") || shown["asset_scale"] != json.Number("3") {
				t.Errorf("shown is %v", shown)
			}
			status := members(t, b.ask(t, "GET", "/status", asAdmin, ""))["settlements"].([]any)
			if len(status) != 1 || status[0].(map[string]any)["account"] != "alice" || status[0].(map[string]any)["key"] != key {
				t.Errorf("the status has %v", status)
			}
			b.decide(t, http.StatusConflict, "another", outcome, "who knows")
			if b.clearing() != 10 {
				t.Errorf("%d are left before anything is resolved", b.clearing())
			}
			first := b.decide(t, http.StatusOK, key, outcome, "seen at the engine")
			eventually(t, "nothing more is done", b.quiet)
			again := b.decide(t, http.StatusOK, key, outcome, "seen at the engine, again")
			if diff := cmp.Diff(first, again); diff != "" || first["amount"] != "140" {
				t.Errorf("%v, again (-first +again):\n%s", first, diff)
			}
			other := map[string]string{resolvedSettled: resolvedRefunded, resolvedRefunded: resolvedSettled}[outcome]
			b.decide(t, http.StatusConflict, key, other, "after all")
			check := func(when string) {
				t.Helper()
				if b.clearing() != left {
					t.Errorf("%s %d are left, want %d", when, b.clearing(), left)
				}
				m := members(t, b.ask(t, "GET", "/accounts/alice/settlement", asAdmin, ""))
				resolved := m["resolved"].([]any)
				if len(resolved) != 1 || m["pending"] != nil {
					t.Fatalf("%s %v", when, m)
				}
				if one := resolved[0].(map[string]any); one["reason"] != "seen at the engine" || one["outcome"] != outcome || one["key"] != key || one["engine"] != e.URL {
					t.Errorf("%s the decision is %v", when, one)
				}
			}
			check("at once")
			b.API.Close()
			b.node.Close()
			b.directory.store.Close()
			e.Fail(nil)
			// What was refunded is due again, and settled now that the engine works; what was settled is not.
			b = settlingBed(t, dir, e.URL)
			eventually(t, "all is settled", func() bool { return b.quiet() && b.clearing() == 10 })
			left = 10
			check("after a restart")
			if n := e.Settlements(); outcome == resolvedSettled && n != 1 || outcome == resolvedRefunded && n != 2 {
				t.Errorf("the engine has settled %d times", n)
			}
			mu.Lock()
			defer mu.Unlock()
			if diff := cmp.Diff(map[SettlementOutcome]uint64{SettlementOutcome("resolved_" + outcome): 140}, counted); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnUnansweredSettlementIsSeen also of an account that is in no configuration any more; and it can be resolved.
func TestAnUnansweredSettlementIsSeen(t *testing.T) {
	e := newEngine(t)
	e.Fail(func(int) testengine.Fault { return testengine.Fault{Status: http.StatusServiceUnavailable} })
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	b.earn(t, 150)
	shown := b.pending(t, SettlementUnknown)
	b.directory.mu.Lock()
	delete(b.directory.accounts, "alice")
	b.directory.mu.Unlock()
	gone := b.pending(t, SettlementUnknown)
	if gone["key"] != shown["key"] || gone["asset_code"] != "" {
		t.Errorf("of the account that is gone: %v", gone)
	}
	b.decide(t, http.StatusOK, gone["key"].(string), resolvedRefunded, "the engine was never up")
	if b.clearing() != 150 {
		t.Errorf("%d are on the balance", b.clearing())
	}
	if w := b.ask(t, "GET", "/accounts/alice/settlement", asAdmin, ""); w.Code != http.StatusNotFound {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

// TestNothingIsResolvedWhileTheEngineIsAsked: its answer may come at any moment.
func TestNothingIsResolvedWhileTheEngineIsAsked(t *testing.T) {
	e := newEngine(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	e.Fail(func(int) testengine.Fault {
		close(asked)
		<-answer
		return testengine.Fault{}
	})
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	b.earn(t, 150)
	<-asked
	o, err := b.directory.outgoing("alice")
	if err != nil {
		t.Fatal(err)
	}
	w := b.ask(t, "POST", "/accounts/alice/settlement/resolution", asAdmin, string(mustJSON(map[string]string{"key": o.Key, "outcome": "refunded", "reason": "impatience"})))
	if w.Code != http.StatusConflict || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), errBeingAsked.Error()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	close(answer)
	eventually(t, "the engine has settled", func() bool { return b.quiet() && e.Total(3).Int64() == 140 })
	if b.clearing() != 10 {
		t.Errorf("%d are left", b.clearing())
	}
}

func TestWhoMayResolve(t *testing.T) {
	b := rustBed(t, withEngine)
	ok := `{"key":"k","outcome":"settled","reason":"x"}`
	for _, test := range []struct {
		method, path, authorization, body string
		want                              int
	}{
		{"GET", "/accounts/alice/settlement", "", "", 401},
		{"GET", "/accounts/alice/settlement", asAlice, "", 401},
		{"GET", "/accounts/alice/settlement", "Bearer " + testEngine, "", 401},
		{"GET", "/accounts/nobody/settlement", asAlice, "", 401},
		{"GET", "/accounts/nobody/settlement", asAdmin, "", 404},
		{"GET", "/accounts/alice/settlement", asAdmin, "", 200},
		{"GET", "/accounts/alice/settlement", basic, "", 200},
		{"POST", "/accounts/alice/settlement/resolution", "", ok, 401},
		{"POST", "/accounts/alice/settlement/resolution", asAlice, ok, 401},
		{"POST", "/accounts/alice/settlement/resolution", "Bearer " + testEngine, ok, 401},
		{"POST", "/accounts/nobody/settlement/resolution", asAdmin, ok, 404},
		{"POST", "/accounts/alice/settlement/resolution", asAdmin, ok, 409},
		{"POST", "/accounts/alice/settlement/resolution", basic, ok, 409},
		{"POST", "/accounts/alice/settlement/resolution", asAdmin, `{"key":"k","outcome":"settled"}`, 400},
		{"POST", "/accounts/alice/settlement/resolution", asAdmin, `{"key":"k","outcome":"settled","reason":" "}`, 400},
		{"POST", "/accounts/alice/settlement/resolution", asAdmin, `{"key":"k","outcome":"settled","reason":"` + strings.Repeat("x", longestReason+1) + `"}`, 400},
		{"POST", "/accounts/alice/settlement/resolution", asAdmin, `{"key":"k","outcome":"lost","reason":"x"}`, 400},
		{"POST", "/accounts/alice/settlement/resolution", asAdmin, `{"key":7,"outcome":"settled","reason":"x"}`, 400},
		{"POST", "/accounts/alice/settlement/resolution", asAdmin, `nonsense`, 400},
	} {
		if w := b.ask(t, test.method, test.path, test.authorization, test.body); w.Code != test.want {
			t.Errorf("%s %s as %q with %s: %d, want %d: %s", test.method, test.path, test.authorization, test.body, w.Code, test.want, w.Body)
		}
	}
	got := strings.TrimSpace(b.ask(t, "GET", "/accounts/alice/settlement", asAdmin, "").Body.String())
	const want = `{"account":"alice","asset_code":"XYZ","asset_scale":6,"engine":null,"settle_threshold":null,"settle_to":null,"leftover":{"amount":"0","scale":0},"pending":null,"resolved":[]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if w := b.settle(t, "alice", "k1", `{"amount":"1234567","scale":9}`); w.Code != http.StatusCreated {
		t.Fatal(w.Body)
	}
	left, err := b.Leftovers()
	if diff := cmp.Diff([]Leftover{{"alice", Asset{"XYZ", 6}, Quantity{"567", 9}}}, left); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
