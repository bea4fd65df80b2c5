package caddymodule

// This file puts package paywall into Caddy's handler chain, and tells Caddy what became of each charge.

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

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
	app    *App
	wall   *paywall.Paywall
	logger *zap.Logger
	inner  sync.Once // tells that another paywall decides
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
	p.app = app
	if err := p.check(); err != nil {
		return err
	}
	config, err := p.config(resolved)
	if err != nil {
		return fmt.Errorf("paywall: %w", err)
	}
	if err := p.withinMaximum(resolved, app.settings.maxBalance); err != nil {
		return fmt.Errorf("paywall: %w", app.at("max_balance", err))
	}
	if config.Realm, err = resolve(p.Realm, "paywall: realm"); err != nil {
		return p.at("realm", err)
	}
	config.Ledger, config.Quoter, config.Asset = &ledger{app}, &quoter{app}, app.asset
	config.Observe, config.Ended, config.MaxBalance = p.observe, endedHere, app.settings.maxBalance
	if p.Pointers != pointersOff {
		config.Pointers = app.pointers
		if config.PointerBase, err = resolve(p.Pointers, "paywall: pointers"); err != nil {
			return p.at("pointers", err)
		}
	}
	p.wall, err = paywall.New(config)
	return err
}

// decidedVar marks a request that a paywall has decided about, and holds its placeholders. Error routes run outside of the paywall's own
// chain, with the token already taken off, so they would otherwise turn an uncharged 502 into a 402.
const decidedVar = "paydoor.decided"

// ServeHTTP charges the request, or answers it. An error of the rest of the chain passes through, with the price given back.
func (p *Paywall) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if caddyhttp.GetVar(r.Context(), decidedVar) != nil {
		if r.Context().Value(caddyhttp.ErrorCtxKey) == nil {
			p.inner.Do(func() { p.tellInner(r) })
		}
		return next.ServeHTTP(w, r)
	}
	told := new(told)
	caddyhttp.SetVar(r.Context(), decidedVar, told)
	if replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Map(told.value)
	}
	if fields, ok := r.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		fields.Add(zap.Inline(told)) // one field that becomes several, if a line is written
	}
	return p.wall.ServeHTTP(w, r, next.ServeHTTP)
}

// tellInner tells of prices that did not count, which is easily overlooked: they may be higher than what the other paywall asked, or that is nothing. Two
// with matchers of their own on one site may well be meant so.
func (p *Paywall) tellInner(r *http.Request) {
	p.logger.Info("a request came to two paywalls: the first has decided, and the prices of this one did not count; if that is not meant, write them as price lines into one paywall",
		zap.String("host", r.Host), zap.Any("prices", p.Prices))
}

// observe publishes a step as placeholders and as fields of the access log line. The account is a hash; the token appears nowhere.
func (p *Paywall) observe(r *http.Request, e *paywall.Event) {
	if told, ok := caddyhttp.GetVar(r.Context(), decidedVar).(*told); ok {
		told.last.Store(e)
		told.charged.Add(uint64(e.Charged))
	}
	if e.Outcome != paywall.Reserved { // another step follows
		p.count(e)
	}
	if c := p.logger.Check(level(r, e), "deciding about a request"); c != nil {
		c.Write(zap.String("outcome", string(e.Outcome)), zap.String("account", accountText(e)), zap.Stringer("price", e.Price),
			zap.Stringer("charged", e.Charged), zap.Stringer("balance", e.Balance), zap.Int("status", e.Status), zap.String("charge_id", e.ChargeID), zap.Error(e.Err))
	}
}

// count counts the request, and a price that was given back. Charges are counted where the ledger has taken them.
func (p *Paywall) count(e *paywall.Event) {
	countOutcome(e)
	if e.Outcome != paywall.Released {
		return
	}
	if running := p.app.opened.Load(); running != nil {
		if t := running.books.tally.Load(); t != nil {
			t.refunded.add(e.Price)
		}
	}
}

// level keeps clients from filling the log: what they can cause at will is for debugging, a ledger that fails is an error.
func level(r *http.Request, e *paywall.Event) zapcore.Level {
	failed := e.Outcome == paywall.Unsettled || e.Outcome == paywall.Unavailable
	if failed && r.Context().Err() == nil && !errors.Is(e.Err, paywall.ErrNoAddress) && !errors.Is(e.Err, balances.ErrBusy) {
		return zapcore.ErrorLevel
	}
	return zapcore.DebugLevel
}

// told is the last step of a request, as placeholders and as fields of a log line. It is made to text only when somebody asks.
type told struct {
	last    atomic.Pointer[paywall.Event]
	charged atomic.Uint64 // by all steps: a request that goes on after its answer began is charged twice
}

// value gives every placeholder a value, so that none reaches a client by its name where there is no charge.
func (s *told) value(key string) (any, bool) {
	name, ours := strings.CutPrefix(key, "http.paywall.")
	if !ours {
		return nil, false
	}
	e := s.last.Load()
	switch name {
	case "price", "balance", "account", "charge_id":
		if e == nil || e.Outcome == paywall.Invalid {
			return "", true
		}
	}
	switch name {
	case "price":
		return e.Price.String(), true
	case "balance":
		return e.Balance.String(), true
	case "account":
		return accountText(e), true
	case "charge_id":
		return e.ChargeID, true
	case "paid":
		return e != nil && (e.Outcome == paywall.Reserved || e.Outcome == paywall.Settled), true
	}
	return nil, false
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (s *told) MarshalLogObject(line zapcore.ObjectEncoder) error {
	e := s.last.Load()
	if e == nil || e.Outcome == paywall.Reserved { // nothing was decided, or nothing came of it yet
		return nil
	}
	line.AddString("paywall_outcome", string(e.Outcome))
	if e.Outcome == paywall.Invalid {
		return nil
	}
	line.AddString("paywall_account", accountText(e))
	line.AddUint64("paywall_price", uint64(e.Price))
	line.AddUint64("paywall_charged", s.charged.Load())
	if e.ChargeID != "" {
		line.AddString("paywall_charge_id", e.ChargeID)
	}
	return nil
}

func accountText(e *paywall.Event) string { return hex.EncodeToString(e.Account[:]) }

var (
	_ caddy.Provisioner           = (*Paywall)(nil)
	_ caddyhttp.MiddlewareHandler = (*Paywall)(nil)
	_ caddyfile.Unmarshaler       = (*Paywall)(nil)
)
