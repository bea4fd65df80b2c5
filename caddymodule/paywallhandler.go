package caddymodule

// This file puts package paywall into Caddy's handler chain, and tells Caddy what became of each charge.

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/paywall"
)

func init() { caddy.RegisterModule(new(Paywall)) }

// paywallRuntime is what Provision adds to the config.
type paywallRuntime struct {
	wall   *paywall.Paywall
	logger *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*Paywall) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.paywall", New: func() caddy.Module { return new(Paywall) }}
}

// Provision resolves the prices and finds the node.
func (p *Paywall) Provision(ctx caddy.Context) error {
	p.logger = ctx.Logger()
	app, err := configuredApp(ctx, "paywall")
	if err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	config, err := p.config(resolved)
	if err != nil {
		return fmt.Errorf("paywall: %w", err)
	}
	if config.Realm, err = resolve(p.Realm, "paywall: realm"); err != nil {
		return err
	}
	config.Ledger, config.Quoter, config.Asset = &ledger{app}, &quoter{app}, app.asset
	config.Observe = p.observe
	p.wall, err = paywall.New(config)
	return err
}

// decidedVar marks a request that a paywall has decided about. Error routes run outside of the paywall's own chain, with the token
// already taken off, so they would otherwise turn an uncharged 502 into a 402.
const decidedVar = "paydoor.decided"

// ServeHTTP charges the request, or answers it. An error of the rest of the chain passes through, with the price given back.
func (p *Paywall) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if caddyhttp.GetVar(r.Context(), decidedVar) != nil {
		return next.ServeHTTP(w, r)
	}
	caddyhttp.SetVar(r.Context(), decidedVar, true)
	clearPlaceholders(r)
	return p.wall.ServeHTTP(w, r, next.ServeHTTP)
}

// observe publishes a step as placeholders and as fields of the access log line. The account is a hash; the token appears nowhere.
func (p *Paywall) observe(r *http.Request, e paywall.Event) {
	p.publish(r, e)
	p.annotate(r, e)
	if c := p.logger.Check(level(r, e), "deciding about a request"); c != nil {
		c.Write(zap.String("outcome", string(e.Outcome)), zap.String("account", accountText(e)), zap.Stringer("price", e.Price),
			zap.Stringer("charged", e.Charged), zap.Stringer("balance", e.Balance), zap.Int("status", e.Status), zap.Error(e.Err))
	}
}

// level keeps clients from filling the log: what they can cause at will is for debugging, a ledger that fails is an error.
func level(r *http.Request, e paywall.Event) zapcore.Level {
	failed := e.Outcome == paywall.Unsettled || e.Outcome == paywall.Unavailable
	if failed && r.Context().Err() == nil && !errors.Is(e.Err, paywall.ErrNoAddress) && !errors.Is(e.Err, balances.ErrBusy) {
		return zapcore.ErrorLevel
	}
	return zapcore.DebugLevel
}

// clearPlaceholders gives every placeholder a value, so that none reaches a client by its name where there is no charge.
func clearPlaceholders(r *http.Request) {
	replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	for _, name := range [...]string{"price", "balance", "account", "charge_id"} {
		replacer.Set("http.paywall."+name, "")
	}
	replacer.Set("http.paywall.paid", false)
}

func (p *Paywall) publish(r *http.Request, e paywall.Event) {
	replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok || e.Outcome == paywall.Invalid {
		return
	}
	paid := e.Outcome == paywall.Reserved || e.Outcome == paywall.Settled
	replacer.Set("http.paywall.price", e.Price.String())
	replacer.Set("http.paywall.balance", e.Balance.String())
	replacer.Set("http.paywall.paid", paid)
	replacer.Set("http.paywall.account", accountText(e))
	if e.ChargeID != "" {
		replacer.Set("http.paywall.charge_id", e.ChargeID)
	}
}

func (p *Paywall) annotate(r *http.Request, e paywall.Event) {
	fields, ok := r.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields)
	if !ok {
		return
	}
	fields.Set(zap.String("paywall_outcome", string(e.Outcome)))
	if e.Outcome == paywall.Invalid {
		return
	}
	fields.Set(zap.String("paywall_account", accountText(e)))
	fields.Set(zap.Uint64("paywall_price", uint64(e.Price)))
	fields.Set(zap.Uint64("paywall_charged", uint64(e.Charged)))
	if e.ChargeID != "" {
		fields.Set(zap.String("paywall_charge_id", e.ChargeID))
	}
}

func accountText(e paywall.Event) string { return hex.EncodeToString(e.Account[:]) }

var (
	_ caddy.Provisioner           = (*Paywall)(nil)
	_ caddyhttp.MiddlewareHandler = (*Paywall)(nil)
	_ caddyfile.Unmarshaler       = (*Paywall)(nil)
)
