package caddymodule

// This file scrapes the metrics as Prometheus does, and compares them with the audit.

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/store"
)

var paidRequests = flag.Int("requests", 20_000, "how many requests TestRevenueEqualsAudit pays for")

var sample = regexp.MustCompile(`(?m)^(paydoor_[a-z_]+)(\{[^}]*\})? (\S+)$`)

// scrape returns the series of Paydoor by name and labels, and the whole text.
func (s *server) scrape() (map[string]float64, string) {
	s.t.Helper()
	text := s.ask(http.MethodGet, "/metrics").body
	series := map[string]float64{}
	for _, line := range sample.FindAllStringSubmatch(text, -1) {
		value, err := strconv.ParseFloat(line[3], 64)
		if err != nil {
			s.t.Fatalf("%s: %v", line[0], err)
		}
		series[line[1]+line[2]] = value
	}
	return series, text
}

// ask asks the admin endpoint.
func (s *server) ask(method, path string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, "http://"+s.admin+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(request)
}

// increases returns by how much each series has grown since before, leaving out those that have not.
func increases(before, after map[string]float64) map[string]float64 {
	grown := map[string]float64{}
	for name, value := range after {
		if value != before[name] {
			grown[name] = value - before[name]
		}
	}
	return grown
}

const ofUSD = `{asset="USD",scale="9"}`

