package paywall

// This file sends the answers that the paywall gives in the backend's place: 402, 400s and 503.

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

// requirePayment answers 402 with everything that is needed to pay. It does not touch r.Body, so a client that waits for
// 100 Continue has not sent it in vain. A client without a token gets a fresh one, for which nothing is stored.
func (p *Paywall) requirePayment(w http.ResponseWriter, r *http.Request, tok token, price, balance amount.Amount) {
	minted := tok.size == 0
	if minted {
		var err error
		if tok, err = freshToken(p.config.Random); err != nil {
			p.unavailable(w, r, balances.Account{}, err)
			return
		}
	}
	account := tok.account(p.config.Realm)
	shortfall, _ := price.Sub(balance)
	quote, err := p.config.Quoter.Quote(QuoteRequest{
		Token: tok.bytes[:tok.size], Account: account, Price: price, Shortfall: shortfall, OneTime: true,
	})
	if err != nil {
		p.unavailable(w, r, account, err)
		return
	}
	method := p.method(r)
	h := w.Header()
	p.isolate(h)
	h["Pay"] = []string{payLine(method, quote, price)}
	h["Pay-Balance"] = []string{balance.String()}
	if minted {
		h["Pay-Token"] = []string{tok.text()}
	}
	p.nameAsset(h)
	p.config.CORS.share(h, r)
	topUp := p.offerTopUp(h, r, account)
	p.observe(r, &Event{Outcome: Refused, Account: account, Price: price, Balance: balance, Status: http.StatusPaymentRequired})
	p.paymentRequired(&tok, minted, price, balance, method, quote, topUp).write(w, r)
}

// refuse answers a request that cannot be priced or paid as it is.
func (p *Paywall) refuse(w http.ResponseWriter, r *http.Request, prob *problem) {
	h := w.Header()
	p.isolate(h)
	p.config.CORS.share(h, r)
	p.observe(r, &Event{Outcome: Invalid, Status: prob.Status, Err: errors.New(prob.Detail)})
	prob.write(w, r)
}

// unavailable answers 503: the fault is ours, so it is never a 402 (P11).
func (p *Paywall) unavailable(w http.ResponseWriter, r *http.Request, account balances.Account, err error) {
	prob := ledgerUnavailable
	if errors.Is(err, ErrNoAddress) {
		prob = noAddress
	}
	h := w.Header()
	p.isolate(h)
	p.config.CORS.share(h, r)
	p.observe(r, &Event{Outcome: Unavailable, Account: account, Status: prob.Status, Err: err})
	prob.write(w, r)
}

// isolate marks an answer of ours: it depends on the token and no cache keeps it.
func (p *Paywall) isolate(h http.Header) {
	scrub(h)
	varyBy(h, "Pay-Token")
	h["Cache-Control"] = []string{"private, no-store"}
}

func (p *Paywall) asset() (Asset, bool) {
	if p.config.Asset == nil {
		return Asset{}, false
	}
	return p.config.Asset()
}

// nameAsset tells in Pay-Asset what the units of Pay and Pay-Balance are: code and scale.
func (p *Paywall) nameAsset(h http.Header) {
	if asset, ok := p.asset(); ok {
		h["Pay-Asset"] = []string{asset.Code + " " + strconv.Itoa(int(asset.Scale))}
	}
}
