package nodeapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/payer"
	"github.com/paydoor/paydoor/store"
)

// streamer is a Sender whose receivers are accounts of the same node, by name. What follows a slash is how it goes wrong: after "half"
// half is sent, after "none" nothing is.
type streamer struct {
	node   *connector.Node
	quoter Quoter
}

var errGaveUp = errors.New("the receiver went away")

func (s *streamer) Pay(ctx context.Context, o Outgoing) (Delivery, error) {
	name, trouble, _ := strings.Cut(o.Receiver, "/")
	if trouble == "none" {
		return Delivery{}, errGaveUp
	}
	link, err := s.node.Local(o.From)
	if err != nil {
		return Delivery{}, err
	}
	address, _ := s.node.AddressOf(ilpcore.AccountID(name))
	to, _ := s.node.Account(ilpcore.AccountID(name))
	quote, err := s.quoter.QuoteAccount(to.UUID, address, nil)
	if err != nil {
		return Delivery{}, err
	}
	n := o.Amount
	if trouble == "half" {
		n /= 2
	}
	result, err := payer.Stream{Link: link, Random: rand.Reader, Now: time.Now}.Pay(ctx, payer.Payment{
		Address: ilpcore.Address(quote.Address), Secret: quote.SharedSecret[:], Send: n, Slippage: payer.NoSlippage,
	})
	if err == nil && trouble != "" {
		err = errGaveUp
	}
	return Delivery{To: ilpcore.Address(quote.Address), Sent: result.Sent, InFlight: result.Unknown, Delivered: result.Delivered, Asset: result.DestinationAsset}, err
}

// streaming makes the accounts of a bed pay each other.
func streaming(c *Config) { c.Sender = &streamer{c.Node, c.Quoter} }

// pages reads the whole history of an account, and wants each page but the last to be full.
func (b *bed) pages(t testing.TB, account, authorization, query string, limit int) (all []map[string]any, earlier map[string]any) {
	t.Helper()
	cursor := ""
	for {
		w := b.ask(t, "GET", fmt.Sprintf("/accounts/%s/payments?limit=%d%s%s", account, limit, query, cursor), authorization, "")
		m := members(t, w)
		if w.Code != http.StatusOK {
			t.Fatalf("%d %v", w.Code, m)
		}
		for _, p := range m["payments"].([]any) {
			all = append(all, p.(map[string]any))
		}
		next, more := m["next"].(string)
		if got := len(m["payments"].([]any)); more && got != limit || got > limit {
			t.Errorf("a page of %d has %d payments", limit, got)
		}
		if !more {
			earlier, _ = m["earlier"].(map[string]any)
			return all, earlier
		}
		cursor = "&cursor=" + next
	}
}

// netOf is what an account has received less what it has sent, by its history.
func netOf(t testing.TB, payments []map[string]any) (net int64) {
	t.Helper()
	for _, p := range payments {
		text, ok := p["amount"].(string) // Java
		if number, isNumber := p["amount"].(json.Number); isNumber {
			text, ok = number.String(), true
		}
		n, err := amount.Parse(text)
		if err != nil || !ok {
			t.Fatalf("the amount of %v", p)
		}
		if p["direction"] == sent {
			net -= int64(n)
		} else {
			net += int64(n)
		}
	}
	return net
}

// pay has one account pay another; want is the status.
func (b *bed) pays(t testing.TB, from, token, receiver string, n, want int) {
	t.Helper()
	w := b.ask(t, "POST", "/accounts/"+from+"/payments", "Bearer "+token, fmt.Sprintf(`{"receiver":%q,"source_amount":%d}`, receiver, n))
	if w.Code != want {
		t.Fatalf("%s pays %s: %d, want %d: %s", from, receiver, w.Code, want, w.Body)
	}
}

func TestHistoryAddsUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	b := newBedOn(t, s, streaming)
	for name, token := range map[string]string{"alice": aliceKey, "bob": bobKey} {
		b.ask(t, "POST", "/accounts", asAdmin, account(name, token))
	}
	for i := range 4 {
		b.pays(t, "alice", aliceKey, "bob", 100+i, 200)
		b.pays(t, "bob", bobKey, "alice", 30+i, 200)
	}
	b.pays(t, "alice", aliceKey, "bob/half", 50, 500)
	b.pays(t, "alice", aliceKey, "bob/none", 50, 500)
	check := func(when string) {
		t.Helper()
		for name, token := range map[string]string{"alice": aliceKey, "bob": bobKey} {
			balance, _ := b.books.Balance(ilpcore.AccountID(name))
			for _, limit := range []int{1, 3, 500} {
				for _, authorization := range []string{asAdmin, basic, "Bearer " + token} {
					all, earlier := b.pages(t, name, authorization, "", limit)
					if net := netOf(t, all); net != balance.Net() || earlier != nil {
						t.Errorf("%s the history of %s adds up to %d (and %v), the balance is %d", when, name, net, earlier, balance.Net())
					}
				}
			}
			all, _ := b.pages(t, name, asAdmin, "", 500)
			var both []map[string]any
			for _, direction := range []string{sent, received} {
				some, _ := b.pages(t, name, asAdmin, "&direction="+direction, 500)
				both = append(both, some...)
			}
			if len(both) != len(all) || netOf(t, both) != netOf(t, all) {
				t.Errorf("%s %s has %d payments, %d by direction", when, name, len(all), len(both))
			}
			if !slices.IsSortedFunc(all, func(x, y map[string]any) int {
				return strings.Compare(y["timestamp"].(string), x["timestamp"].(string))
			}) {
				t.Errorf("%s the newest payment of %s is not first", when, name)
			}
		}
		b.balanceIs(t, "alice", -(100+101+102+103)+30+31+32+33-25)
	}
	check("at once")
	var states []string
	all, _ := b.pages(t, "alice", asAdmin, "&direction=sent", 500)
	for _, p := range all {
		states = append(states, fmt.Sprint(p["state"], " ", p["amount"], " of ", p["source_amount"], " ", p["delivered_amount"], " ", p["error"]))
	}
	if diff := cmp.Diff([]string{
		"failed 0 of 50 <nil> the receiver went away", "partial 25 of 50 25 the receiver went away", "completed 103 of 103 103 <nil>",
		"completed 102 of 102 102 <nil>", "completed 101 of 101 101 <nil>", "completed 100 of 100 100 <nil>",
	}, states); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	got, _ := b.pages(t, "bob", asAdmin, "&direction=received", 500)
	if len(got) != 5 || got[0]["from_username"] != "alice" || got[0]["state"] != stateCompleted || !strings.HasPrefix(got[0]["destination"].(string), "test.node.bob.") {
		t.Errorf("bob has received %v", got)
	}
	b.API.Close()
	b.node.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b = newBedOn(t, openStore(t, dir), streaming)
	check("after a restart")
	// Who takes the name of a deleted account does not see what it did.
	if _, err := b.books.Payout(t.Context(), "bob", -1<<62, 0, nil); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"DELETE /accounts/bob", "POST /accounts"} {
		method, path, _ := strings.Cut(call, " ")
		if w := b.ask(t, method, path, asAdmin, account("bob", bobKey)); w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", call, w.Code, w.Body)
		}
	}
	if left, _ := b.pages(t, "bob", asAdmin, "", 500); len(left) != 0 {
		t.Errorf("the new bob sees %v", left)
	}
	kept := 0
	for _, prefix := range []string{paymentKey, arrivingKey} {
		if err := b.directory.store.Iterate([]byte(prefix), func(key, _ []byte) error {
			if strings.Contains(string(key), "/"+aliceUUID(t, b)+"/") {
				return nil
			}
			kept++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if kept != 0 {
		t.Errorf("%d records of the deleted account are kept", kept)
	}
}

func aliceUUID(t testing.TB, b *bed) string {
	t.Helper()
	s, err := b.find("alice")
	if err != nil {
		t.Fatal(err)
	}
	return s.UUID
}

// TestPaymentsInBothDialects holds all members against each other.
func TestPaymentsInBothDialects(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := honest()
	b := rustBed(t, func(c *Config) {
		c.Sender = s
		c.Now = func() time.Time { return now }
	})
	s.err = errors.New("no more")
	b.askToPay(t, asAlice, "key 1", `{"receiver":"$a.example","source_amount":18446744073709551615}`)
	i := b.invoice(t, "/accounts/alice/spsp")
	b.deliver(t, i.packet(t, "bob", 1, 9007199254740993, nil))
	p, err := b.directory.history.page(aliceUUID(t, b), pageQuery{limit: 1})
	if err != nil || len(p.payments) != 1 {
		t.Fatal(p, err)
	}
	at := stamp(p.payments[0].details.Begun)
	for authorization, want := range map[string]string{
		asAlice: `{"payments":[{"id":"ID0","direction":"received","state":"under_way","timestamp":"AT","updated":"AT","amount":9007199254740993,"asset_code":"XYZ","asset_scale":6,` +
			`"packets":1,"destination":"ADDRESS","from_username":"bob","connection_closed":false},` +
			`{"id":"ID1","direction":"sent","state":"unknown","timestamp":"2026-05-01T12:00:00Z","updated":"2026-05-01T12:00:00Z","amount":0,"asset_code":"XYZ","asset_scale":6,"packets":0,` +
			`"destination":"test.there.x","receiver":"$a.example","source_amount":18446744073709551615,"in_flight_amount":100,"delivered_amount":450,` +
			`"destination_asset_code":"ABC","destination_asset_scale":2,"idempotency_key":"key 1","error":"no more"}],"next":null}`,
		basic: `{"payments":[{"paymentId":"ID0","direction":"received","state":"under_way","createdAt":"AT","modifiedAt":"AT","amount":"9007199254740993","assetCode":"XYZ","assetScale":"6",` +
			`"packets":"1","destinationAddress":"ADDRESS","sourceAccountId":"bob","connectionClosed":false},` +
			`{"paymentId":"ID1","direction":"sent","state":"unknown","createdAt":"2026-05-01T12:00:00Z","modifiedAt":"2026-05-01T12:00:00Z","amount":"0","assetCode":"XYZ","assetScale":"6","packets":"0",` +
			`"destinationAddress":"test.there.x","destinationPaymentPointer":"$a.example","originalAmount":"18446744073709551615","inFlightAmount":"100","amountDelivered":"450",` +
			`"destinationAssetCode":"ABC","destinationAssetScale":"2","idempotencyKey":"key 1","error":"no more"}],"next":null}`,
	} {
		all, _ := b.pages(t, "alice", asAdmin, "", 10)
		want = strings.NewReplacer("ID0", all[0]["id"].(string), "ID1", all[1]["id"].(string), "AT", at, "ADDRESS", i.address).Replace(want)
		// The clock of what comes in is that of Holders; the API's decides whether it is still under way.
		now = p.payments[0].details.Begun
		if w := b.ask(t, "GET", "/accounts/alice/payments", authorization, ""); strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%d\n got %s\nwant %s", w.Code, w.Body, want)
		}
	}
	if w := b.ask(t, "GET", "/accounts/nobody/payments", basic, ""); w.Code != http.StatusNotFound {
		t.Errorf("nobody: %d", w.Code)
	}
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=501": "limit", "limit=x": "limit", "limit=": "limit", "direction=up": "direction", "direction=": "direction",
		"cursor=": "cursor", "cursor=x": "cursor", "cursor=1": "cursor", "cursor=01-1": "cursor", "cursor=1-1-1": "cursor", "cursor=1-fffffffff": "cursor", "limit=%zz": "",
	} {
		for _, authorization := range []string{asAlice, basic} {
			w := b.ask(t, "GET", "/accounts/alice/payments?"+query, authorization, "")
			m := refusal(t, w, http.StatusBadRequest)
			params, _ := m["invalid-params"].([]any)
			if field != "" && (len(params) != 1 || params[0].(map[string]any)["name"] != field) {
				t.Errorf("%s: %v", query, m)
			}
		}
	}
}

