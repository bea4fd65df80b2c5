package nodeapi

// This file answers GET /accounts/{account}/payments, an endpoint of this node's own, in each dialect's way: the history of an account.

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// registerPayments registers the history, whatever the dialect.
func (a *API) registerPayments(e endpoints) {
	e.add("GET /accounts/{account}/payments", holder, a.rustHistory, a.javaHistory)
}

// rustPayment is a payment in the dialects of interledger-rs: names with underscores, amounts as integers. Members that say nothing about payments
// of its direction are left out.
type rustPayment struct {
	ID          string            `json:"id"`
	Direction   string            `json:"direction"`
	State       string            `json:"state"`
	Begun       string            `json:"timestamp"` // RFC 3339
	Changed     string            `json:"updated"`
	Amount      amountNumber      `json:"amount"` // that the balance fell or rose by
	Code        string            `json:"asset_code"`
	Scale       uint8             `json:"asset_scale"`
	Packets     uint64            `json:"packets"`
	Destination ilpcore.Address   `json:"destination,omitempty"`
	From        ilpcore.AccountID `json:"from_username,omitempty"`
	Closed      *bool             `json:"connection_closed,omitempty"`

	Receiver  string        `json:"receiver,omitempty"`
	Source    *amountNumber `json:"source_amount,omitempty"`
	InFlight  *amountNumber `json:"in_flight_amount,omitempty"`
	Delivered *amountNumber `json:"delivered_amount,omitempty"`
	ToCode    *string       `json:"destination_asset_code,omitempty"`
	ToScale   *uint8        `json:"destination_asset_scale,omitempty"`
	Key       string        `json:"idempotency_key,omitempty"`
	Why       string        `json:"error,omitempty"`
}

// rustForgotten is the sums of payments that are not kept any more.
type rustForgotten struct {
	Sent             string `json:"sent_amount"` // decimal strings: they may have more than 64 bits
	SentPayments     uint64 `json:"sent_payments"`
	Received         string `json:"received_amount"`
	ReceivedPayments uint64 `json:"received_payments"`
	Until            string `json:"until"`
}

