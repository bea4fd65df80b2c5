package caddymodule

// This file lends the receiver to the payment pointers of tokens, and answers them beside a paywall that does not see their path itself.

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/paywall"
	"github.com/paydoor/paydoor/receiver"
	"github.com/paydoor/paydoor/spsp"
)

func init() { caddy.RegisterModule(new(Pointers)) }

// newPointers makes what answers the payment pointers of all sites.
func (a *App) newPointers() *paywall.Pointers {
	return &paywall.Pointers{
		Quoter: pointerQuoter{a}, Length: receiver.PointerLength, Client: clientAddress, Original: originalPath,
		Failed: func(_ *http.Request, err error) {
			a.logger.Error("a payment pointer could not be answered", zap.Error(err))
		},
	}
}

// originalPath is the path that the client sent, before any rewrite.
func originalPath(r *http.Request) string {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		return original.URL.Path
	}
	return r.URL.Path
}

// pointerQuoter is the paywall's PointerQuoter.
type pointerQuoter struct{ app *App }

func (q pointerQuoter) Pointer(account balances.Account) (string, error) {
	r, err := q.app.open()
	if err != nil {
		return "", err
	}
	return r.receiver.Pointer(account), nil
}

func (q pointerQuoter) QuotePointer(pointer string, terms *spsp.ReceiptTerms) (spsp.Answer, error) {
	r, err := q.app.open()
	if err != nil {
		return spsp.Answer{}, err
	}
	quote, err := r.receiver.QuotePointer(pointer, (*receiver.ReceiptTerms)(terms))
	switch {
	case errors.Is(err, receiver.ErrPointer):
		return spsp.Answer{}, paywall.ErrPointer
	case errors.Is(err, receiver.ErrNoAddress):
		return spsp.Answer{}, paywall.ErrNoAddress
	}
	return spsp.Answer{Address: quote.Address, Secret: quote.SharedSecret, Receipts: terms != nil}, err
}

// Pointers answers the payment pointers of tokens (SPSP, RFC 9), GET /.well-known/pay/ and the pointer, and passes all else on. A paywall
// and an ilp_node do so too; this is for sites where those see other paths only. It needs the ilp app. The Caddyfile adds it beside a
// paywall with a matcher.
type Pointers struct{ app *App }

// CaddyModule returns the Caddy module information.
func (*Pointers) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.paywall_pointers", New: func() caddy.Module { return new(Pointers) }}
}

// Provision finds the node.
func (p *Pointers) Provision(ctx caddy.Context) (err error) {
	p.app, err = configuredApp(ctx, "paywall_pointers")
	return err
}

// ServeHTTP answers what is a pointer's.
func (p *Pointers) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if p.app.pointers.Serve(w, r) {
		return nil
	}
	return next.ServeHTTP(w, r)
}

// parsePaywallRoutes is the directive paywall. A matcher keeps the paywall from requests that matter to it: so there is a route for the
// pointers that its answers tell, and one that cleans what it does not see.
func parsePaywallRoutes(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	if !h.Next() {
		return nil, h.ArgErr()
	}
	matcher, err := h.ExtractMatcherSet()
	if err != nil {
		return nil, err
	}
	p, err := parsePaywall(h)
	if err != nil {
		return nil, err
	}
	routes := h.NewRoute(matcher, p)
	if matcher == nil {
		return routes, nil
	}
	routes = append(routes, h.NewRoute(nil, new(Beside))...)
	if p.Pointers != "" {
		return routes, nil
	}
	var warnings []caddyconfig.Warning
	path := caddyconfig.JSON(caddyhttp.MatchPath{spsp.Path + "/*"}, &warnings)
	if len(warnings) > 0 {
		return nil, fmt.Errorf("paywall: %s", warnings[0])
	}
	return append(h.NewRoute(caddy.ModuleMap{"path": path}, new(Pointers)), routes...), nil
}

var (
	_ caddy.Provisioner           = (*Pointers)(nil)
	_ caddyhttp.MiddlewareHandler = (*Pointers)(nil)
	_ paywall.PointerQuoter       = pointerQuoter{}
)
