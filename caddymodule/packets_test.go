package caddymodule

// This file has two nodes of this process pay, and adds up what Prometheus is shown of their packets.

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// gathered returns what Prometheus is shown of packets: by "name{values of the labels}", in the order of their names.
func gathered(t *testing.T) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	if err := registry.Register(collector{}); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := make(map[string]float64)
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "paydoor_packet") {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			name := strings.TrimPrefix(family.GetName(), "paydoor_") + "{" + strings.Join(labels, " ") + "}"
			series[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return series
}

func TestMetricsCountPackets(t *testing.T) {
	near, far := newTwin(t, "near"), newTwin(t, "far")
	both := `"ilp_over_http_incoming_token":"` + peerToken + `","ilp_over_http_outgoing_token":"` + peerToken + `","ilp_over_http_url":"`
	near.asks(t, "POST", "/accounts", "", userBody("alice", aliceToken), http.StatusOK)
	far.asks(t, "POST", "/accounts", "", userBody("bob", bobToken), http.StatusOK)
	near.asks(t, "POST", "/accounts", "", peerBody("far", both+far.url+`/accounts/near/ilp"`), http.StatusOK)
	far.asks(t, "POST", "/accounts", "", peerBody("near", both+near.url+`/accounts/far/ilp"`), http.StatusOK)
	before := gathered(t)
	near.pays(t, "alice", aliceToken, far.url+"/accounts/bob/spsp", "1000")
	if reply := near.ping(t, "test.far.nobody", 7); reply.Fulfilled || reply.Code != ilpcore.F02 {
		t.Fatalf("%+v", reply)
	}
	grown := increases(before, gathered(t))
	// asset, code, direction, link, outcome, relation, scale
	for _, side := range []string{"incoming  fulfilled non_routing", "outgoing far fulfilled peer", "incoming near fulfilled peer", "outgoing  fulfilled non_routing"} {
		labels := "{USD  " + side + " 9}"
		if got := grown["packet_units_total"+labels]; got != 1000 {
			t.Errorf("%s: %v units of 1000", side, got)
		}
		if got := grown["packets_total"+labels]; got < 3 || got < grown["packets_total{USD  outgoing far fulfilled peer 9}"] { // route messages come in too
			t.Errorf("%s: %v packets", side, got)
		}
	}
	for _, side := range []string{"incoming  rejected local", "outgoing far rejected peer", "incoming near rejected peer"} {
		if got := grown["packet_units_total{USD F02 "+side+" 9}"]; got != 7 {
			t.Errorf("%s: %v units of 7: %v", side, got, grown)
		}
	}
	sums := make(map[string]float64)
	for name, n := range grown {
		for _, direction := range []string{"incoming", "outgoing"} {
			if strings.HasPrefix(name, "packets_total{") && strings.Contains(name, direction) {
				sums[direction] += n
			}
		}
		if strings.Contains(name, "alice") || strings.Contains(name, "bob") {
			t.Errorf("%s names a holder", name)
		}
	}
	for direction, n := range sums {
		// A route message may be under way while they are read.
		if timed := grown["packet_seconds{"+direction+"}"]; n == 0 || timed < n-2 || timed > n+2 {
			t.Errorf("%v packets are %s, and %v were timed", n, direction, timed)
		}
	}
}

// TestCodesOfNeighboursMakeNoSeries counts codes that nobody has registered as one.
func TestCodesOfNeighboursMakeNoSeries(t *testing.T) {
	before := gathered(t)
	for i := range 26 {
		countPacket(connector.Passage{Account: "odd", Amount: 1, Reject: ilpcore.Code{'F', '0', 'A' + byte(i)}})
	}
	grown := increases(before, gathered(t))
	if len(grown) != 3 || grown["packets_total{ other incoming odd rejected peer 0}"] != 26 {
		t.Errorf("%v", grown)
	}
}
