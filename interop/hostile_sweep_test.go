package interop

// This file sends every hostile target with every method to every backend, behind a paywall where everything is priced by default
// and behind one where everything is free by default. Without money nothing priced is reached; with money nothing is reached for
// less than it costs. The same requests without a paywall show that the backends would have served them.

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// freeByDefault is where a price that is missed is no price at all.
const freeByDefault = `	paywall {
		free /*
		price /paid/* 10
		price /paid/secret 25
		price /book 10
	}
	reverse_proxy %s`

const noPaywall = "\treverse_proxy %s"

// sweepMethods are methods that backends serve, reject, or take for another one.
var sweepMethods = []string{"GET", "POST", "OPTIONS", "CONNECT", "get"}

// hostileVariant is one request of a sweep; its number is in X-Variant.
type hostileVariant struct{ method, target string }

func hostileVariants(methods []string) []hostileVariant {
	var all []hostileVariant
	for _, method := range methods {
		for _, target := range hostileTargets() {
			all = append(all, hostileVariant{method, target})
		}
	}
	return all
}

// hostileSweep is a site and what a run over all variants found.
type hostileSweep struct {
	name     string
	backend  *hostileBackend
	url      string
	address  string
	statuses map[int]int
}

func TestSweepOfTargets(t *testing.T) {
	backends := startHostileBackends(t)
	neighbour := newLink(t, "neighbour")
	config := gatewayConfig{address: "test.gateway", accounts: []string{neighbour.account()}, secure: true}
	var sweeps []*hostileSweep
	for _, site := range []struct{ name, text string }{{"priced by default", pricedByDefault}, {"free by default", freeByDefault}, {"no paywall", noPaywall}} {
		for _, b := range backends {
			config.sites = append(config.sites, fmt.Sprintf(site.text, b.address))
			sweeps = append(sweeps, &hostileSweep{name: b.name + ", " + site.name, backend: b})
		}
	}
	g := newGateway(t, config)
	for i, s := range sweeps {
		s.url, s.address = g.url(i), fmt.Sprintf("127.0.0.1:%d", g.sitePorts[i])
	}
	for _, s := range sweeps[8:] {
		t.Run(s.name, func(t *testing.T) { s.wouldBeServed(t) })
	}
	for i, s := range sweeps[:8] {
		t.Run(s.name+", without money", func(t *testing.T) { s.withoutMoney(t) })
		for _, over := range g.transports(t)[1:] {
			t.Run(s.name+", without money, "+over.name, func(t *testing.T) { s.withoutMoneyOver(t, over, i) })
		}
		t.Run(s.name+", with money", func(t *testing.T) {
			token := newToken()
			neighbour.credit(t, g, token, 1_000_000)
			s.withMoney(t, g, token)
		})
	}
}

// run sends all variants, each on a connection of its own, hands their answers to each, and returns what the backend saw.
func (s *hostileSweep) run(t *testing.T, all []hostileVariant, token string, each func(i int, x exchange)) []sighting {
	t.Helper()
	s.statuses = map[int]int{}
	for i, v := range all {
		x := talk(t, s.address, head(v.method+" "+v.target+" HTTP/1.1", "Pay-Token: "+token, fmt.Sprint("X-Variant: ", i), "Connection: close"))
		if len(x.responses) == 0 {
			t.Errorf("%s %s: no answer: %q", v.method, v.target, x.raw)
			continue
		}
		s.statuses[x.responses[len(x.responses)-1].StatusCode]++
		each(i, x)
	}
	return s.backend.seen(t)
}

// hits counts sightings of priced resources.
func hits(sightings []sighting) int {
	n := 0
	for _, seen := range sightings {
		if hostilePrices[seen.Resource] > 0 {
			n++
		}
	}
	return n
}

// wouldBeServed is the control: a plain reverse proxy lets the backend serve what is priced under many a spelling.
func (s *hostileSweep) wouldBeServed(t *testing.T) {
	all := hostileVariants([]string{"GET"})
	sightings := s.run(t, all, newToken(), func(int, exchange) {})
	spellings := map[string]bool{}
	for _, seen := range sightings {
		if hostilePrices[seen.Resource] > 0 {
			spellings[seen.Target] = true
		}
	}
	t.Logf("%d variants, %d hits, under %d spellings", len(all), hits(sightings), len(spellings))
	if len(spellings) < 10 {
		t.Errorf("the variants reach priced resources under %d spellings only: they prove nothing", len(spellings))
	}
}

func (s *hostileSweep) withoutMoney(t *testing.T) {
	all := hostileVariants(sweepMethods)
	if len(all) < 500 {
		t.Fatalf("%d variants, want at least 500", len(all))
	}
	sightings := s.run(t, all, newToken(), func(i int, x exchange) { x.checkAnswers(t, false) })
	s.wantNoHits(t, all, sightings)
}

