package nodeapi

// This file answers, in the dialects of interledger-rs, what is about the node as a whole: its status and its exchange rates.

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/paydoor/paydoor/connector"
)

// rustStatus answers GET /.
func (a *API) rustStatus(w http.ResponseWriter, _ *request) {
	address, _, ready := a.node.Address()
	status := "Ready"
	if !ready {
		status = "Waiting for an address"
	} else if a.directory.store.Ready() != nil {
		status = "Not taking payments"
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": status, "ilp_address": string(address), "version": a.version})
}

// nodeStatus answers GET /status, an endpoint of this node's own: the state of the node and of each account, with balances, and the
// settlements that are unanswered.
func (a *API) nodeStatus(w http.ResponseWriter, r *request) {
	status, problem := a.node.Status(), ""
	unfit := a.directory.store.Ready()
	if unfit != nil { // what cannot be written down is not taken
		status.Ready, problem = false, unfit.Error()
	}
	pending, err := a.PendingSettlements()
	if err != nil && unfit == nil {
		a.fail(w, r, err)
		return
	}
	var shown []shownPending // null: a store that has failed cannot be asked
	if err == nil {
		shown = make([]shownPending, 0, len(pending))
	}
	for _, p := range pending {
		shown = append(shown, p.show())
	}
	writeJSON(w, http.StatusOK, nodeState{status, problem, shown})
}

// nodeState is the answer of GET /status.
type nodeState struct {
	connector.Status
	Problem     string         `json:"problem,omitempty"` // of the store
	Settlements []shownPending `json:"settlements"`
}

// rustRates answers GET /rates.
func (a *API) rustRates(w http.ResponseWriter, _ *request) {
	writeJSON(w, http.StatusOK, a.shownRates())
}

// rustSetRates answers PUT /rates: the body, {asset code: rate}, replaces all rates, each a number or a string above 0 that is read
// digit by digit. It answers with the same as numbers.
func (a *API) rustSetRates(w http.ResponseWriter, r *request) {
	f, err := readFields(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	rates := make(map[string]string, len(f.members))
	for code := range f.members {
		text, given := f.number(code)
		if !given {
			continue
		}
		rate, err := connector.ParseRate(text)
		if err != nil {
			f.wrong(code, "a rate is a decimal number above 0, such as 1.25, with at most 40 digits before and after the point")
		}
		rates[code] = rate.String()
	}
	if err = f.err(); err == nil {
		err = a.setRates(r.Context(), rates)
	}
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, a.shownRates())
}

// shownRates returns the rates as JSON numbers with a point, as interledger-rs writes them, and all their digits.
func (a *API) shownRates() map[string]json.Number {
	shown := make(map[string]json.Number)
	for code, rate := range a.rates.All() {
		text := rate.String()
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		shown[code] = json.Number(text)
	}
	return shown
}
