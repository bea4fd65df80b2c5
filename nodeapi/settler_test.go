package nodeapi

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/internal/testengine"
)

// newEngine starts an engine that only writes down what it settles, and ends it with the test.
func newEngine(t testing.TB) *testengine.Engine {
	e := testengine.New()
	t.Cleanup(e.Close)
	return e
}

// settlingBed is a node that settles, with an account alice whose threshold is 100 and that is settled to 10.
func settlingBed(t testing.TB, dir, engine string, edits ...func(*Config, *http.Transport)) *bed {
	t.Helper()
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	b := newBedOn(t, openStore(t, dir), func(c *Config) {
		c.Engines = transport
		for _, edit := range edits {
			edit(c, transport)
		}
	})
	b.settler.first = time.Millisecond
	b.TakeOver()
	if _, err := b.find("alice"); err != nil {
		w := b.ask(t, "POST", "/accounts", asAdmin, fmt.Sprintf(
			`{"username":"alice","asset_code":"USD","asset_scale":3,"settlement_engine_url":%q,"settle_threshold":100,"settle_to":10}`, engine))
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	return b
}

// earn gives alice what a fulfilled packet to her would.
func (b *bed) earn(t testing.TB, n int64) {
	t.Helper()
	if _, err := b.books.Refund(t.Context(), "alice", amount.Amount(n), nil); err != nil {
		t.Fatal(err)
	}
	b.Due("alice")
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// quiet says whether nothing is being settled.
func (b *bed) quiet() bool {
	b.settler.mu.Lock()
	defer b.settler.mu.Unlock()
	return len(b.settler.workers) == 0
}

func (b *bed) clearing() int64 {
	balance, _ := b.books.Balance("alice")
	return balance.Clearing
}

func TestSettlesAtTheThreshold(t *testing.T) {
	e := newEngine(t)
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	eventually(t, "the account is registered", b.quiet)
	alice, _ := b.find("alice")
	if n := e.Registered(alice.UUID); n != 1 {
		t.Errorf("registered %d times", n)
	}
	b.earn(t, 99)
	eventually(t, "the account is looked at", b.quiet)
	if got := e.Total(3); got.Sign() != 0 || b.clearing() != 99 {
		t.Errorf("below the threshold %s were settled, %d are left", got, b.clearing())
	}
	b.earn(t, 1)
	eventually(t, "the account is settled", func() bool { return b.quiet() && e.Total(3).Int64() == 90 })
	if b.clearing() != 10 {
		t.Errorf("%d are left", b.clearing())
	}
	b.opener.fail = nil
	if w := b.ask(t, "PUT", "/accounts/alice/settings", asAdmin, `{"settle_threshold":5,"settle_to":0}`); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	eventually(t, "a new threshold counts at once", func() bool { return b.quiet() && e.Total(3).Int64() == 100 && b.clearing() == 0 })
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	eventually(t, "the engine is told that the account is gone", func() bool { return e.Gone(alice.UUID) })
}

// Answers that are lost and errors on the way change nothing in what is settled: the sum of what was earned.
func TestSettlesOnceWhateverTheEngineAnswers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	e := newEngine(t)
	whims := rand.New(rand.NewPCG(5, 6)) // the engine's
	e.Fail(func(int) testengine.Fault {
		return testengine.Fault{Status: []int{0, 0, 0, 0, 500, 503, 408, 429, 302}[whims.IntN(9)], Lost: whims.IntN(4) == 0, Hangs: whims.IntN(8) == 0}
	})
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL, func(_ *Config, engines *http.Transport) {
		engines.ResponseHeaderTimeout = 50 * time.Millisecond // for an engine that hangs
	})
	earned := int64(0)
	for range 200 {
		n := random.Int64N(500)
		earned += n
		b.earn(t, n)
	}
	eventually(t, "all is settled", b.quiet)
	if got := e.Total(3).Int64() + b.clearing(); got != earned {
		t.Errorf("settled and left are %d, earned %d", got, earned)
	}
	if b.clearing() >= 100 {
		t.Errorf("%d are left", b.clearing())
	}
}

func TestRefusedSettlementIsRefunded(t *testing.T) {
	e := newEngine(t)
	e.Fail(func(int) testengine.Fault { return testengine.Fault{Status: http.StatusForbidden} })
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	b.earn(t, 150)
	eventually(t, "the engine has refused", func() bool { return b.quiet() && b.clearing() == 150 })
	if o, err := b.directory.outgoing("alice"); o != nil || err != nil || e.Settlements() != 0 {
		t.Errorf("%+v, %v, %d settled", o, err, e.Settlements())
	}
	b.earn(t, 1)
	if !b.quiet() {
		t.Error("a refused account is settled again at once")
	}
}

// A refusal after an answer that was lost is no reason to give the money back.
func TestARefusalAfterDoubtIsNotRefunded(t *testing.T) {
	e := newEngine(t)
	e.Fail(func(call int) testengine.Fault {
		if call > 1 {
			return testengine.Fault{Status: http.StatusForbidden}
		}
		return testengine.Fault{Lost: true}
	})
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	b.earn(t, 150)
	eventually(t, "the engine is asked again", func() bool { return e.Calls() > 5 })
	if b.clearing() != 10 {
		t.Errorf("%d are on the balance, and 140 were settled", b.clearing())
	}
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusConflict {
		t.Errorf("an account that is being settled can be deleted: %d", w.Code)
	}
}

func TestSettlesOnceAcrossARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	e := newEngine(t)
	e.Fail(func(int) testengine.Fault { return testengine.Fault{Lost: true} })
	b := settlingBed(t, dir, e.URL)
	b.earn(t, 150)
	eventually(t, "the engine has settled and nobody knows", func() bool { return e.Total(3).Int64() == 140 })
	b.API.Close()
	b.node.Close()
	b.directory.store.Close()

	e.Fail(nil)
	b = settlingBed(t, dir, e.URL)
	eventually(t, "the engine has answered", b.quiet)
	if o, err := b.directory.outgoing("alice"); o != nil || err != nil {
		t.Errorf("still kept: %+v, %v", o, err)
	}
	if e.Settlements() != 1 || e.Total(3).Int64() != 140 || b.clearing() != 10 {
		t.Errorf("settled %s at %d times, left %d", e.Total(3), e.Settlements(), b.clearing())
	}
}

// The engine of a settlement that is in doubt is asked about it also when the account has another by now.
func TestDoubtStaysWithItsEngine(t *testing.T) {
	old, other := newEngine(t), newEngine(t)
	old.Fail(func(call int) testengine.Fault { return testengine.Fault{Lost: call < 5} })
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), old.URL)
	b.earn(t, 150)
	eventually(t, "the first engine has settled", func() bool { return old.Total(3).Int64() == 140 })
	if w := b.ask(t, "PUT", "/accounts/alice", asAdmin, strings.ReplaceAll(
		`{"username":"alice","asset_code":"USD","asset_scale":3,"settlement_engine_url":"URL","settle_threshold":100,"settle_to":10}`, "URL", other.URL)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	eventually(t, "all is settled", b.quiet)
	b.earn(t, 90)
	eventually(t, "the second engine settles what comes later", func() bool { return b.quiet() && other.Total(3).Int64() == 90 })
	if old.Total(3).Int64() != 140 || b.clearing() != 10 {
		t.Errorf("the first engine settled %s, %d are left", old.Total(3), b.clearing())
	}
}

// TestAfterADecisionAllIsNew has an engine fail for a night, until it is asked ever less often. Then the account gets another engine, and the doubt is resolved: what
// fails just after that is not left for as long as what has failed all night.
func TestAfterADecisionAllIsNew(t *testing.T) {
	old, other := newEngine(t), newEngine(t)
	for _, e := range []*testengine.Engine{old, other} {
		e.Fail(func(int) testengine.Fault { return testengine.Fault{Status: http.StatusInternalServerError} })
	}
	c := newClock()
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), old.URL, func(config *Config, _ *http.Transport) { config.After = c.After })
	b.earn(t, 150)
	eventually(t, "the engine has failed many times", func() bool { c.pass(time.Hour); return old.Calls() >= 20 })
	b.earn(t, 150)
	if w := b.ask(t, "PUT", "/accounts/alice", asAdmin, fmt.Sprintf(
		`{"username":"alice","asset_code":"USD","asset_scale":3,"settlement_engine_url":%q,"settle_threshold":100,"settle_to":10}`, other.URL)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	b.decide(t, http.StatusOK, b.pending(t, SettlementUnknown)["key"].(string), resolvedSettled, "it is in its log")
	eventually(t, "the other engine is asked", func() bool { return other.Calls() >= 1 })
	eventually(t, "and soon again, more than once", func() bool { c.pass(2 * time.Millisecond); return other.Calls() >= 4 })
}

// TestWhatKeepsAnAccountFromBeingSettledIsShown: an engine that is not there is told of nobody, and one that refuses has nothing unanswered; both were in the log alone.
func TestWhatKeepsAnAccountFromBeingSettledIsShown(t *testing.T) {
	gone, e := testengine.New(), newEngine(t)
	gone.Close()
	e.Fail(func(int) testengine.Fault { return testengine.Fault{Status: http.StatusForbidden} })
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), gone.URL)
	shows := func(what, want string) {
		t.Helper()
		eventually(t, what, func() bool {
			problem, _ := members(t, b.ask(t, "GET", "/accounts/alice/settlement", asAdmin, ""))["problem"].(string)
			return want != "" && strings.Contains(problem, want) || problem == want
		})
	}
	shows("the engine is not there", "connection refused")
	change := func(engine string) {
		t.Helper()
		if w := b.ask(t, "PUT", "/accounts/alice", asAdmin, fmt.Sprintf(
			`{"username":"alice","asset_code":"USD","asset_scale":3,"settlement_engine_url":%q,"settle_threshold":100,"settle_to":10}`, engine)); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	change(e.URL)
	shows("another engine is", "")
	b.earn(t, 150)
	shows("it refuses", "status 403")
	e.Fail(nil)
	change(e.URL)
	shows("it settles", "")
	eventually(t, "to the unit", func() bool { return e.Total(3).Int64() == 140 && b.clearing() == 10 })
}
