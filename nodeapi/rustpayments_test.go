package nodeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// teller is a Sender that remembers what it was asked for.
type teller struct {
	mu       sync.Mutex
	asked    []Outgoing
	delivery Delivery
	err      error
	wait     chan struct{} // nil: do not wait
}

func (s *teller) Pay(ctx context.Context, o Outgoing) (Delivery, error) {
	s.mu.Lock()
	s.asked = append(s.asked, o)
	d, err := s.delivery, s.err
	s.mu.Unlock()
	if s.wait != nil {
		select {
		case <-s.wait:
		case <-ctx.Done():
			return Delivery{}, ctx.Err()
		}
	}
	return d, err
}

func (s *teller) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func honest() *teller {
	return &teller{delivery: Delivery{To: "test.there.x", Sent: 900, InFlight: 100, Delivered: 450, Asset: &ilpcore.Asset{Code: "ABC", Scale: 2}}}
}

func (b *bed) askToPay(t *testing.T, authorization, key, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("POST", "/accounts/alice/payments", strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

const (
	asAlice   = "Bearer alice:" + aliceKey
	asAlice10 = "Bearer " + aliceKey
	fromSeed  = `{"receiver":"$payment-pointer.example","source_amount":1000000}`
)

func TestPaymentReceipts(t *testing.T) {
	s := honest()
	b := rustBed(t, func(c *Config) { c.Sender = s })
	const older = `{"from":"test.node.alice","to":"test.there.x","sent_amount":900,"sent_asset_scale":6,"sent_asset_code":"XYZ","delivered_amount":450,` +
		`"delivered_asset_scale":2,"delivered_asset_code":"ABC"}`
	const newer = `{"from":"test.node.alice","to":"test.there.x","source_asset_scale":6,"source_asset_code":"XYZ","source_amount":1000000,"sent_amount":1000,` +
		`"in_flight_amount":100,"delivered_amount":450,"destination_asset_scale":2,"destination_asset_code":"ABC"}`
	for authorization, want := range map[string]string{asAlice: older, asAlice10: newer} {
		if w := b.askToPay(t, authorization, "", fromSeed); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%d %s\nwant %s", w.Code, w.Body, want)
		}
	}
	b.askToPay(t, asAlice10, "", `{"receiver":"$x.example","source_amount":"7","slippage":"0.025"}`)
	b.askToPay(t, asAlice10, "", `{"receiver":"$x.example","source_amount":8,"slippage":0}`)
	pay := func(receiver string, n, slippage uint32) Outgoing {
		return Outgoing{From: "alice", UUID: aliceUUID(t, b), Receiver: receiver, Amount: amount.Amount(n), Slippage: slippage}
	}
	want := []Outgoing{
		pay("$payment-pointer.example", 1000000, 15000), pay("$payment-pointer.example", 1000000, 15000), pay("$x.example", 7, 25000), pay("$x.example", 8, 0),
	}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhoMayPay(t *testing.T) {
	s := honest()
	b := rustBed(t, func(c *Config) { c.Sender = s })
	for authorization, want := range map[string]int{"Bearer wrong": 401, "Bearer " + bobKey: 401, asAdmin: 401, asAlice: 200, asAlice10: 200} {
		if w := b.askToPay(t, authorization, "", fromSeed); w.Code != want {
			t.Errorf("%q: %d, want %d", authorization, w.Code, want)
		}
	}
	for _, bad := range []string{
		`{}`, `{"receiver":"$x.example"}`, `{"source_amount":1}`, `{"receiver":"","source_amount":1}`, `{"receiver":7,"source_amount":1}`, `{"receiver":"$x.example","source_amount":0}`,
		`{"receiver":"$x.example","source_amount":-1}`, `{"receiver":"$x.example","source_amount":1.5}`, `{"receiver":"$x.example","source_amount":1,"slippage":1.1}`,
		`{"receiver":"$x.example","source_amount":1,"slippage":-0.1}`, `{"receiver":"$x.example","source_amount":1,"slippage":"NaN"}`,
		`{"receiver":"$x.example","source_amount":1,"slippage":0.0000001}`, `{"receiver":"$x.example","source_amount":1,"slippage":null}`,
	} {
		if w := b.askToPay(t, asAlice, "", bad); w.Code != http.StatusBadRequest || members(t, w)["invalid-params"] == nil {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
	if n := s.count(); n != 2 {
		t.Errorf("%d payments, want 2", n)
	}
}

func TestFailedPaymentSaysWhatWasPaid(t *testing.T) {
	s := honest()
	s.err = errors.New("the receiver went away")
	b := rustBed(t, func(c *Config) { c.Sender = s })
	older, _ := members(t, b.askToPay(t, asAlice, "", fromSeed))["receipt"].(map[string]any) // which tells of nothing in flight where all was paid
	if older["sent_amount"] != json.Number("900") || older["in_flight_amount"] != json.Number("100") {
		t.Errorf("up to 0.6: %v", older)
	}
	w := b.askToPay(t, asAlice10, "", fromSeed)
	m := members(t, w)
	receipt, _ := m["receipt"].(map[string]any)
	if w.Code != 500 || m["title"] != "Internal Server Error" || m["detail"] != "Error sending SPSP payment: the receiver went away" || receipt["delivered_amount"].(interface{ String() string }).String() != "450" {
		t.Errorf("%d %v", w.Code, m)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("type %s", got)
	}
}

func TestPaymentsAreIdempotent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	opened := openStore(t, dir)
	s, now := honest(), time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	b := rustBed(t, func(c *Config) { c.Sender, c.Directory, c.Now = s, openDirectory(t, opened), clock })
	first := b.askToPay(t, asAlice, "one", fromSeed)
	if again := b.askToPay(t, asAlice, "one", fromSeed); again.Code != 200 || again.Body.String() != first.Body.String() {
		t.Errorf("again: %d %s", again.Code, again.Body)
	}
	if w := b.askToPay(t, asAlice, "one", `{"receiver":"$payment-pointer.example","source_amount":1}`); w.Code != http.StatusConflict || members(t, w)["title"] != errOtherInput.Error() {
		t.Errorf("other input: %d %s", w.Code, w.Body)
	}
	if w := b.askToPay(t, asAlice, strings.Repeat("x", maxIdempotency+1), fromSeed); w.Code != http.StatusBadRequest {
		t.Errorf("a long key: %d", w.Code)
	}
	if s.count() != 1 {
		t.Errorf("%d payments, want 1", s.count())
	}
	s.err = errors.New("no")
	failed := b.askToPay(t, asAlice, "two", fromSeed)
	if again := b.askToPay(t, asAlice, "two", fromSeed); again.Code != 500 || again.Body.String() != failed.Body.String() || s.count() != 2 {
		t.Errorf("a failed one again: %d %s, %d payments", again.Code, again.Body, s.count())
	}
	// One that was under way when the node stopped.
	if err := b.directory.put(t.Context(), answerKey+answerID(aliceUUID(t, b), "three"), answerRecord{Input: hashOf("$payment-pointer.example 1000000 15000"), At: now}); err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	opened = openStore(t, dir)
	again := newBed(t, func(c *Config) { c.Sender, c.Directory, c.Now = s, openDirectory(t, opened), clock })
	if w := again.askToPay(t, asAlice, "one", fromSeed); w.Code != 200 || w.Body.String() != first.Body.String() {
		t.Errorf("after a restart: %d %s", w.Code, w.Body)
	}
	if w := again.askToPay(t, asAlice, "three", fromSeed); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "compare the account's balance") {
		t.Errorf("interrupted: %d %s", w.Code, w.Body)
	}
	if s.count() != 2 {
		t.Errorf("%d payments, want 2", s.count())
	}
	now = now.Add(answerLifetime)
	s.err = nil
	if w := again.askToPay(t, asAlice, "two", fromSeed); w.Code != 200 || s.count() != 3 {
		t.Errorf("a day later: %d, %d payments", w.Code, s.count())
	}
	now = now.Add(2 * time.Second)
	if err := again.directory.deleteAnswers(t.Context(), now.Add(-answerLifetime)); err != nil {
		t.Fatal(err)
	}
	kept := 0
	if err := opened.Iterate([]byte(answerKey), func(_, _ []byte) error { kept++; return nil }); err != nil || kept != 2 {
		t.Errorf("%d answers are kept, %v; want the last, and the one that was interrupted", kept, err)
	}
}

// TestASuccessorsKeysAreItsOwn: an account that is made anew under its name is not told what its predecessor has paid, nor refused its keys.
func TestASuccessorsKeysAreItsOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	opened := openStore(t, dir)
	s, now := honest(), time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	configure := func(c *Config) { c.Sender, c.Now = s, func() time.Time { return now } }
	b := newBedOn(t, opened, configure)
	b.ask(t, "POST", "/accounts", asAdmin, account("alice", aliceKey))
	pay := func(key, body string, count int) {
		t.Helper()
		if w := b.askToPay(t, asAlice, key, body); w.Code != 200 || s.count() != count {
			t.Errorf("%s: %d %s, %d payments, want %d", key, w.Code, w.Body, s.count(), count)
		}
	}
	pay("one", fromSeed, 1)
	pay("two", fromSeed, 2)
	// As versions wrote it that kept keys by name.
	if err := b.directory.put(t.Context(), answerKey+answerIDByName("alice", "old"), answerRecord{Input: hashOf("$payment-pointer.example 1000000 15000"), At: now, Status: 200, Body: []byte("7")}); err != nil {
		t.Fatal(err)
	}
	if w := b.askToPay(t, asAlice, "old", fromSeed); w.Code != 200 || w.Body.String() != "7" || s.count() != 2 {
		t.Errorf("a key of an earlier version: %d %s, %d payments", w.Code, w.Body, s.count())
	}
	now = now.Add(time.Minute)
	for _, ask := range []struct{ method, path, body string }{{"DELETE", "/accounts/alice", ""}, {"POST", "/accounts", account("alice", aliceKey)}} {
		if w := b.ask(t, ask.method, ask.path, asAdmin, ask.body); w.Code >= 300 {
			t.Fatalf("%s: %d %s", ask.method, w.Code, w.Body)
		}
	}
	pay("one", fromSeed, 3)
	pay("one", fromSeed, 3)
	pay("two", `{"receiver":"$payment-pointer.example","source_amount":1}`, 4)
	pay("old", fromSeed, 5)
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	b = newBedOn(t, openStore(t, dir), configure)
	pay("one", fromSeed, 5)
	if all, _ := b.pages(t, "alice", asAdmin, "", 10); len(all) != 3 {
		t.Errorf("%d payments in the history, want its own 3", len(all))
	}
}

// TestOldKeysOfTheCaddyfile: its accounts say no time at which they were made, so that all that an earlier version has kept by their names is theirs.
func TestOldKeysOfTheCaddyfile(t *testing.T) {
	d := openDirectory(t, openStore(t, filepath.Join(t.TempDir(), "store")))
	now := time.Now()
	if err := d.put(t.Context(), answerKey+answerIDByName("alice", "old"), answerRecord{At: now.Add(-time.Hour), Status: 200}); err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]bool{"Caddyfile:5": true, "": false} {
		r, err := d.answerTo(Settings{ID: "alice", UUID: "u", Origin: origin, Created: now}, "old")
		if err != nil || (r != nil) != want {
			t.Errorf("origin %q: %v, %v", origin, r, err)
		}
	}
}

