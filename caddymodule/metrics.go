package caddymodule

// This file shows Prometheus what the process has counted and how it is. docs/metrics.md explains each series.
//
// Every config of Caddy has a registry of its own. The one collector of the process is registered with each, so that counts go on
// across reloads; what is a state, and no count, is looked up at each scrape. No label names a token or the account of a client. Packets are
// counted in packets.go.

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/paywall"
	"github.com/paydoor/paydoor/store"
)

// collector is a prometheus.Collector without a state of its own.
type collector struct{}

var (
	ofAsset = []string{"asset", "scale"}

	requestsDesc       = describe("requests_total", "Requests on priced routes, by what became of them.", "outcome")
	refusedDesc        = describe("payment_required_total", "Requests that were answered 402 because the balance did not cover the price.")
	conversionsDesc    = describe("conversions_total", "Quotes of a 402 that were then paid in full.")
	chargesDesc        = describe("charges_total", "Charges.", ofAsset...)
	chargedDesc        = describe("charged_units_total", "Sum of all charges, in base units: the revenue.", ofAsset...)
	creditsDesc        = describe("credits_total", "Payments that were credited.", ofAsset...)
	creditedDesc       = describe("credited_units_total", "Sum of all payments that were credited, in base units.", ofAsset...)
	refundsDesc        = describe("refunds_total", "Prices that were given back because the backend did not deliver.", ofAsset...)
	refundedDesc       = describe("refunded_units_total", "Sum of the prices that were given back, in base units.", ofAsset...)
	unconfirmedDesc    = describe("unconfirmed_credits_total", "Credits whose fulfillment the neighbour may not have got, by link.", "link")
	unconfirmedSumDesc = describe("unconfirmed_units_total", "Sum of the credits whose fulfillment the neighbour may not have got.", "link")
	conflictsDesc      = describe("conflicts_total", "Packets that came again with other content and were refused.")
	lostEventsDesc     = describe("events_lost_total", "Events that were not announced because their handlers could not keep up.")
	linkDesc           = describe("link_up", "Whether the link to a neighbour is up.", "link", "relation")
	readyDesc          = describe("ready", "Whether payments can be received and requests charged.")
	poisonedDesc       = describe("poisoned", "Whether the ledger has failed and needs a restart.", "data_dir")
	freeDesc           = describe("free_bytes", "What is free in the file system of the ledger.", "data_dir")
	floorDesc          = describe("min_free_bytes", "Below how much free space no money is taken.", "data_dir")
	backlogDesc        = describe("backlog_groups", "Groups of changes that wait for the disk.", "data_dir")
)

var descriptions = []*prometheus.Desc{
	requestsDesc, refusedDesc, conversionsDesc, chargesDesc, chargedDesc, creditsDesc, creditedDesc, refundsDesc, refundedDesc,
	unconfirmedDesc, unconfirmedSumDesc, conflictsDesc, lostEventsDesc, linkDesc, readyDesc, poisonedDesc,
	backlogDesc, freeDesc, floorDesc, packetsDesc, unitsDesc,
	settlementsDesc, settledDesc, unclearDesc, pendingDesc, pendingSinceDesc, leftoverDesc,
}

// The histograms are of the process, like the counts.
var (
	groupChanges = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "paydoor_group_changes", Help: "Changes that became durable together.", Buckets: prometheus.ExponentialBuckets(1, 2, 13),
	})
	syncSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "paydoor_sync_seconds", Help: "How long it took to make a group of changes durable.", Buckets: prometheus.ExponentialBuckets(100e-6, 2, 17),
	})
)

// observeGroup is told of each group of changes by the store.
func observeGroup(c store.Commit) {
	groupChanges.Observe(float64(c.Joins))
	syncSeconds.Observe(c.Took.Seconds())
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("paydoor_"+name, help, labels, nil)
}

// registerMetrics adds the process's metrics to the registry of a config. Several modules of a config may ask for it.
func registerMetrics(ctx caddy.Context) error {
	registry := ctx.GetMetricsRegistry()
	if registry == nil {
		return nil
	}
	var already prometheus.AlreadyRegisteredError
	if err := registry.Register(collector{}); err != nil && !errors.As(err, &already) {
		return fmt.Errorf("registering the metrics: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		to <- d
	}
	groupChanges.Describe(to)
	syncSeconds.Describe(to)
	packetSeconds.Describe(to)
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	for i, outcome := range outcomes {
		to <- counter(requestsDesc, float64(counts.outcomes[i].Load()), string(outcome))
	}
	to <- counter(refusedDesc, float64(counts.outcomes[slices.Index(outcomes[:], paywall.Refused)].Load()))
	to <- counter(conversionsDesc, float64(counts.conversions.Load()))
	to <- counter(conflictsDesc, float64(counts.conflicts.Load()))
	to <- counter(lostEventsDesc, float64(counts.lostEvents.Load()))
	groupChanges.Collect(to)
	syncSeconds.Collect(to)
	collectPackets(to)
	c.collectMoney(to)
	c.collectState(to)
}

func (collector) collectMoney(to chan<- prometheus.Metric) {
	counts.mu.Lock()
	defer counts.mu.Unlock()
	pair := func(f *flow, count, units *prometheus.Desc, labels ...string) {
		n, sum := f.read()
		to <- counter(count, float64(n), labels...)
		to <- counter(units, shown(sum), labels...)
	}
	for asset, t := range counts.tallies {
		code, scale := asset.Code, strconv.Itoa(int(asset.Scale))
		pair(&t.charged, chargesDesc, chargedDesc, code, scale)
		pair(&t.credited, creditsDesc, creditedDesc, code, scale)
		pair(&t.refunded, refundsDesc, refundedDesc, code, scale)
	}
	for neighbour, f := range counts.unconfirmed {
		pair(f, unconfirmedDesc, unconfirmedSumDesc, string(neighbour))
	}
	collectSettled(to, pair)
}

func (collector) collectState(to chan<- prometheus.Metric) {
	to <- gauge(readyDesc, truth(runningReadiness().Ready))
	if app, ok := activeApp(); ok {
		if r := app.opened.Load(); r != nil {
			for _, account := range r.node.Status().Accounts {
				if account.HasLink {
					to <- gauge(linkDesc, truth(account.Up), string(account.ID), account.Relation)
				}
			}
			r.collectSettlement(to)
		}
	}
	booksPool.Range(func(_, value any) bool {
		if b, ok := value.(*books); ok {
			b.collect(to)
		}
		return true
	})
}

// collect shows the state of one data directory.
func (b *books) collect(to chan<- prometheus.Metric) {
	to <- gauge(poisonedDesc, truth(errors.Is(b.store.Err(), store.ErrPoisoned)), b.dir)
	to <- gauge(backlogDesc, float64(b.store.Backlog()), b.dir)
	if free, floor, err := b.store.Space(); err == nil {
		to <- gauge(freeDesc, float64(free), b.dir)
		to <- gauge(floorDesc, float64(floor), b.dir)
	}
}

// shown is a sum as Prometheus takes it: exact up to 2^53, then the nearest float64. It is of the exact sum, so errors do not add up.
func shown(sum amount.Sum) float64 { return float64(sum.Hi)*(1<<64) + float64(sum.Lo) }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func counter(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

var _ prometheus.Collector = collector{}
