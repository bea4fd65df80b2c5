package nodeapi

// This file answers, in the dialects of interledger-rs, POST /accounts/:username/payments: the node pays for an account.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/spsp"
)

// Sender makes payments.
type Sender interface {
	// Pay sends what o says and returns when it is known what became of it. The Delivery holds also with an error, which says in words
	// for the account's holder why not all was sent.
	Pay(ctx context.Context, o Outgoing) (Delivery, error)
}

// Outgoing is what an account wants paid.
type Outgoing struct {
	From     ilpcore.AccountID
	UUID     string        // of From
	Receiver string        // a payment pointer, $…, or the URL of an SPSP endpoint
	Amount   amount.Amount // to send, in the account's base units; above 0
	Slippage uint32        // how much less may arrive than the rates say, in parts per million; 0 to 1,000,000

	Receipts *spsp.ReceiptTerms // the receiver has to prove under these terms what it gets (RFC 39), else nothing is paid; nil: it need not
}

// Delivery is what became of a payment.
type Delivery struct {
	To        ilpcore.Address // of the receiver; "" if that was never learned
	Sent      amount.Amount   // of fulfilled packets, in the account's base units
	InFlight  amount.Amount   // of packets whose outcome nobody told
	Delivered amount.Amount   // in the receiver's base units
	Asset     *ilpcore.Asset  // of the receiver, as it says; nil: it did not say
	Receipt   []byte          // the STREAM receipt of the most (RFC 39), 58 bytes; nil: the receiver gave none
}

// defaultSlippage is that of interledger-rs, 1.5 %.
const defaultSlippage = 15_000

// rustPay answers POST /accounts/:username/payments. With an Idempotency-Key, a request that is repeated within 24 hours gets the
// answer of the first and pays nothing, also after a restart; and what was begun goes on when the client leaves.
func (a *API) rustPay(w http.ResponseWriter, r *request) {
	o, err := readPayment(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	ctx := r.Context()
	key, given := r.Header["Idempotency-Key"]
	if given {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, done, ok := a.paying.begin(ctx)
	if !ok {
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problemDetails{Status: http.StatusServiceUnavailable, Detail: "the node is shutting down; try again"})
		return
	}
	defer done()
	if !given {
		status, body := a.pay(ctx, r, o)
		writeAnswer(w, status, body)
		return
	}
	status, body, err := a.once(r, strings.Join(key, ","), o.input(), func() (int, []byte) {
		return a.pay(ctx, r, o)
	})
	if err != nil {
		a.failOnce(w, r, err)
		return
	}
	writeAnswer(w, status, body)
}

// input is what requests with the same Idempotency-Key have to have in common. Only its hash is kept.
func (o Outgoing) input() string {
	text := fmt.Sprintf("%s %d %d", o.Receiver, o.Amount, o.Slippage)
	if o.Receipts != nil {
		text += fmt.Sprintf(" %x %x", o.Receipts.Nonce, o.Receipts.Secret)
	}
	return text
}

// readPayment reads receiver, source_amount and, of the newer dialect, slippage; and this node's own receipt_nonce and receipt_secret.
func readPayment(r *request) (Outgoing, error) {
	f, err := readFields(r)
	if err != nil {
		return Outgoing{}, err
	}
	f.require("receiver", "source_amount")
	o := Outgoing{From: r.account, Slippage: defaultSlippage}
	o.Receiver, _ = f.text("receiver")
	if _, ok := f.members["receiver"]; ok && o.Receiver == "" && len(f.bad) == 0 {
		f.wrong("receiver", "it is a payment pointer, such as $example.com/alice, or the URL of an SPSP endpoint")
	}
	if n := f.unsigned("source_amount", 64, 1); n != nil {
		o.Amount = amount.Amount(*n)
	}
	if text, given := f.number("slippage"); given {
		ppm, err := amount.ParseDecimal(text, 6)
		if err != nil || ppm > 1_000_000 {
			f.wrong("slippage", "it is a decimal number from 0 to 1 with at most six digits after the point, such as 0.015")
		}
		o.Slippage = uint32(ppm)
	}
	o.Receipts = readReceipts(f)
	return o, f.err()
}

// readReceipts reads receipt_nonce and receipt_secret; nil without either.
func readReceipts(f *fields) *spsp.ReceiptTerms {
	nonce, hasNonce := f.text("receipt_nonce")
	secret, hasSecret := f.text("receipt_secret")
	if !hasNonce && !hasSecret {
		return nil
	}
	terms := new(spsp.ReceiptTerms)
	if !spsp.DecodeExactly(terms.Nonce[:], nonce) {
		f.wrong("receipt_nonce", "it is base64 of 16 bytes, and comes with receipt_secret")
	}
	if !spsp.DecodeExactly(terms.Secret[:], secret) {
		f.wrong("receipt_secret", "it is base64 of 32 bytes, and comes with receipt_nonce")
	}
	return terms
}

// pay makes the payment, keeps what became of it in the account's history, and returns the answer to it.
func (a *API) pay(ctx context.Context, r *request, o Outgoing) (status int, body []byte) {
	s, err := a.find(o.From)
	if err != nil {
		return http.StatusNotFound, mustJSON(map[string]any{"type": rustTypes + "accounts/account-not-found", "title": "Account Not Found", "status": http.StatusNotFound})
	}
	o.UUID = s.UUID
	kept, err := a.beginPayment(ctx, r, s, o)
	if err != nil {
		a.logger.Error("a payment could not be written down, and was not made", zap.String("account", string(o.From)), zap.Error(err))
		return http.StatusServiceUnavailable, mustJSON(map[string]any{
			"type": "about:blank", "title": http.StatusText(http.StatusServiceUnavailable), "status": http.StatusServiceUnavailable,
			"detail": "the node cannot write payments down at the moment, so nothing was paid; try again later, with another Idempotency-Key",
		})
	}
	d, err := a.sender.Pay(connector.WithAlong(ctx, kept.along), o)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errBrokenOff
	}
	a.endPayment(ctx, kept, d, err)
	receipt := a.receipt(r.dialect, s, o, d)
	if err == nil {
		return http.StatusOK, mustJSON(receipt)
	}
	if older, ok := receipt.(receipt06); ok {
		flying := amountNumber(d.InFlight)
		older.InFlight = &flying
		receipt = older
	}
	a.logger.Info("a payment was not made in full", zap.String("account", string(o.From)), zap.String("receiver", shownReceiver(o.Receiver)),
		zap.Uint64("sent", uint64(d.Sent)), zap.Uint64("unknown", uint64(d.InFlight)), zap.Error(err))
	return http.StatusInternalServerError, mustJSON(failedPayment{
		Type: "about:blank", Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError,
		Detail: fmt.Sprintf("Error sending SPSP payment: %v", err), Receipt: receipt,
	})
}

