package caddymodule

// This file declares the config of the paywall handler, and turns it into package paywall's.

import (
	"errors"
	"fmt"
	"strings"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/paywall"
)

// Paywall lets a request pass once its price is charged to the balance of its Pay-Token, and says how to pay if that is too low.
// It needs the ilp app. In the Caddyfile it is the directive paywall; see docs/caddyfile.md.
//
// It sets the placeholders {http.paywall.price}, {http.paywall.balance} (after the charge), {http.paywall.paid},
// {http.paywall.account} (a hash of the token) and {http.paywall.charge_id}.
type Paywall struct {
	// Prices, in any order: an exact path wins over a prefix, a longer prefix over a shorter, and then one with the method over
	// one without. One of them, or Free, covers every request.
	Prices []Price `json:"prices,omitempty"`
	// Free is what costs nothing: "/health", "/docs/*", or with a method "GET /docs/*".
	Free []string `json:"free,omitempty"`
	// RefundOn are statuses of the backend, such as "503" or "5xx", for which nothing is charged. Default: none; that no answer came
	// is never charged.
	RefundOn []string `json:"refund_on,omitempty"`
	// Realm separates the balances of sites: one token has one balance per realm. Default: "", shared by all sites without realm.
	Realm string `json:"realm,omitempty"`
	// Prefer is the payment method that Pay offers unless the request asks for another: "psk2" or "stream". Default: "psk2".
	Prefer string `json:"prefer,omitempty"`
	// CORS are the origins whose scripts may pay, such as "https://app.example.com", or "*". Default: none.
	CORS []string `json:"cors,omitempty"`
	// Pointers is scheme and host of another site, with ilp_node or paywall, where the payment pointers of tokens are answered, such as
	// "https://pay.example.com"; or "off": clients are told of none. Default: "", this site answers them.
	Pointers string `json:"pointers,omitempty"`
	// Pass402 passes a 402 of the backend on; without it that is a 502, because paying clients take every 402 for ours.
	Pass402 bool `json:"pass_402,omitempty"`

	origin
	paywallRuntime
}

// Price is what requests of some methods and paths cost.
type Price struct {
	// Methods are upper case. Default: every method.
	Methods []string `json:"methods,omitempty"`
	// Path is an exact path, or everything below one as in "/paid/*". Default: every path.
	Path string `json:"path,omitempty"`
	// Amount is in base units of the node's asset, per request or per byte.
	Amount Number `json:"amount"`
	// PerByte multiplies the amount by the bytes of the request body.
	PerByte bool `json:"per_byte,omitempty"`
	// MaxBytes, with PerByte, is the longest body, and lets those of unknown length in. Default: no longest, and only with a
	// Content-Length.
	MaxBytes uint64 `json:"max_bytes,omitempty"`
}

// valueOf turns a Number into an amount; before the config runs, placeholders count as 1.
type valueOf func(n Number, what string) (amount.Amount, error)

// unresolved is the valueOf of a config that is only read, not run.
func unresolved(n Number, what string) (amount.Amount, error) {
	if hasPlaceholder(string(n)) {
		return 1, nil
	}
	return n.resolve(what)
}

func resolved(n Number, what string) (amount.Amount, error) { return n.resolve(what) }

// pointersOff tells clients of no payment pointer.
const pointersOff = "off"

// check finds the mistakes that show without placeholders.
func (p *Paywall) check() error {
	if len(p.Prices) == 0 && len(p.Free) == 0 {
		return errors.New("the paywall has no price: write paywall 10, or price 10 in its block")
	}
	config, err := p.config(unresolved)
	if err != nil {
		return err
	}
	return checkConfig(config)
}

// checkConfig makes a paywall that nobody will ask.
func checkConfig(config paywall.Config) error {
	config.Ledger, config.Quoter = new(ledger), new(quoter)
	_, err := paywall.New(config)
	return err
}

// config returns the settings of the paywall, without what it works on.
func (p *Paywall) config(value valueOf) (paywall.Config, error) {
	config := paywall.Config{Realm: p.Realm, PassBackend402: p.Pass402}
	var err error
	if config.Prefer, err = method(p.Prefer); err != nil {
		return config, err
	}
	for i, price := range p.Prices {
		rules, err := price.rules(value)
		if err != nil {
			return config, p.at(priceLine(i), err)
		}
		config.Prices = append(config.Prices, rules...)
	}
	for _, free := range p.Free {
		rule, err := paywall.ParseFree(strings.Fields(free))
		if err != nil {
			return config, err
		}
		config.Prices = append(config.Prices, rule)
	}
	for _, status := range p.RefundOn {
		statuses, err := paywall.ParseStatusRange(status)
		if err != nil {
			return config, err
		}
		config.RefundOn = append(config.RefundOn, statuses)
	}
	if p.Pointers != pointersOff && !hasPlaceholder(p.Pointers) {
		config.PointerBase = p.Pointers
	}
	if len(p.CORS) > 0 {
		config.CORS = &paywall.CORS{Origins: p.CORS}
	}
	return config, nil
}

// withinMaximum refuses a price that no token may hold enough for, since everybody's payment for it would be refused. 0 is no maximum.
func (p *Paywall) withinMaximum(value valueOf, maximum amount.Amount) error {
	for i, price := range p.Prices {
		units, err := value(price.Amount, "the price for "+price.subject())
		if err == nil && maximum != 0 && units > maximum {
			err = fmt.Errorf("the price for %s is %s, and nobody can pay it, since no token may hold more than %s: write a lower price, or a higher max_balance in the ilp block",
				price.subject(), units, maximum)
		}
		if err != nil {
			return p.at(priceLine(i), err)
		}
	}
	return nil
}

// rules returns one rule per method.
func (p Price) rules(value valueOf) ([]paywall.Rule, error) {
	price, err := value(p.Amount, "the price for "+p.subject())
	if err != nil {
		return nil, err
	}
	rule := paywall.Rule{Path: p.Path, Price: price, PerByte: p.PerByte, MaxBytes: p.MaxBytes}
	if len(p.Methods) == 0 {
		return []paywall.Rule{rule}, nil
	}
	rules := make([]paywall.Rule, len(p.Methods))
	for i, method := range p.Methods {
		rules[i] = rule
		rules[i].Method = method
	}
	return rules, nil
}

// priceLine names the lines price, of which there may be several.
func priceLine(i int) string { return fmt.Sprintf("price %d", i+1) }

// subject says in words what the price is for.
func (p Price) subject() string {
	words := strings.Join(p.Methods, " ")
	switch {
	case words == "" && p.Path == "":
		return "every request"
	case words == "":
		return p.Path
	case p.Path == "":
		return words + " requests"
	}
	return words + " " + p.Path
}

func method(prefer string) (paywall.Method, error) {
	switch prefer {
	case "":
		return "", nil
	case "psk2":
		return paywall.PSK2, nil
	case "stream":
		return paywall.STREAM, nil
	}
	return "", fmt.Errorf("there is no payment method %q: write prefer psk2, or prefer stream", prefer)
}
