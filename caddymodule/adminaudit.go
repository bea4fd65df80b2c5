package caddymodule

// This file answers GET /paydoor/audit: everything that the ledger holds, added up and compared.

import (
	"errors"
	"net/http"

	"github.com/paydoor/paydoor/balances"
)

// auditAnswer is what an audit found. Sums are decimal strings, because they can be larger than what JSON readers keep exactly.
type auditAnswer struct {
	OK       bool   `json:"ok"`
	Problem  string `json:"problem,omitempty"` // what contradicts what, if not OK
	DataDir  string `json:"data_dir"`
	Asset    *Asset `json:"asset,omitempty"` // missing while the ledger has held no money
	Sequence uint64 `json:"sequence"`        // the group of changes after which the audit was made
	Accounts uint64 `json:"accounts"`
	Events   uint64 `json:"events"`

	Credits     string `json:"credits"`
	CreditCount uint64 `json:"credit_count"`
	Reversals   string `json:"reversals"`
	Charges     string `json:"charges"`
	ChargeCount uint64 `json:"charge_count"`
	Raised      string `json:"raised"`
	Lowered     string `json:"lowered"`
	Balances    string `json:"balances"`

	Losses []lossAnswer `json:"losses,omitempty"` // what was given up, oldest first

	// Accepted is the difference that was accepted just now, and is explained by adjustments since.
	Accepted string `json:"accepted,omitempty"`

	Since *countedAnswer `json:"since_start,omitempty"` // of a running server
}

// countedAnswer is what this process has counted for Prometheus, exactly.
type countedAnswer struct {
	Charged     string `json:"charged"`
	ChargeCount uint64 `json:"charge_count"`
	Credited    string `json:"credited"`
	CreditCount uint64 `json:"credit_count"`
}

func (a *adminRoutes) audit(w http.ResponseWriter, r *http.Request) error {
	b, held, err := adminLease()
	if err != nil {
		return err
	}
	defer held.end()
	report, err := b.ledger.Audit(r.Context())
	if err != nil && !errors.Is(err, balances.ErrAudit) {
		return adminError(err)
	}
	answer := audited(b.dir, b.ledger, report, err)
	if err == nil { // else the store has failed with the audit
		if answer.Losses, err = lossesOf(b.store); err != nil {
			return adminError(err)
		}
	}
	if t := b.tally.Load(); t != nil {
		answer.Since = new(countedAnswer)
		n, units := t.charged.read()
		answer.Since.ChargeCount, answer.Since.Charged = n, units.String()
		n, units = t.credited.read()
		answer.Since.CreditCount, answer.Since.Credited = n, units.String()
	}
	return writeJSON(w, http.StatusOK, answer)
}

// audited puts a report into words; err is what the audit has found, if it did.
func audited(dir string, ledger *balances.Ledger, r balances.Report, err error) *auditAnswer {
	t := r.Totals
	answer := &auditAnswer{
		OK: err == nil, DataDir: dir, Sequence: r.Sequence, Accounts: r.Accounts, Events: r.Events,
		Credits: t.Credits.String(), CreditCount: t.CreditCount, Reversals: t.Reversals.String(), Charges: t.Charges.String(),
		ChargeCount: t.ChargeCount, Raised: t.Raised.String(), Lowered: t.Lowered.String(), Balances: r.Balances.String(),
	}
	if err != nil {
		answer.Problem = err.Error()
	}
	if asset, pinned := ledger.Asset(); pinned {
		answer.Asset = &Asset{Code: asset.Code, Scale: asset.Scale}
	}
	return answer
}
