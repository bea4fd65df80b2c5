package nodeapi

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
	"github.com/paydoor/paydoor/spsp"
)

// invoice is what SPSP answered.
type invoice struct {
	address string
	keys    *ilpcore.EndToEnd
}

func (b *bed) invoice(t *testing.T, path string) invoice {
	t.Helper()
	w := b.ask(t, "GET", path, "", "")
	m := members(t, w)
	address, _ := m["destination_account"].(string)
	text, _ := m["shared_secret"].(string)
	secret, err := base64.StdEncoding.DecodeString(text)
	if w.Code != http.StatusOK || err != nil || len(secret) != 32 || len(m) != 2 || w.Header().Get("Content-Type") != "application/spsp4+json" {
		t.Fatalf("%s: %d %v %v", path, w.Code, w.Header(), m)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(w.Header().Get("Cache-Control"), "no-cache") {
		t.Errorf("%s: headers %v", path, w.Header())
	}
	return invoice{address, stream.Keys(secret)}
}

// packet returns one that pays n.
func (i invoice) packet(t *testing.T, from ilpcore.AccountID, sequence uint64, n amount.Amount, frames func(*stream.Builder)) ilpcore.Incoming {
	t.Helper()
	builder := stream.Begin(nil, ilpcore.TypePrepare, sequence, n)
	if frames != nil {
		frames(&builder)
	}
	plain, err := builder.Finish()
	if err != nil {
		t.Fatal(err)
	}
	data, err := i.keys.Seal(nil, plain, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ilpcore.Incoming{From: from, Prepare: ilpcore.Prepare{
		Amount: n, ExpiresAt: time.Now().Add(20 * time.Second), Condition: i.keys.Condition(data), Destination: []byte(i.address), Data: data,
	}}
}

func (b *bed) deliver(t *testing.T, in ilpcore.Incoming) {
	t.Helper()
	if reply := b.node.HandlePrepare(t.Context(), in); !reply.Fulfilled {
		t.Fatalf("%v %s", reply.Code, reply.Message)
	}
}

func (b *bed) balanceIs(t *testing.T, id ilpcore.AccountID, want int64) {
	t.Helper()
	if got, _ := b.books.Balance(id); got.Net() != want {
		t.Errorf("%s has %d, want %d", id, got.Net(), want)
	}
}

func TestSPSP(t *testing.T) {
	b := rustBed(t, func(c *Config) { c.SPSP = "alice" })
	first, second, known := b.invoice(t, "/accounts/alice/spsp"), b.invoice(t, "/accounts/alice/spsp"), b.invoice(t, "/.well-known/pay")
	for _, i := range []invoice{first, second, known} {
		if !strings.HasPrefix(i.address, "test.node.alice.") {
			t.Errorf("address %s", i.address)
		}
	}
	if first.address == second.address {
		t.Error("two payers got the same address")
	}
	b.deliver(t, first.packet(t, "bob", 1, 100, nil))
	in := second.packet(t, "bob", 1, 20, nil)
	b.deliver(t, in)
	b.deliver(t, in)
	b.deliver(t, known.packet(t, "bob", 1, 3, nil))
	b.balanceIs(t, "alice", 123)
	b.balanceIs(t, "bob", -123)
	w := b.ask(t, "OPTIONS", "/accounts/alice/spsp", "", "")
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Headers") != "web-monetization-id" {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
	w = b.ask(t, "GET", "/accounts/nobody/spsp", "", "")
	if m := members(t, w); w.Code != http.StatusNotFound || m["id"] != "InvalidReceiverError" || m["type"] != rustTypes+"accounts/account-not-found" {
		t.Errorf("nobody: %d %v", w.Code, m)
	}
}

func TestSPSPWithoutADefault(t *testing.T) {
	b := rustBed(t, nil)
	w := b.ask(t, "GET", "/.well-known/pay", "", "")
	if m := members(t, w); w.Code != http.StatusNotFound || !strings.Contains(m["detail"].(string), "no default spsp account was configured") {
		t.Errorf("%d %v", w.Code, m)
	}
	none := newBed(t, func(c *Config) { c.Quoter = nil })
	if w := none.ask(t, "GET", "/accounts/alice/spsp", "", ""); w.Code != http.StatusNotFound {
		t.Errorf("without a quoter: %d", w.Code)
	}
}

func TestSPSPIsLimited(t *testing.T) {
	b := rustBed(t, func(c *Config) {
		now := time.Now()
		c.Now = func() time.Time { return now }
	})
	refused := 0
	for range spsp.AsksAtOnce + 5 {
		if w := b.ask(t, "GET", "/accounts/alice/spsp", "", ""); w.Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("%d were refused, want 5", refused)
	}
	client := "[2001:db8::1]:1234"
	b.client = func(*http.Request) string { return client } // behind a proxy
	r := httptest.NewRequest("GET", "/accounts/alice/spsp", nil)
	w := httptest.NewRecorder()
	if b.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("another client: %d", w.Code)
	}
}

// listen subscribes; the connection is closed at the end of the test.
func listen(t *testing.T, server *httptest.Server, path, authorization string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), server.URL+path, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {authorization}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func next(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	kind, message, err := c.Read(t.Context())
	if err != nil || kind != websocket.MessageText {
		t.Fatalf("%v, %v", kind, err)
	}
	return string(message)
}

func TestIncomingPayments(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 500, time.UTC)
	b := rustBed(t, nil)
	server := httptest.NewServer(b)
	defer server.Close()
	defer b.API.Close() // before the server
	older, newer := listen(t, server, "/accounts/alice/payments/incoming", "Bearer alice:"+aliceKey), listen(t, server, "/accounts/alice/payments/incoming", "Bearer "+aliceKey)
	all := listen(t, server, "/payments/incoming", asAdmin)
	bobs := listen(t, server, "/accounts/bob/payments/incoming", asAdmin)
	if err := older.Write(t.Context(), websocket.MessageText, []byte("what a client says is thrown away")); err != nil {
		t.Fatal(err)
	}
	b.Notify(Payment{To: "alice", From: "bob", Destination: "test.node.alice.x", Amount: amount.Max, Sequence: 7, At: at})
	b.Notify(Payment{To: "alice", From: "bob", Destination: "test.node.alice.x", Sequence: 8, Closed: true, At: at})
	b.Notify(Payment{To: "bob", From: "alice", Destination: "test.node.bob.x", Amount: 2, Sequence: 3, At: at})
	const head = `{"to_username":"alice","from_username":"bob","destination":"test.node.alice.x","amount":`
	const paid = head + `18446744073709551615,"timestamp":"2026-05-01T12:00:00.0000005Z"`
	const done = head + `0,"timestamp":"2026-05-01T12:00:00.0000005Z","sequence":8,"connection_closed":true}`
	const toBob = `{"to_username":"bob","from_username":"alice","destination":"test.node.bob.x","amount":2,"timestamp":"2026-05-01T12:00:00.0000005Z"`
	for _, want := range []struct {
		from    *websocket.Conn
		message string
	}{
		{older, paid + "}"}, {newer, paid + `,"sequence":7,"connection_closed":false}`}, {newer, done}, {bobs, toBob + "}"},
		{all, `{"Ok":` + paid + `,"sequence":7,"connection_closed":false}}`}, {all, `{"Ok":` + done + "}"}, {all, `{"Ok":` + toBob + `,"sequence":3,"connection_closed":false}}`},
	} {
		if got := next(t, want.from); got != want.message {
			t.Errorf("got  %s\nwant %s", got, want.message)
		}
	}
	// A packet of money does the same.
	i := b.invoice(t, "/accounts/bob/spsp")
	b.deliver(t, i.packet(t, "alice", 1, 5, func(s *stream.Builder) { s.ConnectionClose(stream.ConnectionClose{Code: stream.NoError}) }))
	if got := next(t, bobs); !strings.Contains(got, `"amount":5`) || !strings.Contains(got, i.address) {
		t.Errorf("got %s", got)
	}
	b.balanceIs(t, "bob", 5)
	for authorization, want := range map[string]int{"": 401, "Bearer " + bobKey: 401, "Bearer " + aliceKey: 426} {
		if w := b.ask(t, "GET", "/accounts/alice/payments/incoming", authorization, ""); w.Code != want {
			t.Errorf("%q: %d, want %d", authorization, w.Code, want)
		}
	}
}

