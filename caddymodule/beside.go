package caddymodule

// This file keeps requests that a paywall's matcher leaves out from opening a way past it.

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/paydoor/paydoor/paywall"
)

func init() { caddy.RegisterModule(new(Beside)) }

// Beside cleans the requests of a site that its paywall does not see: of upgrades only WebSocket goes on, since any other could be a tunnel for
// requests that nobody pays for, and headers Paydoor* do not, since they are what a paywall tells the backend. What a paywall has decided about
// goes on as it is. The Caddyfile adds it beside a paywall with a matcher.
type Beside struct{}

// CaddyModule returns the Caddy module information.
func (*Beside) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.paywall_beside", New: func() caddy.Module { return new(Beside) }}
}

// ServeHTTP cleans the request.
func (*Beside) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if caddyhttp.GetVar(r.Context(), decidedVar) == nil {
		paywall.CleanBeside(r)
	}
	return next.ServeHTTP(w, r)
}

var _ caddyhttp.MiddlewareHandler = (*Beside)(nil)