// settled waits until what the start writes down, and does not wait for, is on the disk.
func (s *server) settled() {
	s.t.Helper()
	ticket, err := s.running().books.store.Join(func(g *store.Group) { g.Delete([]byte("nothing")) })
	if err == nil {
		err = ticket.Wait(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestMetricsCountWhatHappens(t *testing.T) {
	s := newServer(t)
	s.site = "paywall 10\nreverse_proxy /gone 127.0.0.1:9\nreverse_proxy " + s.backend.Listener.Addr().String()
	s.load()
	s.settled()
	before, _ := s.scrape()
	s.want(s.do(http.MethodGet, "/"), http.StatusPaymentRequired, "0")
	s.pay("100")
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "90")
	s.want(s.do(http.MethodGet, "/gone"), http.StatusBadGateway, "90")
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "80")
	if a := s.do(http.MethodGet, "/", "Pay-Token", "short"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a bad token gets %s", a.Status)
	}
	after, text := s.scrape()
	grown := increases(before, after)
	for name, want := range map[string]float64{
		`paydoor_requests_total{outcome="quoted"}`:   1,
		`paydoor_requests_total{outcome="refused"}`:  1,
		`paydoor_requests_total{outcome="settled"}`:  2,
		`paydoor_requests_total{outcome="released"}`: 1,
		`paydoor_requests_total{outcome="invalid"}`:  1,
		`paydoor_payment_required_total`:             1,
		`paydoor_credits_total` + ofUSD:              1,
		`paydoor_credited_units_total` + ofUSD:       100,
		`paydoor_charges_total` + ofUSD:              2,
		`paydoor_charged_units_total` + ofUSD:        20,
		`paydoor_refunds_total` + ofUSD:              1,
		`paydoor_refunded_units_total` + ofUSD:       10,
		// two charges, the credit, and what the wallet's account owes for it
		`paydoor_group_changes_count`: 3,
		`paydoor_group_changes_sum`:   3,
		`paydoor_sync_seconds_count`:  3,
	} {
		if grown[name] != want {
			t.Errorf("%s has grown by %v, not %v", name, grown[name], want)
		}
	}
	inDir := `{data_dir="` + s.dataDir() + `"}`
	if after["paydoor_free_bytes"+inDir] <= 0 || after["paydoor_min_free_bytes"+inDir] != store.DefaultMinFree || grown["paydoor_sync_seconds_sum"] <= 0 {
		t.Errorf("free: %v of %v", after["paydoor_free_bytes"+inDir], after["paydoor_min_free_bytes"+inDir])
	}
	if strings.Contains(text, token) {
		t.Error("the metrics hold the token")
	}
}

// TestMetricsSurviveReloads wants that nothing is registered twice and that no count starts anew, also after a config that failed.
func TestMetricsSurviveReloads(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("1000")
	before, _ := s.scrape()
	for i := range 5 {
		s.want(s.do(http.MethodGet, "/"), http.StatusOK, strconv.Itoa(990-20*i))
		s.site = strings.Replace(s.site, "paywall 10", "header X-Round "+strconv.Itoa(i)+"\npaywall 10", 1)
		s.load()
		if err := s.tryLoad(strings.Replace(s.caddyfile(), "sandbox", "sandbox\ndurability process", 1)); err == nil {
			t.Fatal("a config with another durability was loaded")
		}
		s.want(s.do(http.MethodGet, "/"), http.StatusOK, strconv.Itoa(980-20*i))
	}
	after, _ := s.scrape()
	if grown := increases(before, after); grown["paydoor_charges_total"+ofUSD] != 10 || after["paydoor_ready"] != 1 {
		t.Errorf("after five reloads %v charges are counted, and ready is %v", grown["paydoor_charges_total"+ofUSD], after["paydoor_ready"])
	}
}

// TestConversionsCountQuotesThatWerePaid pays a 402 in two parts, and more than is due.
func TestConversionsCountQuotesThatWerePaid(t *testing.T) {
	var c conversions
	one, other := [8]byte{1}, [8]byte{2}
	for i, step := range []struct {
		quote      [8]byte
		units, due amount.Amount
		converted  bool
	}{{one, 4, 10, false}, {other, 10, 10, true}, {one, 6, 10, true}, {one, 6, 10, false}, {other, 1, 10, false}} {
		if got := c.paid(step.quote, step.units, step.due); got != step.converted {
			t.Errorf("payment %d: converted is %v", i, got)
		}
	}
	for i := range 3 * remembered {
		c.paid([8]byte{9, byte(i), byte(i >> 8), byte(i >> 16)}, 1, 10)
	}
	if n := len(c.now) + len(c.past); n > 2*remembered {
		t.Errorf("%d quotes are remembered", n)
	}
}

func TestConversionOfA402(t *testing.T) {
	s := newServer(t)
	s.load()
	before, _ := s.scrape()
	refused := s.do(http.MethodGet, "/")
	s.payTo(refused.Header.Get("Pay"), "10")
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "0")
	after, _ := s.scrape()
	if grown := increases(before, after); grown["paydoor_conversions_total"] != 1 {
		t.Errorf("%v conversions are counted", grown["paydoor_conversions_total"])
	}
}

