// Package spsp is the server's side of the Simple Payment Setup Protocol (RFC 9) on net/http: what a question may say, how often it may be
// asked, and what the answer looks like. Who is paid, and how quotes are minted, is the caller's.
package spsp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Path is that of a payment pointer without one (RFC 26), and what the paths of further pointers of a host begin with.
const Path = "/.well-known/pay"

// ContentType is that of an Answer.
const ContentType = "application/spsp4+json"

// Answer says how to pay: the answer to one question, for one payer.
type Answer struct {
	Address  string   // ILP address of the receiver
	Secret   [32]byte // shared with the payer, who pays by STREAM
	Receipts bool     // STREAM receipts are given, as the question asked
}

// Write sends the answer, with status 200. It is for nobody's cache: two payers with one secret would mix their connections.
func (a Answer) Write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", ContentType)
	w.Header().Set("Cache-Control", "no-cache, private")
	_ = json.NewEncoder(w).Encode(struct { // a client that left
		Destination  string `json:"destination_account"`
		SharedSecret []byte `json:"shared_secret"` // base64 with padding
		Receipts     bool   `json:"receipts_enabled,omitempty"`
	}{a.Address, a.Secret[:], a.Receipts})
}

// AllowWebPages lets every web page ask how to pay (RFC 9).
func AllowWebPages(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Headers", "web-monetization-id")
}

// WritePreflight answers the preflight requests of browsers.
func WritePreflight(w http.ResponseWriter) {
	AllowWebPages(w.Header())
	w.Header().Set("Access-Control-Allow-Methods", "GET, OPTIONS")
	w.WriteHeader(http.StatusNoContent)
}

// What RFC 9 wants in the answer of status 404 to a question about somebody who cannot be paid: members "id" and "message".
const (
	InvalidReceiverID      = "InvalidReceiverError"
	InvalidReceiverMessage = "Invalid receiver"
)

// ReceiptTerms are what a verifier of receipts (RFC 39) chooses for one payment.
type ReceiptTerms struct {
	Nonce  [16]byte
	Secret [32]byte
}

// String keeps the secret out of logs.
func (t ReceiptTerms) String() string { return fmt.Sprintf("receipts of nonce %x", t.Nonce) }

// GoString keeps the secret out of logs.
func (t ReceiptTerms) GoString() string { return t.String() }

// HeaderError says that a header of a question cannot be used.
type HeaderError struct {
	Header string
	Why    string // what is to be sent instead; it never shows the value
}

// Error implements error.
func (e *HeaderError) Error() string { return e.Header + ": " + e.Why }

// ReadReceiptTerms reads Receipt-Nonce and Receipt-Secret, base64 or base64url; nil without either. The error is a *HeaderError.
func ReadReceiptTerms(h http.Header) (*ReceiptTerms, error) {
	nonces, secrets := h.Values("Receipt-Nonce"), h.Values("Receipt-Secret")
	if len(nonces) == 0 && len(secrets) == 0 {
		return nil, nil
	}
	terms := new(ReceiptTerms)
	if len(nonces) != 1 || !DecodeExactly(terms.Nonce[:], nonces[0]) {
		return nil, &HeaderError{"Receipt-Nonce", "it is base64 of 16 bytes, and comes with Receipt-Secret"}
	}
	if len(secrets) != 1 || !DecodeExactly(terms.Secret[:], secrets[0]) {
		return nil, &HeaderError{"Receipt-Secret", "it is base64 of 32 bytes, and comes with Receipt-Nonce"}
	}
	return terms, nil
}

// DecodeExactly fills b from base64 or base64url, padded or not; ok is false where it is anything else.
func DecodeExactly(b []byte, text string) (ok bool) {
	text = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && copy(b, decoded) == len(b) && len(decoded) == len(b)
}
