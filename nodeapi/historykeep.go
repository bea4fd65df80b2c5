package nodeapi

// This file is what the API tells the history: of payments that it makes, and of those that come in (Historian).

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// What is kept of texts that others choose, in bytes.
const (
	longestReceiver = 2048
	longestWhy      = 500
)

// beginPayment writes down that o is about to be paid.
func (a *API) beginPayment(ctx context.Context, r *request, s Settings, o Outgoing) (*outgoingPayment, error) {
	return a.directory.history.begin(ctx, s.UUID, paymentDetails{
		Direction: sent, Begun: a.now().UTC(), Asset: a.shownAsset(s), Receiver: shownReceiver(o.Receiver), Source: o.Amount,
		Key: strings.Join(r.Header["Idempotency-Key"], ","),
	}, a.now)
}

// endPayment writes down what became of a payment; why is nil if all was sent.
func (a *API) endPayment(ctx context.Context, p *outgoingPayment, d Delivery, why error) {
	moved := p.moved()
	err := p.end(ctx, func(kept *paymentDetails) {
		kept.Destination, kept.InFlight, kept.Counts = d.To, d.InFlight, d.Asset
		if d.To != "" {
			kept.Delivered = &d.Delivered
		}
		switch {
		case why == nil:
			kept.State = stateCompleted
			return
		case moved > 0:
			kept.State = statePartial
		case d.InFlight > 0:
			kept.State = stateUnknown
		default:
			kept.State = stateFailed
		}
		kept.Why = cut(why.Error(), longestWhy)
	})
	if err != nil {
		a.logger.Error("how a payment ended could not be kept in the history", zap.String("payment", p.record.number.String()), zap.Error(err))
	}
}

// Arriving has the money of a packet counted in the history of the account that it is for.
func (a *API) Arriving(arrival *connector.Arrival, at time.Time) connector.Along {
	return a.directory.history.arrives(arrival.UUID, paymentDetails{
		Direction: received, Begun: at, Asset: Asset(arrival.Asset), Destination: ilpcore.Address(payable(arrival.Destination, arrival.Rest)), From: arrival.From,
	})
}

// Closed notes that the sender has closed what it paid.
func (a *API) Closed(arrival *connector.Arrival) {
	a.directory.history.close(arrival.UUID, payable(arrival.Destination, arrival.Rest), a.now())
}

// shownReceiver is the receiver of a payment as it is kept and logged: not at any length, and without user and password, which no receiver has. It is what
// the holder wrote, so it may be no URL at all.
func shownReceiver(text string) string {
	start := 0
	if i := strings.Index(text, "://"); i >= 0 {
		start = i + len("://")
	} else if strings.HasPrefix(text, "$") {
		start = 1
	}
	end := len(text)
	if i := strings.IndexAny(text[start:], "/?#"); i >= 0 {
		end = start + i
	}
	if at := strings.LastIndexByte(text[start:end], '@'); at >= 0 {
		text = text[:start] + "REDACTED" + text[start+at:]
	}
	return cut(text, longestReceiver)
}

// cut returns the beginning of a text, with at most so many bytes, and no half character at the end.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

var _ Historian = (*API)(nil)
