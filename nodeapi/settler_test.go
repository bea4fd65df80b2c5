package nodeapi

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// testSettlementEngine settles by writing it down. It is as RFC 38 wants it: a key counts once.
type testSettlementEngine struct {
	*httptest.Server

	mu       sync.Mutex
	accounts map[string]int      // how often each was registered
	gone     map[string]bool     // deleted
	settled  map[string]Quantity // by key
	calls    int                 // settlements asked for
	refuse   func(call int) int  // the status to answer instead; 0: none
	late     func(call int) bool // whether the answer gets lost after the settlement was made
}

func newTestEngine(t testing.TB) *testSettlementEngine {
	e := &testSettlementEngine{accounts: make(map[string]int), gone: make(map[string]bool), settled: make(map[string]Quantity)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /accounts", e.create)
	mux.HandleFunc("DELETE /accounts/{id}", e.remove)
	mux.HandleFunc("POST /accounts/{id}/settlements", e.settle)
	e.Server = httptest.NewServer(mux)
	t.Cleanup(e.Close)
	return e
}

func (e *testSettlementEngine) create(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var body struct {
		ID string `json:"id"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	e.accounts[body.ID]++
	w.WriteHeader(http.StatusCreated)
}

func (e *testSettlementEngine) remove(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gone[r.PathValue("id")] = true
	w.WriteHeader(http.StatusNoContent)
}

func (e *testSettlementEngine) settle(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	if e.refuse != nil {
		if status := e.refuse(e.calls); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	var q Quantity
	key := r.Header.Get("Idempotency-Key")
	if json.NewDecoder(r.Body).Decode(&q) != nil || key == "" || e.accounts[r.PathValue("id")] == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if before, ok := e.settled[key]; ok && before != q {
		w.WriteHeader(http.StatusConflict)
		return
	}
	e.settled[key] = q
	if e.late != nil && e.late(e.calls) {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(http.StatusCreated)
}

// total is what was settled, in base units of 10^-scale.
func (e *testSettlementEngine) total(scale uint8) *big.Int {
	e.mu.Lock()
	defer e.mu.Unlock()
	sum := new(big.Int)
	for _, q := range e.settled {
		sum.Add(sum, q.at(scale))
	}
	return sum
}

// settlingBed is a node that settles, with an account alice whose threshold is 100 and that is settled to 10.
func settlingBed(t testing.TB, dir, engine string, edits ...func(*Config)) *bed {
	t.Helper()
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	b := newBedOn(t, openStore(t, dir), func(c *Config) {
		c.Engines = transport
		for _, edit := range edits {
			edit(c)
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
	e := newTestEngine(t)
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	eventually(t, "the account is registered", b.quiet)
	if s, _ := b.find("alice"); e.accounts[s.UUID] != 1 {
		t.Errorf("registered: %v", e.accounts)
	}
	b.earn(t, 99)
	eventually(t, "the account is looked at", b.quiet)
	if got := e.total(3); got.Sign() != 0 || b.clearing() != 99 {
		t.Errorf("below the threshold %s were settled, %d are left", got, b.clearing())
	}
	b.earn(t, 1)
	eventually(t, "the account is settled", func() bool { return b.quiet() && e.total(3).Int64() == 90 })
	if b.clearing() != 10 {
		t.Errorf("%d are left", b.clearing())
	}
	b.opener.fail = nil
	if w := b.ask(t, "PUT", "/accounts/alice/settings", asAdmin, `{"settle_threshold":5,"settle_to":0}`); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	eventually(t, "a new threshold counts at once", func() bool { return b.quiet() && e.total(3).Int64() == 100 && b.clearing() == 0 })
	s, _ := b.find("alice")
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	eventually(t, "the engine is told that the account is gone", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.gone[s.UUID]
	})
}

// Answers that are lost and errors on the way change nothing in what is settled: the sum of what was earned.
func TestSettlesOnceWhateverTheEngineAnswers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	e := newTestEngine(t)
	whims := rand.New(rand.NewPCG(5, 6)) // the engine's
	e.refuse = func(int) int { return []int{0, 0, 500, 503, 408, 429, 302}[whims.IntN(7)] }
	e.late = func(int) bool { return whims.IntN(3) == 0 }
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	earned := int64(0)
	for range 200 {
		n := random.Int64N(500)
		earned += n
		b.earn(t, n)
	}
	eventually(t, "all is settled", b.quiet)
	if got := e.total(3).Int64() + b.clearing(); got != earned {
		t.Errorf("settled and left are %d, earned %d", got, earned)
	}
	if b.clearing() >= 100 {
		t.Errorf("%d are left", b.clearing())
	}
}

func TestRefusedSettlementIsRefunded(t *testing.T) {
	e := newTestEngine(t)
	e.refuse = func(int) int { return http.StatusForbidden }
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	b.earn(t, 150)
	eventually(t, "the engine has refused", func() bool { return b.quiet() && b.clearing() == 150 })
	if o, err := b.directory.outgoing("alice"); o != nil || err != nil || len(e.settled) != 0 {
		t.Errorf("%+v, %v, settled %v", o, err, e.settled)
	}
	b.earn(t, 1)
	if !b.quiet() {
		t.Error("a refused account is settled again at once")
	}
}

// A refusal after an answer that was lost is no reason to give the money back.
func TestARefusalAfterDoubtIsNotRefunded(t *testing.T) {
	e := newTestEngine(t)
	e.late = func(int) bool { return true }
	e.refuse = func(call int) int {
		if call > 1 {
			return http.StatusForbidden
		}
		return 0
	}
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL)
	b.earn(t, 150)
	eventually(t, "the engine is asked again", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.calls > 5
	})
	if b.clearing() != 10 {
		t.Errorf("%d are on the balance, and 140 were settled", b.clearing())
	}
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusConflict {
		t.Errorf("an account that is being settled can be deleted: %d", w.Code)
	}
}

func TestSettlesOnceAcrossARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	e := newTestEngine(t)
	e.late = func(int) bool { return true }
	b := settlingBed(t, dir, e.URL)
	b.earn(t, 150)
	eventually(t, "the engine has settled and nobody knows", func() bool { return e.total(3).Int64() == 140 })
	b.API.Close()
	b.node.Close()
	b.directory.store.Close()

	e.mu.Lock()
	e.late = nil
	e.mu.Unlock()
	b = settlingBed(t, dir, e.URL)
	eventually(t, "the engine has answered", b.quiet)
	if o, err := b.directory.outgoing("alice"); o != nil || err != nil {
		t.Errorf("still kept: %+v, %v", o, err)
	}
	if len(e.settled) != 1 || e.total(3).Int64() != 140 || b.clearing() != 10 {
		t.Errorf("settled %v, left %d", e.settled, b.clearing())
	}
}

// The engine of a settlement that is in doubt is asked about it also when the account has another by now.
func TestDoubtStaysWithItsEngine(t *testing.T) {
	old, other := newTestEngine(t), newTestEngine(t)
	old.late = func(call int) bool { return call < 5 }
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), old.URL)
	b.earn(t, 150)
	eventually(t, "the first engine has settled", func() bool { return old.total(3).Int64() == 140 })
	if w := b.ask(t, "PUT", "/accounts/alice", asAdmin, strings.ReplaceAll(
		`{"username":"alice","asset_code":"USD","asset_scale":3,"settlement_engine_url":"URL","settle_threshold":100,"settle_to":10}`, "URL", other.URL)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	eventually(t, "all is settled", b.quiet)
	b.earn(t, 90)
	eventually(t, "the second engine settles what comes later", func() bool { return b.quiet() && other.total(3).Int64() == 90 })
	if old.total(3).Int64() != 140 || b.clearing() != 10 {
		t.Errorf("the first engine settled %s, %d are left", old.total(3), b.clearing())
	}
}