// TestAPaymentThatIsCutShort: of one that was under way when the node stopped, the history says what was paid, and that nobody knows the rest.
func TestAPaymentThatIsCutShort(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	h, err := openHistory(s)
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.begin(t.Context(), "u", paymentDetails{Direction: sent, Begun: time.Now(), Source: 100}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, units := range []int64{30, 12} {
		if _, err := s.Join(func(g *store.Group) { p.along(g, units) }); err != nil {
			t.Fatal(err)
		}
	}
	state := func(want string) {
		t.Helper()
		page, err := h.page("u", pageQuery{limit: 2})
		if err != nil || len(page.payments) != 1 {
			t.Fatal(page, err)
		}
		one := page.payments[0]
		if got := h.stateOf(one, time.Now()); got != want || want == stateUnknown && (one.units != 42 || one.packets != 2) {
			t.Errorf("%s with %d, want %s", got, one.units, want)
		}
	}
	state(stateUnderWay)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if h, err = openHistory(openStore(t, dir)); err != nil {
		t.Fatal(err)
	}
	state(stateUnknown)
}

// TestNothingIsPaidThatCannotBeWrittenDown closes the store under the API.
func TestNothingIsPaidThatCannotBeWrittenDown(t *testing.T) {
	s := honest()
	b := rustBed(t, func(c *Config) { c.Sender = s })
	if err := b.directory.store.Close(); err != nil {
		t.Fatal(err)
	}
	if w := b.askToPay(t, asAlice, "", fromSeed); w.Code != http.StatusServiceUnavailable || s.count() != 0 {
		t.Errorf("%d %s, %d payments", w.Code, w.Body, s.count())
	}
}

// TestPaymentsAtOnce has accounts pay each other from many sides, while the history is read.
func TestPaymentsAtOnce(t *testing.T) {
	b := newBedOn(t, openStore(t, filepath.Join(t.TempDir(), "store")), streaming)
	names := []string{"alice", "bob", "carol"}
	for _, name := range names {
		b.ask(t, "POST", "/accounts", asAdmin, account(name, name+aliceKey))
	}
	var wait sync.WaitGroup
	for i, from := range names {
		for j := range 3 {
			wait.Go(func() {
				for n := range 5 {
					b.pays(t, from, from+aliceKey, names[(i+1+j%2)%3], 1000*i+100*j+n+1, 200)
					b.pages(t, from, asAdmin, "", 2)
				}
			})
		}
	}
	wait.Wait()
	for _, name := range names {
		all, _ := b.pages(t, name, asAdmin, "", 500)
		balance, _ := b.books.Balance(ilpcore.AccountID(name))
		if net := netOf(t, all); net != balance.Net() || len(all) != 30 {
			t.Errorf("the %d payments of %s add up to %d, the balance is %d", len(all), name, net, balance.Net())
		}
	}
}

func FuzzDecodePayment(f *testing.F) {
	f.Add([]byte{}, "1-1")
	f.Add((&paymentRecord{units: 5, packets: 1, changed: time.Unix(1, 0)}).encode(nil, []byte(`{"direction":"sent"}`)), "ffffffffffffffff-ffffffff")
	f.Fuzz(func(t *testing.T, value []byte, id string) {
		if p, err := decodePayment(value); err == nil {
			again, err := decodePayment(p.encode(nil, mustJSON(p.details)))
			if diff := cmp.Diff(p, again, cmp.AllowUnexported(paymentRecord{}, paymentNumber{})); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		}
		if sums, err := decodeForgotten(value); err == nil {
			if again, err := decodeForgotten(sums.encode()); err != nil || again.Sent != sums.Sent || again.Received != sums.Received {
				t.Errorf("%+v became %+v, %v", sums, again, err)
			}
		}
		if n, ok := parseNumber(id); ok {
			if n.String() != id || decodeNumber(n.append(nil, true), true) != n || decodeNumber(n.append(nil, false), false) != n {
				t.Errorf("%s became %s", id, n)
			}
		}
	})
}
