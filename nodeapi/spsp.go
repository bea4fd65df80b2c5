package nodeapi

// This file answers whoever wants to pay an account: SPSP (RFC 9), an address and a secret of their own for each query.

import (
	"errors"
	"net/http"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
	"github.com/paydoor/paydoor/spsp"
)

// Quoter mints what it takes to pay an account, as *receiver.Receiver does.
type Quoter interface {
	QuoteAccount(uuid string, address ilpcore.Address, receipts *receiver.ReceiptTerms) (receiver.Quote, error)
}

// rustSPSP answers GET /accounts/:username/spsp.
func (a *API) rustSPSP(w http.ResponseWriter, r *request) { a.spsp(w, r, r.account) }

// rustWellKnown answers GET /.well-known/pay for the account of Config.SPSP.
func (a *API) rustWellKnown(w http.ResponseWriter, r *request) {
	if a.spspAccount == "" {
		writeProblem(w, problemDetails{
			Status: http.StatusNotFound, Detail: "no default spsp account was configured: write default_spsp_account in the ilp block", Extra: invalidReceiver(),
		})
		return
	}
	a.spsp(w, r, a.spspAccount)
}

// spsp answers with the address and the secret with which to pay the account. Everybody may ask, web pages too; what one client asks too
// often is 429.
func (a *API) spsp(w http.ResponseWriter, r *request, id ilpcore.AccountID) {
	spsp.AllowWebPages(w.Header())
	if !a.askers.Allow(a.client(r.Request), a.now()) {
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problemDetails{Status: http.StatusTooManyRequests, Detail: "you ask too often how to pay; wait a moment"})
		return
	}
	receipts, err := readReceiptTerms(r.Header)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	s, err := a.find(id)
	if err != nil {
		writeProblem(w, problemDetails{
			Type: rustTypes + "accounts/account-not-found", Title: "Account Not Found", Status: http.StatusNotFound, Detail: err.Error(), Extra: invalidReceiver(),
		})
		return
	}
	address, ok := a.node.AddressOf(id)
	if _, _, ready := a.node.Address(); ready && !ok {
		writeProblem(w, problemDetails{
			Status: http.StatusNotFound, Detail: "this account cannot be paid here: it has no address below this node's; give it an ilp_address", Extra: invalidReceiver(),
		})
		return
	}
	quote, err := a.quoter.QuoteAccount(s.UUID, address, receipts)
	if errors.Is(err, receiver.ErrNoAddress) {
		w.Header().Set("Retry-After", "5")
		writeProblem(w, problemDetails{Status: http.StatusServiceUnavailable, Detail: "the node has not learned its address yet; try again in a moment"})
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	spsp.Answer{Address: quote.Address, Secret: quote.SharedSecret, Receipts: receipts != nil}.Write(w)
}

// readReceiptTerms reads what a verifier of receipts asks for; nil without. The error is a *FieldError.
func readReceiptTerms(h http.Header) (*receiver.ReceiptTerms, error) {
	terms, err := spsp.ReadReceiptTerms(h)
	var wrong *spsp.HeaderError
	if errors.As(err, &wrong) {
		return nil, &FieldError{Field: wrong.Header, Why: wrong.Why}
	}
	return (*receiver.ReceiptTerms)(terms), err
}

// invalidReceiver is what RFC 9 wants of a 404.
func invalidReceiver() map[string]any {
	return map[string]any{"id": spsp.InvalidReceiverID, "message": spsp.InvalidReceiverMessage}
}

// rustSPSPOptions answers the preflight requests of browsers.
func (a *API) rustSPSPOptions(w http.ResponseWriter, _ *request) {
	spsp.WritePreflight(w)
}
