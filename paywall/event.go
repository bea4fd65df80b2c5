package paywall

// This file is what a paywall tells its observer, for metrics, placeholders and logs. It carries no token and no secret.

import (
	"net/http"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

// Outcome names one step in the life of a request on a priced route.
type Outcome string

// The outcomes. A request has one of Quoted, Refused, Invalid, Unavailable; or Reserved and then Settled, Released or Unsettled.
const (
	Quoted      Outcome = "quoted"      // a price query was answered
	Refused     Outcome = "refused"     // 402: the balance does not cover the price
	Invalid     Outcome = "invalid"     // 400, 411, 413 or 425: the request cannot be priced or its token cannot be read, or it may be a replay
	Unavailable Outcome = "unavailable" // 503: the ledger or the node cannot answer; nothing was charged
	Reserved    Outcome = "reserved"    // the price is set aside and the backend is about to be called
	Settled     Outcome = "settled"     // charged, and durable
	Released    Outcome = "released"    // the backend did not deliver; nothing was charged
	Unsettled   Outcome = "unsettled"   // 503: the backend delivered, the ledger could not take the charge
)

// Event is one step of one request. Fields that a step does not know are zero. It never changes once it was told.
type Event struct {
	Outcome  Outcome
	Account  balances.Account
	ChargeID string        // from Reserved on; also sent to the backend as Paydoor-Charge-Id
	Price    amount.Amount // what the request costs at most
	Charged  amount.Amount // what was taken: with Settled
	Balance  amount.Amount // spendable after the step
	Status   int           // of the answer, where it is known: the backend's for Settled and Released
	Err      error         // what went wrong: Unavailable, Unsettled, Released; never contains a token
}

func (p *Paywall) observe(r *http.Request, e *Event) { p.config.Observe(r, e) }
