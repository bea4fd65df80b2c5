package cli

// This file says what became of a payment that was not made in full, and which way leads on without paying twice.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// errNotWhole is the end of a payment of which not all was sent.
var errNotWhole = errors.New("only a part of the amount was paid")

// payment is what is needed to say how to go on.
type payment struct {
	account, key string
	amount       string // that was to be sent
	repeats      bool   // it may: the key was given on the command line
}

// failed says what an error of the request means for the payment. What is not known to have failed is StatusUnknown.
func (p payment) failed(cmd *cobra.Command, err error) error {
	no, ok := errors.AsType[*refusal](err)
	switch {
	case !ok && ExitStatus(err) == StatusUnknown:
		return p.again(err)
	case !ok:
		return err
	case ofProxy(no.answer):
		said := strings.TrimSpace(fmt.Sprintf("%d %s", no.Status, http.StatusText(no.Status)))
		return p.again(fmt.Errorf("a proxy in front of the node answers %s; whether the payment was made is unknown", said))
	case no.Status == http.StatusConflict && no.answer.header.Get("Retry-After") != "":
		return p.again(err) // it is under way
	case p.repeats && no.Status == http.StatusServiceUnavailable && no.answer.header.Get("Retry-After") != "":
		return p.again(err) // the node did not look whether the key was used before
	case no.Status == http.StatusConflict && !errorTitled(no.answer, otherInput):
		return p.look(err) // the node was stopped in the middle of it
	}
	var body struct{ Receipt json.RawMessage }
	if json.Unmarshal(no.answer.body, &body) != nil {
		return err
	}
	r, wrong := decodeRecord(body.Receipt)
	if wrong != nil {
		return err
	}
	if flying(r) != "" {
		err = p.look(fmt.Errorf("%w: %s", notTold(r), reason(no.answer)))
	} else {
		if r.text("sent_amount") != "0" {
			err = fmt.Errorf("%w: %s", errNotWhole, reason(no.answer))
		}
		err = p.over(err)
	}
	return errors.Join(err, output(cmd, no.answer.body, func(w io.Writer) error { receiptTable(w, r); return nil }))
}

// otherInput is the title of the 409 to a key of another payment, at our node and at interledger-rs.
const otherInput = "Provided idempotency key is tied to other input"

func errorTitled(a answer, title string) bool {
	var p problem
	return json.Unmarshal(a.body, &p) == nil && p.Title == title
}

// ofProxy says whether an answer comes from something between here and the node, which may have lost the node's.
func ofProxy(a answer) bool {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return a.status == http.StatusBadGateway || a.status == http.StatusGatewayTimeout || a.status >= 500 && kind != problemType
}

// flying is what is in flight; "" is nothing.
func flying(r record) string {
	if n := r.text("in_flight_amount"); n != "0" {
		return n
	}
	return ""
}

func notTold(r record) error {
	return fmt.Errorf("nobody told what became of %s base units", flying(r))
}

// again is err, and that the same command finds out.
func (p payment) again(err error) error {
	return failure{fmt.Errorf("%w: run the command again with --idempotency-key %s within 24 hours; later, look at paydoor node accounts payments %s first",
		err, clean(p.key), clean(p.account)), StatusUnknown}
}

// look is err, and that the same command would only say it again.
func (p payment) look(err error) error {
	return failure{fmt.Errorf("%w; before you pay with another key than %s, look at paydoor node accounts payments %s", err, clean(p.key), clean(p.account)), StatusUnknown}
}

// over is err of a payment that has ended. A key from the command line comes back with the next run of the same command, which would find the old answer.
func (p payment) over(err error) error {
	if !p.repeats {
		return err
	}
	return fmt.Errorf("%w; this stays the answer to the key %s for 24 hours: pay what is missing with another one", err, clean(p.key))
}

// receipt prints what was sent and what arrived, and returns an error if that is not all.
func (p payment) receipt(cmd *cobra.Command, a answer) error {
	r, err := decodeRecord(a.body)
	if err != nil {
		return p.again(fmt.Errorf("%w; whether the payment was made is unknown", err))
	}
	if err := output(cmd, a.body, func(w io.Writer) error { receiptTable(w, r); return nil }); err != nil {
		// Who runs the command anew for the receipt must not pay anew.
		return p.again(fmt.Errorf("the payment was made, and its receipt could not be printed: %w", err))
	}
	if flying(r) != "" {
		return p.look(notTold(r))
	}
	if r.text("successfulPayment") == "no" {
		return errNotWhole
	}
	if sent := r.text("sent_amount", "amountSent"); sent != "" && sent != p.amount {
		return fmt.Errorf("%w: %s of %s; the rest may be too little to arrive as anything", errNotWhole, sent, p.amount)
	}
	return nil
}

// receiptTable reads the receipts of all dialects.
func receiptTable(w io.Writer, r record) {
	named(w, "from", r.text("from", "accountId"))
	named(w, "to", r.text("to", "destinationPaymentPointer", "destinationAddress"))
	code, scale := r.text("source_asset_code", "sent_asset_code", "assetCode"), r.text("source_asset_scale", "sent_asset_scale", "assetScale")
	named(w, "asked", units(r.text("source_amount", "originalAmount"), code, scale))
	named(w, "sent", units(r.text("sent_amount", "amountSent"), code, scale))
	named(w, "in flight", units(flying(r), code, scale))
	code, scale = r.text("destination_asset_code", "delivered_asset_code"), r.text("destination_asset_scale", "delivered_asset_scale")
	named(w, "delivered", units(r.text("delivered_amount", "amountDelivered"), code, scale))
	if proof := r.text("stream_receipt"); proof != "" {
		named(w, "receipt", proof)
	}
}