// rustHistory answers in the dialects of interledger-rs.
func (a *API) rustHistory(w http.ResponseWriter, r *request) {
	p, now, err := a.historyOf(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	answer := historyIn[rustPayment, rustForgotten](a, p, now, rustPaymentOf)
	if f := p.earlier; !f.Until.IsZero() {
		answer.Earlier = &rustForgotten{f.Sent.String(), f.SentPayments, f.Received.String(), f.ReceivedPayments, stamp(f.Until)}
	}
	writeJSON(w, http.StatusOK, answer)
}

// historyAnswer is a page of the history in the words of a dialect.
type historyAnswer[Payment, Forgotten any] struct {
	Payments []Payment  `json:"payments"`
	Next     *string    `json:"next"`
	Earlier  *Forgotten `json:"earlier,omitempty"`
}

// historyIn returns the page but for what is earlier.
func historyIn[Payment, Forgotten any](a *API, p historyPage, now time.Time, show func(paymentRecord, string) Payment) historyAnswer[Payment, Forgotten] {
	answer := historyAnswer[Payment, Forgotten]{Payments: make([]Payment, 0, len(p.payments)), Next: p.cursor()}
	for _, one := range p.payments {
		answer.Payments = append(answer.Payments, show(one, a.directory.history.stateOf(one, now)))
	}
	return answer
}

// historyOf reads the page that r asks for.
func (a *API) historyOf(r *request) (p historyPage, now time.Time, err error) {
	s, err := a.find(r.account)
	if err != nil {
		return p, now, err
	}
	q, err := readPageQuery(r.Request)
	if err == nil {
		p, err = a.directory.history.page(s.UUID, q)
	}
	return p, a.now(), err
}

// cursor is next as clients get it.
func (p historyPage) cursor() *string {
	if p.next == nil {
		return nil
	}
	text := p.next.String()
	return &text
}

func rustPaymentOf(p paymentRecord, state string) rustPayment {
	d := p.details
	shown := rustPayment{
		ID: p.number.String(), Direction: d.Direction, State: state, Begun: stamp(d.Begun), Changed: stamp(p.changed), Amount: amountNumber(p.units),
		Code: d.Asset.Code, Scale: d.Asset.Scale, Packets: p.packets, Destination: d.Destination, From: d.From,
		Receiver: d.Receiver, Delivered: (*amountNumber)(d.Delivered), Key: d.Key, Why: d.Why,
	}
	if d.Direction == received {
		shown.Closed = &d.Closed
		return shown
	}
	shown.Source, shown.InFlight = (*amountNumber)(&d.Source), (*amountNumber)(&d.InFlight)
	if d.Counts != nil {
		shown.ToCode, shown.ToScale = &d.Counts.Code, &d.Counts.Scale
	}
	return shown
}

// stamp writes a time as RFC 3339 has it, in UTC.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// javaPayment is a payment in the words of the Java connector: other names, and all numbers as decimal strings.
type javaPayment struct {
	ID          string            `json:"paymentId"`
	Direction   string            `json:"direction"`
	State       string            `json:"state"`
	Begun       string            `json:"createdAt"`
	Changed     string            `json:"modifiedAt"`
	Amount      amount.Amount     `json:"amount,string"`
	Code        string            `json:"assetCode"`
	Scale       string            `json:"assetScale"`
	Packets     string            `json:"packets"`
	Destination ilpcore.Address   `json:"destinationAddress,omitempty"`
	From        ilpcore.AccountID `json:"sourceAccountId,omitempty"`
	Closed      *bool             `json:"connectionClosed,omitempty"`

	Receiver  string         `json:"destinationPaymentPointer,omitempty"`
	Source    *amount.Amount `json:"originalAmount,string,omitempty"`
	InFlight  *amount.Amount `json:"inFlightAmount,string,omitempty"`
	Delivered *amount.Amount `json:"amountDelivered,string,omitempty"`
	ToCode    *string        `json:"destinationAssetCode,omitempty"`
	ToScale   *string        `json:"destinationAssetScale,omitempty"`
	Key       string         `json:"idempotencyKey,omitempty"`
	Why       string         `json:"error,omitempty"`
}

// javaForgotten is rustForgotten in the words of the Java connector.
type javaForgotten struct {
	Sent             string `json:"sentAmount"`
	SentPayments     string `json:"sentPayments"`
	Received         string `json:"receivedAmount"`
	ReceivedPayments string `json:"receivedPayments"`
	Until            string `json:"until"`
}

// javaHistory answers in the dialect of the Java connector.
func (a *API) javaHistory(w http.ResponseWriter, r *request) {
	p, now, err := a.historyOf(r)
	if err != nil {
		if field := new(FieldError); errors.As(err, &field) { // of the query: nothing is wrong with the account
			a.rustFail(w, r, err)
			return
		}
		a.javaFail(w, r, r.account, err)
		return
	}
	answer := historyIn[javaPayment, javaForgotten](a, p, now, javaPaymentOf)
	if f := p.earlier; !f.Until.IsZero() {
		answer.Earlier = &javaForgotten{f.Sent.String(), digits(f.SentPayments), f.Received.String(), digits(f.ReceivedPayments), stamp(f.Until)}
	}
	writeJSON(w, http.StatusOK, answer)
}

func javaPaymentOf(p paymentRecord, state string) javaPayment {
	d := p.details
	shown := javaPayment{
		ID: p.number.String(), Direction: d.Direction, State: state, Begun: stamp(d.Begun), Changed: stamp(p.changed), Amount: p.units,
		Code: d.Asset.Code, Scale: digits(uint64(d.Asset.Scale)), Packets: digits(p.packets), Destination: d.Destination, From: d.From,
		Receiver: d.Receiver, Delivered: d.Delivered, Key: d.Key, Why: d.Why,
	}
	if d.Direction == received {
		shown.Closed = &d.Closed
		return shown
	}
	shown.Source, shown.InFlight = &d.Source, &d.InFlight
	if d.Counts != nil {
		scale := digits(uint64(d.Counts.Scale))
		shown.ToCode, shown.ToScale = &d.Counts.Code, &scale
	}
	return shown
}

func digits(n uint64) string { return strconv.FormatUint(n, 10) }
