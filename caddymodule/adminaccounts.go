package caddymodule

// This file answers what the operator asks of one account: its balance and past, and a change by hand.

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

// accountAnswer is an account. Amounts are decimal strings of base units.
type accountAnswer struct {
	Account   string        `json:"account"`
	Asset     *Asset        `json:"asset,omitempty"`
	Spendable string        `json:"spendable"`
	Durable   string        `json:"durable"`
	Reserved  string        `json:"reserved"`
	Earlier   uint64        `json:"earlier,omitempty"` // events before those in History
	History   []eventAnswer `json:"history"`           // oldest first
}

// eventAnswer is one event of an account's history.
type eventAnswer struct {
	Kind      string    `json:"kind"` // credited, reversed, raised, lowered, charged, folded
	At        time.Time `json:"at"`
	Sequence  uint64    `json:"sequence"`
	Amount    string    `json:"amount,omitempty"`    // of folded there are several instead
	Count     uint64    `json:"count,omitempty"`     // charged: how many charges make up the amount
	Condition string    `json:"condition,omitempty"` // credited and reversed: of the packet, hex
	Reason    string    `json:"reason,omitempty"`    // raised and lowered
	ID        string    `json:"id,omitempty"`        // raised and lowered: of the adjustment

	*foldedAnswer // only folded
}

// foldedAnswer is what events older than the retention add up to.
type foldedAnswer struct {
	Credits   string `json:"credits"`
	Reversals string `json:"reversals"`
	Charges   string `json:"charges"`
	Raised    string `json:"raised"`
	Lowered   string `json:"lowered"`
}

// The number of events that show returns by default, and at most.
const (
	defaultEvents = 20
	maxEvents     = 10_000
)

func (a *adminRoutes) show(w http.ResponseWriter, r *http.Request) error {
	account, err := pathAccount(r)
	if err != nil {
		return err
	}
	limit := defaultEvents
	if text := r.URL.Query().Get("events"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 0 || limit > maxEvents {
			return caddy.APIError{HTTPStatus: http.StatusBadRequest, Err: fmt.Errorf("events is a number from 0 to %d", maxEvents)}
		}
	}
	b, held, err := adminLease()
	if err != nil {
		return err
	}
	defer held.end()
	balance, err := b.ledger.Balance(r.Context(), account)
	if err != nil {
		return adminError(err)
	}
	answer := accountAnswer{
		Account: hex.EncodeToString(account[:]), Spendable: balance.Spendable.String(), Durable: balance.Durable.String(),
		Reserved: balance.Reserved.String(), History: []eventAnswer{},
	}
	if asset, pinned := b.ledger.Asset(); pinned {
		answer.Asset = &Asset{Code: asset.Code, Scale: asset.Scale}
	}
	err = b.ledger.History(r.Context(), account, func(e balances.Event) error {
		if len(answer.History) == 2*limit { // keep the newest, moving them now and then
			answer.History = answer.History[:copy(answer.History, answer.History[limit:])]
			answer.Earlier += uint64(limit)
		}
		if limit == 0 {
			answer.Earlier++
			return nil
		}
		answer.History = append(answer.History, eventOf(e))
		return nil
	})
	if more := len(answer.History) - limit; more > 0 {
		answer.Earlier += uint64(more)
		answer.History = answer.History[more:]
	}
	if err != nil {
		return adminError(err)
	}
	return writeJSON(w, http.StatusOK, answer)
}

