package caddymodule

// This file answers GET /paydoor/ready on the admin endpoint: whether payments can be received.

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(adminRoutes)) }

// adminRoutes adds Paydoor's routes to Caddy's admin endpoint. It keeps no app: after a reload that failed, Caddy goes on with the
// admin routes of the config that failed, so the running app is looked up for each request.
type adminRoutes struct{}

// CaddyModule returns the Caddy module information.
func (*adminRoutes) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.paydoor", New: func() caddy.Module { return new(adminRoutes) }}
}

// Routes returns the admin routes.
func (a *adminRoutes) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: "/paydoor/ready", Handler: caddy.AdminHandlerFunc(a.ready)}}
}

// readiness is the answer. It is 200 when Ready, else 503.
type readiness struct {
	Ready   bool   `json:"ready"`
	Address string `json:"address,omitempty"`
	Asset   *Asset `json:"asset,omitempty"`
	// Problem says what is missing, for people.
	Problem string `json:"problem,omitempty"`
}

func (a *adminRoutes) ready(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: fmt.Errorf("use GET")}
	}
	answer := runningReadiness()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(answer)
}

func runningReadiness() readiness {
	app, ok := activeApp()
	if !ok {
		return readiness{Problem: "no node is configured: add an ilp block to the global options"}
	}
	return app.readiness()
}

var _ caddy.AdminRouter = (*adminRoutes)(nil)