func (s *hostileSweep) wantNoHits(t *testing.T, all []hostileVariant, sightings []sighting) {
	t.Helper()
	for _, seen := range sightings {
		if hostilePrices[seen.Resource] > 0 || seen.Resource == "tunnelled" {
			t.Errorf("without money the backend got %v as variant %s", seen, seen.Variant)
		}
	}
	t.Logf("%d variants: %s; the backend saw %d, %d of them on priced resources", len(all), s.counts(), len(sightings), hits(sightings))
	if s.statuses[http.StatusPaymentRequired] == 0 {
		t.Error("not one 402: the paywall was not asked")
	}
}

func (s *hostileSweep) counts() string {
	var words []string
	for _, status := range slices.Sorted(maps.Keys(s.statuses)) {
		words = append(words, fmt.Sprintf("%d of %d", s.statuses[status], status))
	}
	return strings.Join(words, ", ")
}

// withoutMoneyOver sends the targets as :path. An opaque URL goes out as it is.
func (s *hostileSweep) withoutMoneyOver(t *testing.T, over transport, site int) {
	client, token := over.open(t), newToken()
	root, err := url.Parse(over.url(site))
	if err != nil {
		t.Fatal(err)
	}
	var all []hostileVariant
	s.statuses = map[int]int{}
	for _, v := range hostileVariants([]string{"GET", "POST"}) {
		if _, err := url.ParseRequestURI(v.target); err != nil || v.target[0] != '/' || strings.HasPrefix(v.target, "//") {
			continue // the client does not send these, or sends them again for as long as the gateway resets their stream
		}
		request := &http.Request{Method: v.method, Host: root.Host, URL: &url.URL{Scheme: root.Scheme, Host: root.Host, Opaque: v.target},
			Header: http.Header{"Pay-Token": {token}, "X-Variant": {fmt.Sprint(len(all))}}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		response, err := client.Do(request.WithContext(ctx))
		if err != nil {
			t.Fatalf("%s %s: %v", v.method, v.target, err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		cancel()
		if err != nil {
			t.Fatalf("%s %s: %v", v.method, v.target, err)
		}
		all = append(all, v)
		s.statuses[response.StatusCode]++
		if text := fmt.Sprint(response.Header, response.Trailer, string(body)); strings.Contains(text, pricedContent) || strings.Contains(text, "forged") {
			t.Errorf("%s %s: %d %s", v.method, v.target, response.StatusCode, text)
		}
	}
	s.wantNoHits(t, all, s.backend.seen(t))
}

// withMoney wants each variant charged at least what the backend served costs, and nothing charged that it did not see, with the
// path that was priced; the charges of all answers add up to what is missing from the balance.
func (s *hostileSweep) withMoney(t *testing.T, g *gateway, token string) {
	all := hostileVariants([]string{"GET", "POST"})
	before := ask(t, g.url(0), token).balance
	left, charged := before, map[string]uint64{}
	sightings := s.run(t, all, token, func(i int, x exchange) {
		last := x.responses[len(x.responses)-1]
		if text := last.Header.Get("Pay-Balance"); text != "" {
			now, err := strconv.ParseUint(text, 10, 64)
			if err != nil || now > uint64(left) {
				t.Fatalf("Pay-Balance %q after %d", text, left)
			}
			charged[fmt.Sprint(i)], left = uint64(left)-now, amount.Amount(now)
		}
		x.checkAnswers(t, charged[fmt.Sprint(i)] > 0)
	})
	var sum uint64
	for _, c := range charged {
		sum += c
	}
	if after := ask(t, g.url(0), token).balance; uint64(before)-uint64(after) != sum {
		t.Errorf("the balance went from %d to %d, but the answers say %d was charged", before, after, sum)
	}
	for _, seen := range sightings {
		i, err := strconv.Atoi(seen.Variant)
		if err != nil {
			t.Errorf("the backend saw %v, which nobody sent", seen)
			continue
		}
		if owed := hostilePrices[seen.Resource]; charged[seen.Variant] < owed {
			t.Errorf("%s %q was charged %d, and the backend served what costs %d: %v", all[i].method, all[i].target, charged[seen.Variant], owed, seen)
		}
		if !samePath(all[i].target, seen.Target) || all[i].method != seen.Method {
			t.Errorf("%s %q was priced, and the backend saw %v", all[i].method, all[i].target, seen)
		}
	}
	t.Logf("%d variants: %s; the backend saw %d, %d of them on priced resources; %d charged", len(all), s.counts(), len(sightings), hits(sightings), sum)
}

// samePath says whether two targets have the same decoded path and the same query.
func samePath(sent, seen string) bool {
	sent, _, _ = strings.Cut(sent, " ") // a space ends the target
	a, err := url.ParseRequestURI(sent)
	if err != nil {
		return false
	}
	b, err := url.ParseRequestURI(seen)
	return err == nil && (a.Path == b.Path || a.Path == "" && b.Path == "/") && a.RawQuery == b.RawQuery
}
