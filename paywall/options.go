package paywall

// This file answers OPTIONS: price queries, preflights, and what else a client may ask of a priced route.

import (
	"net/http"
	"strconv"

	"github.com/paydoor/paydoor/amount"
)

// allow lists the methods of a priced route. Which of them exist is the backend's business, and it is not asked unpaid.
const allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

func (p *Paywall) serveOptions(w http.ResponseWriter, r *http.Request, next Next) error {
	if r.URL.Path == "*" {
		p.serveAllow(w, r)
		return nil
	}
	rules := p.prices.candidates(requestPath(r))
	switch {
	case rules == nil:
		return p.serveFree(w, r, next)
	case isPreflight(r):
		return p.servePreflight(w, r, next)
	}
	tok, prob := p.token(r)
	if prob == nil && tok.size == 0 {
		p.serveAllow(w, r)
		return nil
	}
	if prob == nil {
		prob = p.serveQuote(w, r, tok, rules)
	}
	if prob != nil {
		p.refuse(w, r, prob)
	}
	return nil
}

func isPreflight(r *http.Request) bool {
	return len(r.Header["Origin"]) > 0 && len(r.Header["Access-Control-Request-Method"]) > 0
}

func (p *Paywall) serveAllow(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	p.isolate(h)
	h["Allow"] = []string{allow}
	p.config.CORS.share(h, r)
	w.WriteHeader(http.StatusNoContent)
}

// servePreflight answers a browser's question whether a page may send a request. It costs nothing and shows no price.
func (p *Paywall) servePreflight(w http.ResponseWriter, r *http.Request, next Next) error {
	if p.config.CORS != nil {
		p.isolate(w.Header())
		p.config.CORS.answer(w, r)
		return nil
	}
	// Without upgrades and without a body: either would make a free ride of a preflight, which has neither.
	cleanRequest(r, noUpgrade)
	dropBody(r)
	rw := newResponseWriter(w, preflightGate{})
	defer rw.finish()
	err := next(rw, withoutCharge(r))
	if !rw.wrote {
		rw.gate.final(rw, 0) // the server will answer, with these headers
	}
	return err
}

// serveQuote is the price query of seed 003: 204 with Pay and Pay-Balance. It writes nothing anywhere, and the same query
// gets the same answer until the balance or the address changes. OPTIONS does not name the method that it asks for, so of the
// rules on the path's most specific pattern the dearest is quoted.
func (p *Paywall) serveQuote(w http.ResponseWriter, r *http.Request, tok token, rules map[string]*Rule) *problem {
	var dearest cost
	var prob *problem
	for _, rule := range rules {
		c, refused := rule.costOfQuery(r)
		if refused != nil {
			prob = refused
		} else if c.price > dearest.price {
			dearest = c
		}
	}
	if dearest.price == 0 {
		return prob
	}
	account := tok.account(p.config.Realm)
	balance, err := p.config.Ledger.Balance(r.Context(), account)
	if err != nil {
		p.unavailable(w, r, account, err)
		return nil
	}
	quote, err := p.config.Quoter.Quote(QuoteRequest{Token: tok.bytes[:tok.size], Account: account, Price: dearest.price})
	if err != nil {
		p.unavailable(w, r, account, err)
		return nil
	}
	h := w.Header()
	p.isolate(h)
	h["Pay"] = []string{payLine(p.method(r), quote, dearest.price)}
	h["Pay-Balance"] = []string{balance.String()}
	p.nameAsset(h)
	p.config.CORS.share(h, r)
	p.offerTopUp(h, r, account)
	p.observe(r, &Event{Outcome: Quoted, Account: account, Price: dearest.price, Balance: balance, Status: http.StatusNoContent})
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// method is the payment method to name to the sender of r.
func (p *Paywall) method(r *http.Request) Method {
	return acceptedMethod(r.Header["Pay-Accept"], p.config.Prefer)
}

// payLine is the value of Pay: method, address, secret and price, as in seed 003, section 2.2.
func payLine(method Method, q Quote, price amount.Amount) string {
	return string(appendPayLine(nil, method, q, price))
}

func appendPayLine(b []byte, method Method, q Quote, price amount.Amount) []byte {
	b = append(append(b, method...), ' ')
	b = append(append(b, q.Address...), ' ')
	b = append(append(b, q.Secret...), ' ')
	return strconv.AppendUint(b, uint64(price), 10)
}