func TestSlowSubscribersAreDropped(t *testing.T) {
	h := newHub()
	slow, ok := h.subscribe("")
	quick, ok2 := h.subscribe("alice")
	if !ok || !ok2 {
		t.Fatal("nobody could subscribe")
	}
	for range subscriberRoom + 1 {
		h.notify(Payment{To: "alice"})
		<-quick.payments
	}
	n := 0
	for range slow.payments {
		n++
	}
	if n != subscriberRoom || !slow.slow || quick.slow {
		t.Errorf("%d payments, slow %v and %v", n, slow.slow, quick.slow)
	}
	h.dropAccount("alice")
	if _, ok := <-quick.payments; ok {
		t.Error("a deleted account still gets payments")
	}
	h.leave(slow)
	h.leave(quick)
	var many []*subscriber
	for range maxSubscribers {
		s, ok := h.subscribe("alice")
		if !ok {
			t.Fatalf("only %d could subscribe", len(many))
		}
		many = append(many, s)
	}
	if _, ok := h.subscribe("alice"); ok {
		t.Error("too many could subscribe")
	}
	for _, s := range many {
		h.leave(s)
	}
	h.close()
	if _, ok := h.subscribe(""); ok {
		t.Error("a closed hub took a subscriber")
	}
}

func TestSPSPReceiptTerms(t *testing.T) {
	b := rustBed(t, nil)
	nonce, secret := base64.StdEncoding.EncodeToString(make([]byte, 16)), base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	for _, test := range []struct {
		nonce, secret string
		want          int
	}{{nonce, secret, 200}, {nonce, "", 400}, {"", secret, 400}, {secret, nonce, 400}, {"%", secret, 400}} {
		r := httptest.NewRequest("GET", "/accounts/alice/spsp", nil)
		for name, value := range map[string]string{"Receipt-Nonce": test.nonce, "Receipt-Secret": test.secret} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		if b.ServeHTTP(w, r); w.Code != test.want || test.want == 200 && members(t, w)["receipts_enabled"] != true {
			t.Errorf("%q, %q: %d %s", test.nonce, test.secret, w.Code, w.Body)
		}
	}
}

