package caddymodule

// This file reads the paywall directive.

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/dustin/go-humanize"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/paywall"
)

func parsePaywall(h httpcaddyfile.Helper) (*Paywall, error) {
	start := *h.Dispenser
	p := new(Paywall)
	if err := p.UnmarshalCaddyfile(h.Dispenser); err != nil {
		return nil, err
	}
	if err := needNode(h, &start, "paywall"); err != nil {
		return nil, err
	}
	// What has placeholders is compared when the config is loaded.
	if err := p.withinMaximum(unresolved, maximumIn(h.Option("ilp"))); err != nil {
		start.Next()
		return nil, start.WrapErr(err)
	}
	return p, nil
}

// maximumIn is the max_balance of an ilp block that was read; 0 if it has none, or one that is not known yet.
func maximumIn(option any) amount.Amount {
	app, _ := option.(httpcaddyfile.App)
	var read App
	if json.Unmarshal(app.Value, &read) != nil || read.MaxBalance == "" || hasPlaceholder(string(read.MaxBalance)) {
		return 0
	}
	maximum, err := read.MaxBalance.resolve("max_balance")
	if err != nil {
		return 0 // the ilp block has been refused for it
	}
	return maximum
}

// needNode is an error, with the line of the directive, if there is no ilp block. Global options are read before any site.
func needNode(h httpcaddyfile.Helper, start *caddyfile.Dispenser, directive string) error {
	if h.Option("ilp") != nil {
		return nil
	}
	start.Next()
	return start.WrapErr(errNoNode(directive))
}

// UnmarshalCaddyfile reads
//
//	paywall [MATCHER] [AMOUNT] {
//		price      [METHOD...] [PATH] AMOUNT [per_byte [max SIZE]]
//		free       [METHOD] PATH...
//		refund_on  STATUS...
//		realm      NAME
//		prefer     psk2|stream
//		cors       ORIGIN...
//		pointers   URL|off
//		pass_402
//	}
func (p *Paywall) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	l := newLines(d)
	start := *d
	p.note(l, priceLine(0))
	switch args := d.RemainingArgs(); len(args) {
	case 0:
	case 1:
		n, err := parseNumber(args[0])
		if err != nil {
			return d.WrapErr(err)
		}
		p.Prices = append(p.Prices, Price{Amount: n})
	default:
		return d.Err("write this as: paywall 10, or paywall /paid/* 10, or paywall { with a price line for each path in the block")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		switch option {
		case "price":
			p.note(l, priceLine(len(p.Prices)))
		case "free":
		default:
			p.note(l, option)
			if err := l.once(); err != nil {
				return err
			}
		}
		if err := p.readOption(l, option); err != nil {
			return err
		}
		if err := p.checkSoFar(); err != nil {
			return l.WrapErr(err)
		}
	}
	p.all = nil // a placeholder is no mistake yet, and what is missing is missed at the start
	if err := p.check(); err != nil {
		return start.WrapErr(err)
	}
	return nil
}

func (p *Paywall) readOption(l lines, option string) (err error) {
	switch option {
	case "price":
		return p.readPrice(l)
	case "free":
		return p.readFree(l)
	case "refund_on":
		return p.readRefund(l)
	case "realm":
		p.Realm, err = l.one("realm shop")
	case "prefer":
		if p.Prefer, err = l.one("prefer psk2"); err == nil {
			if _, err = method(p.Prefer); err != nil {
				err = l.WrapErr(err)
			}
		}
	case "cors":
		p.CORS, err = l.some("cors https://app.example.com")
	case "pointers":
		p.Pointers, err = l.one("pointers https://pay.example.com")
	case "pass_402":
		p.Pass402, err = true, l.none("pass_402")
	default:
		return l.unknown("price", "free", "refund_on", "realm", "prefer", "cors", "pointers", "pass_402")
	}
	return err
}

const priceUsage = "price POST /upload 2 per_byte max 1MB, of which only the amount is required"

// readPrice reads the words in their only order; methods are upper case and paths start with a slash, so none can be mistaken.
func (p *Paywall) readPrice(l lines) error {
	var price Price
	args := l.RemainingArgs()
	for len(args) > 0 && isMethod(args[0]) {
		price.Methods, args = append(price.Methods, args[0]), args[1:]
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "/") {
		price.Path, args = args[0], args[1:]
	}
	if len(args) == 0 {
		return l.Errf("the price has no amount: write this as: %s", priceUsage)
	}
	var err error
	if price.Amount, err = parseNumber(args[0]); err != nil {
		if len(args) > 1 && args[1] != "per_byte" {
			return l.Errf("%q is no method, which is in capital letters, no path, which begins with a slash, and no amount: write this as: %s", args[0], priceUsage)
		}
		return l.WrapErr(err)
	}
	if args = args[1:]; len(args) > 0 && args[0] == "per_byte" {
		price.PerByte, args = true, args[1:]
	}
	if price.PerByte && len(args) == 2 && args[0] == "max" {
		price.MaxBytes, err = humanize.ParseBytes(args[1])
		if err != nil || price.MaxBytes == 0 {
			return l.Errf("%q is not a size in bytes: write this as: %s", args[1], priceUsage)
		}
		args = nil
	}
	if len(args) > 0 {
		return l.Errf("%q is not expected here: write this as: %s", args[0], priceUsage)
	}
	if err := checkPrice(price); err != nil {
		return l.WrapErr(err)
	}
	p.Prices = append(p.Prices, price)
	return nil
}

// checkPrice finds what is wrong with one price where it stands; what is wrong with all of them together shows at the end.
func checkPrice(price Price) error {
	rules, err := price.rules(unresolved)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		var words []string
		if rule.Method != "" {
			words = append(words, rule.Method)
		}
		if rule.Path != "" {
			words = append(words, rule.Path)
		}
		if _, err := paywall.ParsePrice(append(words, rule.Price.String())); err != nil {
			return err
		}
	}
	return nil
}

// checkSoFar finds what is wrong with the lines up to the last, so that it is that line which is named. A price for everything may follow.
func (p *Paywall) checkSoFar() error {
	config, err := p.config(unresolved)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(config.Prices, func(r paywall.Rule) bool { return r.Method == "" && (r.Path == "" || r.Path == "/*") }) {
		config.Prices = append(config.Prices, paywall.Rule{Path: "/*", Free: true})
	}
	return checkConfig(config)
}

func (p *Paywall) readFree(l lines) error {
	paths, err := l.some("free /health, or free GET /docs/*")
	if err != nil {
		return err
	}
	var method string
	if isMethod(paths[0]) {
		method, paths = paths[0]+" ", paths[1:]
		if len(paths) == 0 {
			return l.usage("free GET /docs/*")
		}
	}
	for _, path := range paths {
		if _, err := paywall.ParseFree(strings.Fields(method + path)); err != nil {
			return l.WrapErr(err)
		}
		p.Free = append(p.Free, method+path)
	}
	return nil
}

func (p *Paywall) readRefund(l lines) error {
	statuses, err := l.some("refund_on 5xx 404")
	if err != nil {
		return err
	}
	for _, status := range statuses {
		if _, err := paywall.ParseStatusRange(status); err != nil {
			return l.WrapErr(err)
		}
	}
	p.RefundOn = statuses
	return nil
}

// some returns the option's arguments, of which there is at least one.
func (l lines) some(usage string) ([]string, error) {
	args := l.RemainingArgs()
	if len(args) == 0 {
		return nil, l.usage(usage)
	}
	return args, nil
}

func isMethod(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return s != ""
}
