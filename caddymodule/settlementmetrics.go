package caddymodule

// This file shows Prometheus what was settled, and what of it is unanswered or left over. Its label account is the name of an account of the node,
// which the operator has given.

import (
	"math/big"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
)

var (
	ofAccount = []string{"account", "asset", "scale"}

	settlementsDesc  = describe("settlements_total", "Settlements, by what became of them.", append(ofAccount, "outcome")...)
	settledDesc      = describe("settled_units_total", "Sum of the settlements, in base units of the account.", append(ofAccount, "outcome")...)
	unclearDesc      = describe("settlement_unclear_total", "Calls to settlement engines without a clear answer, which are made again.", ofAccount...)
	pendingDesc      = describe("settlement_pending_units", "What is being settled and unanswered, in base units of the account.", append(ofAccount, "state")...)
	pendingSinceDesc = describe("settlement_pending_seconds", "How long a settlement has been unanswered.", append(ofAccount, "state")...)
	leftoverDesc     = describe("settlement_leftover_units", "What settlements have brought that is less than a base unit of the account.", ofAccount...)
)

// settledBy is what settlements are counted by.
type settledBy struct {
	account ilpcore.AccountID
	asset   ilpcore.Asset
	outcome nodeapi.SettlementOutcome
}

// countSettlement counts what the node's API tells of.
func countSettlement(e nodeapi.SettlementEvent) {
	by := settledBy{e.Account, ilpcore.Asset(e.Asset), e.Outcome}
	counts.mu.Lock()
	f := counts.settled[by]
	if f == nil {
		f = new(flow)
		counts.settled[by] = f
	}
	counts.mu.Unlock()
	f.add(e.Amount)
}

// collectSettled shows the counts. Their lock is held.
func collectSettled(to chan<- prometheus.Metric, pair func(f *flow, count, units *prometheus.Desc, labels ...string)) {
	for by, f := range counts.settled {
		labels := labelsOf(by.account, by.asset)
		if by.outcome == nodeapi.SettlementUnclear {
			n, _ := f.read()
			to <- counter(unclearDesc, float64(n), labels...)
			continue
		}
		pair(f, settlementsDesc, settledDesc, append(labels, string(by.outcome))...)
	}
}

func labelsOf(account ilpcore.AccountID, asset ilpcore.Asset) []string {
	return []string{string(account), asset.Code, strconv.Itoa(int(asset.Scale))}
}

// collectSettlement shows what is unanswered, and what is left over. What cannot be read is left out: paydoor_poisoned tells why, at each scrape.
func (r *running) collectSettlement(to chan<- prometheus.Metric) {
	_, held, err := r.lease()
	if err != nil {
		return
	}
	defer held.end()
	api := r.books.newest(r).api
	pending, err := api.PendingSettlements()
	if err != nil {
		r.app.logger.Debug("settlements that are unanswered cannot be read for the metrics", zap.Error(err))
	}
	for _, p := range pending {
		labels := append(labelsOf(p.Account, ilpcore.Asset(p.Asset)), p.State)
		to <- gauge(pendingDesc, shown(p.Amount.Sum()), labels...)
		to <- gauge(pendingSinceDesc, time.Since(p.Since).Seconds(), labels...)
	}
	left, err := api.Leftovers()
	if err != nil {
		r.app.logger.Debug("what settlements have left over cannot be read for the metrics", zap.Error(err))
	}
	for _, l := range left {
		to <- gauge(leftoverDesc, inUnits(l), labelsOf(l.Account, ilpcore.Asset(l.Asset))...)
	}
}

// inUnits is what is left over in base units of the account, as Prometheus takes it: below 1.
func inUnits(l nodeapi.Leftover) float64 {
	units, ok := new(big.Rat).SetString(l.Quantity.Amount + "e-" + strconv.Itoa(int(l.Quantity.Scale)-int(l.Asset.Scale)))
	if !ok {
		return 0
	}
	f, _ := units.Float64()
	return f
}