// TestOldAnswersAreDeleted: however many there are, and none that is young.
func TestOldAnswersAreDeleted(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	d, now := openDirectory(t, s), time.Now()
	fill := func(n int, at time.Time) {
		t.Helper()
		for i := 0; i < n; i += 500 {
			if err := d.change(t.Context(), func(g *store.Group) {
				for j := i; j < min(i+500, n); j++ {
					g.Put([]byte(answerKey+answerID("alice", fmt.Sprint(at, j))), mustJSON(answerRecord{At: at, Status: 200}))
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(2500, now.Add(-time.Hour-time.Second))
	fill(7, now)
	if err := d.deleteAnswers(t.Context(), now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	kept := 0
	if err := s.Iterate([]byte(answerKey), func(_, _ []byte) error { kept++; return nil }); err != nil || kept != 7 {
		t.Errorf("%d answers are kept, %v", kept, err)
	}
}

func TestPaymentsUnderWay(t *testing.T) {
	s := honest()
	s.wait = make(chan struct{})
	b := rustBed(t, func(c *Config) { c.Sender = s })
	done := make(chan *httptest.ResponseRecorder)
	go func() { done <- b.askToPay(t, asAlice, "one", fromSeed) }()
	for s.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	if w := b.askToPay(t, asAlice, "one", fromSeed); w.Code != http.StatusConflict || w.Header().Get("Retry-After") == "" {
		t.Errorf("a copy: %d %s", w.Code, w.Body)
	}
	if err := b.API.Close(); err != nil {
		t.Fatal(err)
	}
	if w := <-done; w.Code != 500 || !strings.Contains(w.Body.String(), errBrokenOff.Error()) {
		t.Errorf("stopped: %d %s", w.Code, w.Body)
	}
	if w := b.askToPay(t, asAlice, "", fromSeed); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after the end: %d", w.Code)
	}
}

// TestAReceiverTellsNoPassword: a receiver's URL has none, but whoever writes one does not find it in the log and in the history.
func TestAReceiverTellsNoPassword(t *testing.T) {
	core, logged := observer.New(zap.DebugLevel)
	s := honest()
	s.err = errors.New("no")
	b := rustBed(t, func(c *Config) { c.Sender, c.Logger = s, zap.New(core) })
	for receiver, want := range map[string]string{
		"https://alice:hunter2@pay.example/bob":       "https://REDACTED@pay.example/bob",
		"$alice:hunter2@pay.example":                  "$REDACTED@pay.example",
		"https://a@b:hunter2@pay.example?q=a@b":       "https://REDACTED@pay.example?q=a@b",
		"https://pay.example/@bob":                    "https://pay.example/@bob",
		"hunter2@pay.example":                         "REDACTED@pay.example",
		"https://x/" + strings.Repeat("long", 10_000): ("https://x/" + strings.Repeat("long", 10_000))[:longestReceiver],
	} {
		b.askToPay(t, asAlice, "", fmt.Sprintf(`{"receiver":%q,"source_amount":5}`, receiver))
		p, err := b.directory.history.page(aliceUUID(t, b), pageQuery{limit: 1})
		if err != nil || p.payments[0].details.Receiver != want {
			t.Errorf("%.50s is kept as %.50s, %v", receiver, p.payments[0].details.Receiver, err)
		}
		lines := logged.TakeAll()
		if text := fmt.Sprint(lines); len(lines) == 0 || strings.Contains(text, "hunter2") || len(text) > longestReceiver+1000 {
			t.Errorf("the log has %.300s", text)
		}
	}
}

// TestPaymentsUnderWayAtTheAPIBefore: a request that comes again after a reload has to wait for the first, which the API before carries out.
func TestPaymentsUnderWayAtTheAPIBefore(t *testing.T) {
	s := honest()
	s.wait = make(chan struct{})
	before := rustBed(t, func(c *Config) { c.Sender = s })
	done := make(chan *httptest.ResponseRecorder)
	go func() { done <- before.askToPay(t, asAlice, "one", fromSeed) }()
	for s.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	b := newBed(t, func(c *Config) { c.Sender, c.Directory = s, before.directory })
	if w := b.askToPay(t, asAlice, "one", fromSeed); w.Code != http.StatusConflict || w.Header().Get("Retry-After") == "" {
		t.Errorf("a copy: %d %s", w.Code, w.Body)
	}
	close(s.wait)
	first := <-done
	if w := b.askToPay(t, asAlice, "one", fromSeed); w.Code != http.StatusOK || w.Body.String() != first.Body.String() || s.count() != 1 {
		t.Errorf("after it: %d %s, %d payments", w.Code, w.Body, s.count())
	}
}