// total adds up the balances of accounts.
func (b *bed) total(ids ...ilpcore.AccountID) (net int64) {
	for _, id := range ids {
		balance, _ := b.books.Balance(id)
		net += balance.Net()
	}
	return net
}

// TestAnAddressDiesWithItsAccount: who has learned how to pay an account that was deleted pays nobody, also when there is a new one of its name.
func TestAnAddressDiesWithItsAccount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	b := newBedOn(t, s, nil)
	for name, token := range map[string]string{"alice": aliceKey, "bob": bobKey} {
		b.ask(t, "POST", "/accounts", asAdmin, account(name, token))
	}
	old := b.invoice(t, "/accounts/alice/spsp")
	b.deliver(t, old.packet(t, "bob", 1, 100, nil))
	back := b.invoice(t, "/accounts/bob/spsp")
	b.deliver(t, back.packet(t, "alice", 1, 100, nil))
	refused := func(when string) {
		t.Helper()
		for _, n := range []amount.Amount{0, 7} {
			if reply := b.node.HandlePrepare(t.Context(), old.packet(t, "bob", 2, n, nil)); reply.Fulfilled || reply.Code != ilpcore.F02 {
				t.Errorf("%s: %+v", when, reply)
			}
		}
		b.balanceIs(t, "alice", 0)
		b.balanceIs(t, "bob", 0)
	}
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	refused("while there is none")
	if w := b.ask(t, "POST", "/accounts", asAdmin, account("alice", aliceKey)); w.Code != http.StatusOK && w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	refused("made anew")
	own := b.invoice(t, "/accounts/alice/spsp")
	b.deliver(t, own.packet(t, "bob", 1, 5, nil))
	if got := b.total("alice", "bob"); got != 0 {
		t.Errorf("all balances add up to %d", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b = newBedOn(t, openStore(t, dir), nil) // an account keeps its addresses
	b.deliver(t, own.packet(t, "bob", 2, 6, nil))
	b.balanceIs(t, "alice", 11)
	if reply := b.node.HandlePrepare(t.Context(), old.packet(t, "bob", 3, 1, nil)); reply.Code != ilpcore.F02 {
		t.Errorf("after a restart: %+v", reply)
	}
	b.balanceIs(t, "bob", -11)
}

// TestNoMoneyForASuccessor has an account deleted and made anew while it is being paid, again and again. Whatever comes first, the new one has nothing that was
// meant for the old one, and nothing is lost.
func TestNoMoneyForASuccessor(t *testing.T) {
	b := newBed(t, nil)
	for name, token := range map[string]string{"alice": aliceKey, "bob": bobKey} {
		b.ask(t, "POST", "/accounts", asAdmin, account(name, token))
	}
	asked := 0
	b.client = func(*http.Request) string { asked++; return fmt.Sprintf("192.0.2.%d", asked) } // each may ask as often as it likes
	deleted := 0
	for round := range 60 {
		old := b.invoice(t, "/accounts/alice/spsp")
		gone := false
		replace := func() {
			if gone = b.ask(t, "DELETE", "/accounts/alice", asAdmin, "").Code == http.StatusOK; gone {
				b.ask(t, "POST", "/accounts", asAdmin, account("alice", aliceKey))
				deleted++
			}
		}
		if round%10 == 0 { // for once without a race, so that it is deleted whatever the machine is busy with
			replace()
		}
		var paid atomic.Int64
		var wait sync.WaitGroup
		for i := range 3 {
			in := old.packet(t, "bob", uint64(i+1), 10, nil)
			wait.Go(func() {
				time.Sleep(time.Duration(round*(i+1)) * 100 * time.Microsecond)
				if b.node.HandlePrepare(context.Background(), in).Fulfilled {
					paid.Add(10)
				}
			})
		}
		if round%10 != 0 {
			replace()
		}
		wait.Wait()
		if gone && paid.Load() != 0 {
			t.Errorf("round %d: %d came to a deleted account", round, paid.Load())
		}
		b.balanceIs(t, "alice", paid.Load())
		if got := b.total("alice", "bob"); got != 0 {
			t.Errorf("round %d: all balances add up to %d", round, got)
		}
		if n := paid.Load(); n > 0 {
			b.deliver(t, b.invoice(t, "/accounts/bob/spsp").packet(t, "alice", 1, amount.Amount(n), nil))
		}
	}
	if deleted == 0 {
		t.Error("it was never deleted")
	}
}