// TestP7RevenueEqualsAudit pays for many requests from many clients, some of which get nothing, and wants that what Prometheus was shown
// is what the ledger says, to the last unit.
func TestP7RevenueEqualsAudit(t *testing.T) {
	s := newServer(t)
	s.site = "paywall {\nprice 10\nprice /dear/* 1234567\n}\nroute {\nerror /gone 502\nrespond ok\n}"
	s.load()
	before, _ := s.scrape()
	s.pay("1000000000000000")
	const clients = 64
	var next atomic.Int64
	var running sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	for range clients {
		running.Go(func() {
			for n := next.Add(1); n <= int64(*paidRequests); n = next.Add(1) {
				if err := s.visit(transport, n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	if t.Failed() {
		return
	}
	report := s.audit()
	after, _ := s.scrape()
	grown := increases(before, after)
	if got, want := amount.Sum(report.Totals.Charges), exactly(t, grown["paydoor_charged_units_total"+ofUSD]); got != want {
		t.Errorf("the revenue is %v by the metric and %v by the audit", want, got)
	}
	if got, want := report.Totals.ChargeCount, grown["paydoor_charges_total"+ofUSD]; float64(got) != want {
		t.Errorf("there were %v charges by the metric and %v by the audit", want, got)
	}
	if grown["paydoor_refunds_total"+ofUSD] == 0 || report.Totals.Credits != (balances.Sum{Lo: 1_000_000_000_000_000}) {
		t.Errorf("%v refunds, %v credited", grown["paydoor_refunds_total"+ofUSD], report.Totals.Credits)
	}
}

// visit makes the n-th request: every seventh is dear, every eleventh finds the backend gone.
func (s *server) visit(transport http.RoundTripper, n int64) error {
	path, status := "/", http.StatusOK
	switch {
	case n%11 == 0:
		path, status = "/gone", http.StatusBadGateway
	case n%7 == 0:
		path = "/dear/" + strconv.FormatInt(n, 10)
	}
	request, err := http.NewRequest(http.MethodGet, "http://"+s.gateway+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Pay-Token", token)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	if err == nil && response.StatusCode != status {
		err = fmt.Errorf("request %d to %s gets %s", n, path, response.Status)
	}
	return err
}

// audit returns what the ledger of the running server says.
func (s *server) audit() balances.Report {
	s.t.Helper()
	app, ok := activeApp()
	if !ok {
		s.t.Fatal("no app is running")
	}
	report, err := app.opened.Load().books.ledger.Audit(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// exactly returns a shown number of units, which has to be small enough to be exact.
func exactly(t *testing.T, units float64) amount.Sum {
	t.Helper()
	if units < 0 || units > 1<<53 || units != float64(uint64(units)) {
		t.Fatalf("%v is not exact", units)
	}
	return amount.Sum{Lo: uint64(units)}
}

// TestAmountsAreCountedExactly counts beyond what a float64 holds: what is shown is the nearest to the exact sum, whatever came before.
func TestAmountsAreCountedExactly(t *testing.T) {
	var f flow
	f.add(1 << 53)
	for range 1000 {
		f.add(1)
	}
	f.add(amount.Max)
	f.add(amount.Max)
	n, sum := f.read()
	want, err := amount.ParseSum("36902495346673845222") // 2^53 + 1000 + 2*(2^64-1)
	if err != nil || n != 1003 || sum != want {
		t.Errorf("%d amounts make %v, not %v (%v)", n, sum, want, err)
	}
	if got := shown(amount.Sum{Lo: 1<<53 - 1}); got != 1<<53-1 {
		t.Errorf("2^53-1 is shown as %v", got)
	}
	if got := shown(want); got != 36902495346673845222 {
		t.Errorf("the sum is shown as %v", got)
	}
}

// TestUnconfirmedCreditsAreCounted breaks a link before it took the fulfillment.
func TestUnconfirmedCreditsAreCounted(t *testing.T) {
	s := newServer(t)
	s.load()
	before, _ := s.scrape()
	unconfirmed(pooledLogger())("bob", 25)
	unconfirmed(pooledLogger())("bob", 17)
	after, _ := s.scrape()
	grown := increases(before, after)
	if grown[`paydoor_unconfirmed_credits_total{link="bob"}`] != 2 || grown[`paydoor_unconfirmed_units_total{link="bob"}`] != 42 {
		t.Errorf("unconfirmed: %v", grown)
	}
}

// TestMetricsWithoutAdmin serves the metrics on a site, of a server whose admin endpoint is off.
func TestMetricsWithoutAdmin(t *testing.T) {
	s := newServer(t)
	s.site = "paywall {\nprice 10\nfree /metrics\n}\nroute {\nmetrics /metrics\nrespond paid\n}"
	for range 2 {
		if err := s.tryLoad(strings.Replace(s.caddyfile(), "admin "+s.admin, "admin off", 1)); err != nil {
			t.Fatal(err)
		}
		if a := s.do(http.MethodGet, "/metrics"); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "\npaydoor_ready 1\n") {
			t.Errorf("the site shows %s: %.300s", a.Status, a.body)
		}
	}
}
