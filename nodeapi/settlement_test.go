package nodeapi

import (
	"encoding/base64"
	"errors"
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

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

const testEngine = "the token of the settlement engines"

func withEngine(c *Config) { c.EngineToken = testEngine }

// settle tells of a settlement as an engine does.
func (b *bed) settle(t testing.TB, id, key, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("POST", "/accounts/"+id+"/settlements", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+testEngine)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

// settled makes an account that counts in the given scale.
func (b *bed) settled(t testing.TB, name string, scale uint8) Settings {
	t.Helper()
	w := b.ask(t, "POST", "/accounts", asAdmin, fmt.Sprintf(`{"username":%q,"asset_code":"USD","asset_scale":%d}`, name, scale))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	s, err := b.find(ilpcore.AccountID(name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSettlementIsCreditedOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	now := time.Now()
	s := openStore(t, dir)
	edit := func(c *Config) {
		withEngine(c)
		c.Now = func() time.Time { return now }
	}
	b := newBedOn(t, s, edit)
	alice := b.settled(t, "alice", 2)
	first := b.settle(t, alice.UUID, "k1", `{"amount":"12345","scale":3}`)
	if got := strings.TrimSpace(first.Body.String()); first.Code != http.StatusCreated || got != `{"amount":"12345","scale":3}` {
		t.Fatalf("%d %s", first.Code, got)
	}
	check := func(when string, want connector.Balance) {
		t.Helper()
		if got, _ := b.books.Balance("alice"); got != want {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	check("after the first", connector.Balance{Prepaid: 1234})
	again := func(when string) {
		t.Helper()
		w := b.settle(t, "alice", "k1", `{"scale":"3","amount":12345}`)
		if w.Code != first.Code || w.Body.String() != first.Body.String() || w.Header().Get("Content-Type") != first.Header().Get("Content-Type") {
			t.Errorf("%s: %d %q", when, w.Code, w.Body)
		}
	}
	again("told again")
	if w := b.settle(t, "alice", "k1", `{"amount":"12345","scale":2}`); w.Code != http.StatusConflict {
		t.Errorf("another input: %d %s", w.Code, w.Body)
	}
	check("after repetitions", connector.Balance{Prepaid: 1234})

	b.API.Close()
	b.node.Close()
	s.Close()
	b = newBedOn(t, openStore(t, dir), edit)
	again("after a restart")
	now = now.Add(23 * time.Hour)
	again("after 23 hours")
	now = now.Add(answerLifetime)
	again("24 hours after its last use")
	check("after all", connector.Balance{Prepaid: 1234})
	if w := b.settle(t, "alice", "k2", `{"amount":"5","scale":3}`); w.Code != http.StatusCreated {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	check("with what was left over before the restart", connector.Balance{Prepaid: 1235})

	now = now.Add(answerLifetime + keyRefresh + time.Second)
	b.settle(t, "alice", "k3", `{"amount":"0","scale":0}`)
	b.TakeOver()
	eventually(t, "the old answer is deleted", func() bool {
		known, err := b.directory.answer(settlementID(alice, "k1"))
		return known == nil && err == nil
	})
	if known, err := b.directory.answer(settlementID(alice, "k3")); known == nil || err != nil {
		t.Errorf("a young answer: %+v, %v", known, err)
	}
}

func TestSettlementPaysDebtFirst(t *testing.T) {
	b := newBed(t, withEngine)
	b.settled(t, "alice", 0)
	// A payout above the balance leaves a debt, as packets would.
	if due, err := b.books.Payout(t.Context(), "alice", -100, -100, nil); due != 100 || err != nil {
		t.Fatal(due, err)
	}
	for i, step := range []struct {
		amount string
		want   connector.Balance
	}{{"60", connector.Balance{Clearing: -40}}, {"50", connector.Balance{Prepaid: 10}}, {"7", connector.Balance{Prepaid: 17}}} {
		b.settle(t, "alice", fmt.Sprint("key", i), `{"amount":"`+step.amount+`","scale":0}`)
		if got, _ := b.books.Balance("alice"); got != step.want {
			t.Errorf("after %s: %+v, want %+v", step.amount, got, step.want)
		}
	}
}

func TestLeftoversAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []uint8{0, 2, 9} {
		b := newBed(t, withEngine)
		alice := b.settled(t, "alice", scale)
		total := new(big.Int) // in base units of 10^-40
		for i := range 700 {
			s := uint8(random.IntN(41))
			most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(s)+4), nil)
			bytes := make([]byte, 24)
			for i := range bytes {
				bytes[i] = byte(random.Uint32())
			}
			n := new(big.Int).Mod(new(big.Int).SetBytes(bytes), most)
			total.Add(total, new(big.Int).Mul(n, powerOfTen(40-s)))
			if w := b.settle(t, alice.UUID, fmt.Sprint("key", i), fmt.Sprintf(`{"amount":"%s","scale":%d}`, n, s)); w.Code != http.StatusCreated {
				t.Fatalf("%s at %d: %d %s", n, s, w.Code, w.Body)
			}
		}
		balance, _ := b.books.Balance("alice")
		rest, err := b.directory.leftoverOf(alice, Asset{Code: "USD", Scale: scale})
		if err != nil {
			t.Fatal(err)
		}
		unit := powerOfTen(40 - scale)
		got := new(big.Int).Mul(big.NewInt(balance.Net()), unit)
		if got.Add(got, rest.Quantity.at(40)).Cmp(total) != 0 {
			t.Errorf("scale %d: balance and leftover are %s, and %s came in", scale, got, total)
		}
		if rest.Quantity.at(40).Cmp(unit) >= 0 {
			t.Errorf("scale %d: a whole unit is left over: %+v", scale, rest)
		}
	}
}

func TestSettlementRefusals(t *testing.T) {
	b := newBed(t, withEngine)
	b.settled(t, "alice", 2)
	ok := `{"amount":"1","scale":2}`
	for _, test := range []struct {
		id, key, body string
		want          int
	}{
		{"alice", "", ok, 400},
		{"alice", strings.Repeat("k", 257), ok, 400},
		{"nobody", "k", ok, 404},
		{"alice", "k", `{"amount":"1"}`, 400},
		{"alice", "k", `{"scale":1}`, 400},
		{"alice", "k", `{"amount":"-1","scale":2}`, 400},
		{"alice", "k", `{"amount":"1.5","scale":2}`, 400},
		{"alice", "k", `{"amount":"1e3","scale":2}`, 400},
		{"alice", "k", `{"amount":"","scale":2}`, 400},
		{"alice", "k", `{"amount":"01","scale":2}`, 400},
		{"alice", "k", `{"amount":"1","scale":256}`, 400},
		{"alice", "k", `{"amount":"` + strings.Repeat("9", 301) + `","scale":2}`, 400},
		{"alice", "k", `{"amount":"9223372036854775808","scale":2}`, 400},
		{"alice", "k", `{"amount":"99999999999999999999","scale":0}`, 400},
		{"alice", "k", `not JSON`, 400},
	} {
		if w := b.settle(t, test.id, test.key, test.body); w.Code != test.want {
			t.Errorf("%s, key %q, %s: %d, want %d: %s", test.id, test.key, test.body, w.Code, test.want, w.Body)
		}
	}
	if balance, _ := b.books.Balance("alice"); balance != (connector.Balance{}) {
		t.Errorf("refused settlements left %+v", balance)
	}
	if w := b.settle(t, "alice", "k", ok); w.Code != http.StatusCreated {
		t.Errorf("a refused key is used up: %d %s", w.Code, w.Body)
	}
}

func TestWhoMaySettle(t *testing.T) {
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for _, configured := range []string{testEngine, ""} {
		b := rustBed(t, func(c *Config) { c.EngineToken = configured })
		for authorization, want := range map[string]int{
			"": 401, "Bearer ": 401, "Bearer wrong": 401, "Bearer " + aliceKey: 401, "Bearer alice:" + aliceKey: 401, asAdmin: 400,
			"Bearer " + testEngine: 400, basic("settlement", testEngine): 400, basic("admin", testEngine): 401, basic("settlement", ""): 401,
			basic("settlement", testAdmin): 401,
		} {
			if configured == "" && want == 400 && authorization != asAdmin {
				want = 401
			}
			if w := b.ask(t, "POST", "/accounts/alice/settlements", authorization, `{"amount":"1","scale":0}`); w.Code != want {
				t.Errorf("engine token %q, asked with %q: %d, want %d", configured, authorization, w.Code, want)
			}
		}
		for _, path := range []string{"/accounts", "/accounts/alice", "/status"} {
			if w := b.ask(t, "GET", path, "Bearer "+testEngine, ""); w.Code != 401 {
				t.Errorf("an engine may GET %s: %d", path, w.Code)
			}
		}
	}
}

func TestADeletedAccountLeavesNothingOver(t *testing.T) {
	b := newBed(t, withEngine)
	b.settled(t, "alice", 2)
	b.settle(t, "alice", "k", `{"amount":"9","scale":3}`)
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := b.settle(t, "alice", "k", `{"amount":"9","scale":3}`); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.settled(t, "alice", 2)
	b.settle(t, "alice", "k", `{"amount":"9","scale":3}`)
	if balance, _ := b.books.Balance("alice"); balance != (connector.Balance{}) {
		t.Errorf("the new account got what the old one had left over: %+v", balance)
	}
}

func FuzzQuantity(f *testing.F) {
	f.Add("123", uint8(9), "5", uint8(3), uint8(2))
	f.Add("0", uint8(0), "999", uint8(255), uint8(0))
	f.Fuzz(func(t *testing.T, digits string, scale uint8, rest string, restScale, account uint8) {
		if !wholeNumber(digits) || !wholeNumber(rest) {
			return
		}
		q, before := Quantity{digits, scale}, leftover{Quantity: Quantity{rest, restScale}}
		whole, after, err := before.add(q, account)
		if err != nil {
			return
		}
		in := new(big.Int).Add(q.at(255), before.Quantity.at(255))
		out := new(big.Int).Mul(new(big.Int).SetUint64(uint64(whole)), powerOfTen(255-account))
		if out.Add(out, after.Quantity.at(255)).Cmp(in) != 0 {
			t.Errorf("%+v and %+v became %d and %+v", q, before, whole, after)
		}
	})
}

// TestNoSettlementForASuccessor: an account that was deleted and made anew, while an engine's call was on its way, is another one.
func TestNoSettlementForASuccessor(t *testing.T) {
	b := newBed(t, withEngine)
	before := b.settled(t, "alice", 2)
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	b.settled(t, "alice", 2)
	if _, err := b.credit(t.Context(), before, "k", Quantity{Amount: "5", Scale: 2}); !errors.Is(err, ErrNoAccount) {
		t.Error(err)
	}
	if balance, _ := b.books.Balance("alice"); balance.Net() != 0 {
		t.Errorf("the new alice got %d", balance.Net())
	}
}

// TestNoOtherAssetWhileMoneyLeaves: what is on its way from the balance to an engine is not on the balance any more, and may come back.
func TestNoOtherAssetWhileMoneyLeaves(t *testing.T) {
	s, hold := heldStore(t)
	b := newBedOn(t, s, nil)
	if w := b.ask(t, "POST", "/accounts", asAdmin, `{"username":"alice","asset_code":"USD","asset_scale":3,"settle_threshold":100,"settle_to":0}`); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if _, err := b.books.Refund(t.Context(), "alice", 150, nil); err != nil {
		t.Fatal(err)
	}
	arrived, letGo := hold()
	defer letGo()
	var both sync.WaitGroup
	both.Go(func() {
		if o, err := b.payOut(t.Context(), "alice", Engine{URL: "http://engine.example", AccountID: "a"}, false); err != nil || o == nil || o.Amount != 150 {
			t.Errorf("paid out %+v, %v", o, err)
		}
	})
	<-arrived
	both.Go(func() {
		_, err := b.update(t.Context(), "alice", func(s Settings) (Settings, error) {
			s.Asset.Scale = 9
			return s, nil
		})
		if !errors.Is(err, ErrBalance) {
			t.Errorf("the asset was changed: %v", err)
		}
	})
	time.Sleep(50 * time.Millisecond)
	letGo()
	both.Wait()
}
