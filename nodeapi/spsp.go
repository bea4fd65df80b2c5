package nodeapi

// This file answers whoever wants to pay an account: SPSP (RFC 9), an address and a secret of their own for each query.

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
)

// Quoter mints what it takes to pay an account, as *receiver.Receiver does.
type Quoter interface {
	QuoteAccount(id ilpcore.AccountID, address ilpcore.Address, receipts *receiver.ReceiptTerms) (receiver.Quote, error)
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
	allowWebPages(w)
	if !a.askers.allow(r.RemoteAddr, a.now()) {
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problemDetails{Status: http.StatusTooManyRequests, Detail: "you ask too often how to pay; wait a moment"})
		return
	}
	receipts, err := readReceiptTerms(r.Header)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	if _, err = a.find(id); err != nil {
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
	quote, err := a.quoter.QuoteAccount(id, address, receipts)
	if errors.Is(err, receiver.ErrNoAddress) {
		w.Header().Set("Retry-After", "5")
		writeProblem(w, problemDetails{Status: http.StatusServiceUnavailable, Detail: "the node has not learned its address yet; try again in a moment"})
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/spsp4+json")
	w.Header().Set("Cache-Control", "no-cache, private")                                             // a secret is one payer's own
	_ = json.NewEncoder(w).Encode(spspAnswer{quote.Address, quote.SharedSecret[:], receipts != nil}) // a client that left
}

type spspAnswer struct {
	Destination  string `json:"destination_account"`
	SharedSecret []byte `json:"shared_secret"` // base64 with padding
	Receipts     bool   `json:"receipts_enabled,omitempty"`
}

// readReceiptTerms reads Receipt-Nonce and Receipt-Secret, which a verifier of receipts sends (RFC 39); nil without. The error is a *FieldError.
func readReceiptTerms(h http.Header) (*receiver.ReceiptTerms, error) {
	nonces, secrets := h.Values("Receipt-Nonce"), h.Values("Receipt-Secret")
	if len(nonces) == 0 && len(secrets) == 0 {
		return nil, nil
	}
	terms := new(receiver.ReceiptTerms)
	if len(nonces) != 1 || !decodeExactly(terms.Nonce[:], nonces[0]) {
		return nil, &FieldError{Field: "Receipt-Nonce", Why: "it is base64 of 16 bytes, and comes with Receipt-Secret"}
	}
	if len(secrets) != 1 || !decodeExactly(terms.Secret[:], secrets[0]) {
		return nil, &FieldError{Field: "Receipt-Secret", Why: "it is base64 of 32 bytes, and comes with Receipt-Nonce"}
	}
	return terms, nil
}

// decodeExactly fills b from base64 or base64url, padded or not.
func decodeExactly(b []byte, text string) bool {
	text = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && copy(b, decoded) == len(b) && len(decoded) == len(b)
}

// invalidReceiver is what RFC 9 wants of a 404.
func invalidReceiver() map[string]any {
	return map[string]any{"id": "InvalidReceiverError", "message": "Invalid receiver"}
}

// rustSPSPOptions answers the preflight requests of browsers.
func (a *API) rustSPSPOptions(w http.ResponseWriter, _ *request) {
	allowWebPages(w)
	w.Header().Set("Access-Control-Allow-Methods", "GET, OPTIONS")
	w.WriteHeader(http.StatusNoContent)
}

// allowWebPages lets every web page ask how to pay (RFC 9).
func allowWebPages(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "web-monetization-id")
}
