// Package paywall is the paid request on net/http: it takes a prepaid price from the balance of the request's Pay-Token before
// the backend is called, keeps it when the backend answers, gives it back when the backend does not, and tells who has not
// paid how to pay (seed 003, "Paid HTTP APIs").
//
// It stands in front of any handler. It knows neither Caddy nor the ledger behind it nor the node that receives payments;
// it reaches them through Ledger and Quoter.
//
//	wall, err := paywall.New(paywall.Config{
//		Ledger: ledger,                          // balances, by account
//		Quoter: quoter,                          // addresses and secrets to pay to
//		Prices: []paywall.Rule{{Price: 10}},     // every path costs 10
//	})
//	err = wall.ServeHTTP(w, r, func(w http.ResponseWriter, r *http.Request) error {
//		backend.ServeHTTP(w, r)              // runs only when 10 units are reserved
//		return nil
//	})
package paywall

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/paydoor/paydoor/amount"
)

// Next is the rest of the handler chain: the backend. An error from it, with nothing written, means that there was no
// response.
type Next = func(http.ResponseWriter, *http.Request) error

// Config says what a Paywall charges and whom it asks. Ledger, Quoter and Prices are required.
type Config struct {
	Ledger Ledger
	Quoter Quoter

	// Prices are the price rules, in any order: the most specific one that matches decides (see Rule). One of them must
	// cover every path, so that nothing is free by accident.
	Prices []Rule
	// MaxBalance is the most that a token can hold; 0: there is no maximum. Nobody could pay a price above it, so such a rule is refused, and
	// a body that would cost more is too long.
	MaxBalance amount.Amount
	// RefundOn are backend statuses that count as undelivered: the request is answered, and not charged.
	RefundOn []StatusRange
	// Realm separates balances: the same token has one balance per realm. Empty, or up to 128 printable ASCII characters.
	Realm string
	// Prefer is the payment method named in Pay unless the request's Pay-Accept asks for the other. Default: PSK2.
	Prefer Method
	// Asset tells what the units of prices and balances are; ok is false while it is not known. May be nil.
	Asset func() (asset Asset, ok bool)
	// Pointers answers the payment pointers of tokens, at /.well-known/pay/; nil: tokens have none.
	Pointers *Pointers
	// PointerBase is scheme and host of the site where Pointers are answered, such as "https://pay.example.com"; "": this one.
	PointerBase string
	// CORS answers browsers on priced routes; nil leaves that to the backend.
	CORS *CORS
	// PassBackend402 hands a backend's own 402 to the client, charged like any answer. Otherwise it becomes a 502.
	PassBackend402 bool

	// Random gives fresh tokens and charge ids. Default: crypto/rand.
	Random io.Reader
	// Ended says whether an error of a request's body or of its answer means that this server has ended the connection. What net/http's
	// own servers say is known; this is for others, as for HTTP/3. May be nil.
	Ended func(error) bool
	// Observe is told of each step, on the request's goroutine and before the client sees the result. May be nil.
	Observe func(*http.Request, *Event)
}

// Paywall charges requests. It is safe for concurrent use and has nothing to close.
type Paywall struct {
	config Config
	prices *priceTable
	ids    chargeIDs
}

// New checks the config; its errors say what to write instead.
func New(config Config) (*Paywall, error) {
	if config.Ledger == nil || config.Quoter == nil {
		return nil, errors.New("paywall: a ledger and a quoter are needed")
	}
	if len(config.Realm) > 128 || strings.ContainsFunc(config.Realm, func(c rune) bool { return c < 0x21 || c > 0x7e }) {
		return nil, fmt.Errorf("paywall: realm %q: write up to 128 printable ASCII characters without spaces", config.Realm)
	}
	switch config.Prefer {
	case "":
		config.Prefer = PSK2
	case PSK2, STREAM:
	default:
		return nil, fmt.Errorf("paywall: unknown payment method %q: write %s or %s", config.Prefer, PSK2, STREAM)
	}
	if err := config.CORS.validate(); err != nil {
		return nil, err
	}
	if err := checkPointerBase(config.PointerBase); err != nil {
		return nil, err
	}
	prices, err := newPriceTable(config.Prices, config.MaxBalance)
	if err != nil {
		return nil, err
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	if config.Ended == nil {
		config.Ended = func(error) bool { return false }
	}
	if config.Observe == nil {
		config.Observe = func(*http.Request, *Event) {}
	}
	p := &Paywall{config: config, prices: prices}
	return p, p.ids.init(config.Random)
}

// ServeHTTP answers r, or has it answered by next when it is free or its price is reserved.
//
// It returns next's error unchanged. If next wrote nothing, the price has been given back by then, and w.Header() already
// holds Pay and Pay-Balance for the error page that the server will write. A panic of next passes through, after the price
// has been given back if no response header was seen. The headers of r are changed in place (Pay* and friends are removed), so
// that nothing that handles r later can leak the token either.
//
// A request is charged once: when paywalls are nested, the outermost that sees a request decides for it.
func (p *Paywall) ServeHTTP(w http.ResponseWriter, r *http.Request, next Next) error {
	if decided(r.Context()) {
		return next(w, r)
	}
	if prob := checkRequest(r); prob != nil {
		p.refuse(w, r, prob)
		return nil
	}
	if p.config.Pointers != nil && p.config.Pointers.Serve(w, r) {
		return nil
	}
	if r.Method == http.MethodOptions {
		return p.serveOptions(w, r, next)
	}
	rule := p.prices.find(pricedMethod(r), requestPath(r))
	if rule.Free {
		return p.serveFree(w, r, next)
	}
	return p.servePriced(w, r, next, rule)
}

// checkRequest refuses what would make the price, the token or the headers ambiguous, whatever the route costs.
func checkRequest(r *http.Request) *problem {
	if namesPayHeader(r.Header["Connection"]) {
		return badConnection
	}
	if r.Method == http.MethodOptions && r.URL.Path == "*" {
		return nil
	}
	return checkPath(r)
}

// early says whether r came before its TLS handshake was complete, here or at a proxy before this server (RFC 8470). Whoever has seen the packets
// of such a request, and need not be able to read them, can send them again, and would spend the balance.
func early(r *http.Request) bool {
	return r.TLS != nil && !r.TLS.HandshakeComplete || len(r.Header["Early-Data"]) > 0
}

func (p *Paywall) serveFree(w http.ResponseWriter, r *http.Request, next Next) error {
	cleanRequest(r, keepWebSocket)
	rw := newResponseWriter(w, freeGate{})
	defer rw.finish()
	return next(rw, withoutCharge(r))
}

// servePriced is the road of every paid request: price, token, reserve, backend, outcome.
func (p *Paywall) servePriced(w http.ResponseWriter, r *http.Request, next Next, rule *Rule) error {
	cost, prob := rule.costOf(r)
	if prob != nil {
		p.refuse(w, r, prob)
		return nil
	}
	tok, prob := p.token(r)
	if prob != nil {
		p.refuse(w, r, prob)
		return nil
	}
	if tok.size == 0 {
		p.requirePayment(w, r, tok, cost.price, 0)
		return nil
	}
	if early(r) {
		p.refuse(w, r, tooEarly)
		return nil
	}
	account := tok.account(p.config.Realm)
	reservation, balance, err := reserve(r.Context(), p.config.Ledger, account, cost.price)
	switch {
	case err != nil:
		p.unavailable(w, r, account, err)
		return nil
	case reservation == nil:
		p.requirePayment(w, r, tok, cost.price, balance)
		return nil
	}
	return p.forward(w, r, next, newCharge(p, r, tok, account, cost, reservation))
}