func eventOf(e balances.Event) eventAnswer {
	answer := eventAnswer{At: e.At.UTC(), Sequence: e.Sequence, Amount: e.Amount.String(), Reason: e.Note, ID: e.ID}
	switch e.Kind {
	case balances.Credited:
		answer.Kind, answer.Condition = "credited", hex.EncodeToString(e.Condition[:])
	case balances.Reversed:
		answer.Kind, answer.Condition = "reversed", hex.EncodeToString(e.Condition[:])
	case balances.Raised:
		answer.Kind = "raised"
	case balances.Lowered:
		answer.Kind = "lowered"
	case balances.Settled:
		answer.Kind, answer.Count, answer.Amount = "charged", e.Count, e.Charges.String()
	case balances.Folded:
		s := e.Sums
		answer.Kind, answer.Amount, answer.Count = "folded", "", s.ChargeCount
		answer.foldedAnswer = &foldedAnswer{s.Credits.String(), s.Reversals.String(), s.Charges.String(), s.Raised.String(), s.Lowered.String()}
	default:
		answer.Kind = fmt.Sprintf("unknown (%q)", byte(e.Kind))
	}
	return answer
}

// adjustRequest is a change of a balance by hand.
type adjustRequest struct {
	Direction string `json:"direction"` // credit or debit
	Amount    string `json:"amount"`    // in base units
	Reason    string `json:"reason"`
	ID        string `json:"id"` // of the adjustment: with the same one it is made once
}

// adjustAnswer is what came of it.
type adjustAnswer struct {
	Account   string `json:"account"`
	Direction string `json:"direction"`
	Amount    string `json:"amount"`
	Asset     *Asset `json:"asset,omitempty"`
	ID        string `json:"id"`
	Spendable string `json:"spendable"` // afterwards
}

func (a *adminRoutes) adjust(w http.ResponseWriter, r *http.Request) error {
	account, err := pathAccount(r)
	if err != nil {
		return err
	}
	var request adjustRequest
	if err := readJSON(w, r, &request); err != nil {
		return err
	}
	units, err := request.check()
	if err != nil {
		return caddy.APIError{HTTPStatus: http.StatusBadRequest, Err: err}
	}
	b, held, err := adminLease()
	if err != nil {
		return err
	}
	defer held.end()
	if err := held.running.pinForAdjustment(); err != nil {
		return adminError(err)
	}
	spendable, err := b.ledger.Adjust(r.Context(), balances.Adjustment{
		Account: account, Amount: units, Lower: request.Direction == "debit", Max: held.running.settings.maxBalance,
		Note: request.Reason, ID: request.ID,
	})
	if err != nil {
		return adminError(err)
	}
	answer := adjustAnswer{
		Account: hex.EncodeToString(account[:]), Direction: request.Direction, Amount: units.String(), ID: request.ID, Spendable: spendable.String(),
	}
	if asset, _ := b.ledger.Asset(); asset.Code != "" {
		answer.Asset = &Asset{Code: asset.Code, Scale: asset.Scale}
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (a *adjustRequest) check() (amount.Amount, error) {
	units, err := amount.Parse(a.Amount)
	switch {
	case err != nil || units == 0:
		return 0, errors.New("amount is a positive whole number of base units, as a string")
	case a.Direction != "credit" && a.Direction != "debit":
		return 0, errors.New("direction is credit or debit")
	case a.Reason == "" || len(a.Reason) > balances.MaxNote || !utf8.ValidString(a.Reason):
		return 0, fmt.Errorf("reason is a text of 1 to %d bytes: it is kept in the history", balances.MaxNote)
	case a.ID == "" || len(a.ID) > balances.MaxID || !utf8.ValidString(a.ID):
		return 0, fmt.Errorf("id is a text of 1 to %d bytes of your own: with the same one, the adjustment is made once", balances.MaxID)
	}
	return units, nil
}

// pinForAdjustment makes the node's asset the one that the ledger counts, should the first money come by hand.
func (r *running) pinForAdjustment() error {
	_, asset, ok := r.node.Address()
	if !ok {
		asset = r.settings.asset
	}
	if pinned, _ := r.books.ledger.Asset(); pinned.Code != "" {
		return nil
	}
	if asset.Code == "" {
		return errNoAsset
	}
	return r.books.pin(asset)
}

var errNoAsset = errors.New("the node has not learned from the parent account yet what it counts: wait until that link is up, or write asset into the ilp block")