// failedPayment is a problem that also says what was paid of a payment.
type failedPayment struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Receipt any    `json:"receipt"`
}

// errBrokenOff is why a payment ended whose context did.
var errBrokenOff = errors.New("it was broken off, because who asked for it has left, or the node is being stopped")

// receipt06 is what seed 001 answers.
type receipt06 struct {
	From           *string       `json:"from"`
	To             *string       `json:"to"`
	Sent           amountNumber  `json:"sent_amount"`
	SentScale      uint8         `json:"sent_asset_scale"`
	SentCode       string        `json:"sent_asset_code"`
	InFlight       *amountNumber `json:"in_flight_amount,omitempty"` // this node's own; of a payment that failed
	Delivered      amountNumber  `json:"delivered_amount"`
	DeliveredScale *uint8        `json:"delivered_asset_scale"` // null where the receiver did not say
	DeliveredCode  *string       `json:"delivered_asset_code"`
	Receipt        []byte        `json:"stream_receipt,omitempty"` // this node's own; in base64
}

// receipt10 is what interledger-rs 1.0 answers.
type receipt10 struct {
	From             *string      `json:"from"`
	To               *string      `json:"to"`
	SourceScale      uint8        `json:"source_asset_scale"`
	SourceCode       string       `json:"source_asset_code"`
	SourceAmount     amountNumber `json:"source_amount"` // that was to be sent
	Sent             amountNumber `json:"sent_amount"`   // with what is in flight
	InFlight         amountNumber `json:"in_flight_amount"`
	Delivered        amountNumber `json:"delivered_amount"`
	DestinationScale *uint8       `json:"destination_asset_scale"` // null where the receiver did not say
	DestinationCode  *string      `json:"destination_asset_code"`
	Receipt          []byte       `json:"stream_receipt,omitempty"`
}

// receipt returns what the dialect says of a payment.
func (a *API) receipt(dialect Dialect, s Settings, o Outgoing, d Delivery) any {
	var scale *uint8
	var code *string
	if d.Asset != nil {
		scale, code = &d.Asset.Scale, &d.Asset.Code
	}
	from, to, asset := filled(a.addressOf(s)), filled(string(d.To)), a.shownAsset(s)
	if dialect == Rust10 {
		return receipt10{
			From: from, To: to, SourceScale: asset.Scale, SourceCode: asset.Code, SourceAmount: amountNumber(o.Amount),
			Sent: amountNumber(d.Sent.Saturate(d.InFlight)), InFlight: amountNumber(d.InFlight), Delivered: amountNumber(d.Delivered),
			DestinationScale: scale, DestinationCode: code, Receipt: d.Receipt,
		}
	}
	return receipt06{
		From: from, To: to, Sent: amountNumber(d.Sent), SentScale: asset.Scale, SentCode: asset.Code,
		Delivered: amountNumber(d.Delivered), DeliveredScale: scale, DeliveredCode: code, Receipt: d.Receipt,
	}
}

// writeAnswer writes a JSON text: a receipt, or a problem.
func writeAnswer(w http.ResponseWriter, status int, body []byte) {
	kind := "application/json"
	if status >= 400 {
		kind = "application/problem+json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left
}
