package caddymodule

// This file adds Paydoor's routes to Caddy's admin endpoint, which guards them like its own: by host, origin and, for the remote one, by
// client certificate. docs/commands.md describes them. None takes or gives a token: accounts are named by their hash.

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/balances"
)

func init() { caddy.RegisterModule(new(adminRoutes)) }

// adminRoutes adds the routes. It keeps no app: after a reload that failed, Caddy goes on with the admin routes of the config that
// failed, so the running app is looked up for each request.
type adminRoutes struct{}

// CaddyModule returns the Caddy module information.
func (*adminRoutes) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.paydoor", New: func() caddy.Module { return new(adminRoutes) }}
}

// Provision registers the metrics too: the admin endpoint shows them even while a config has no node. Caddy provisions the routes of the admin
// endpoint only for a config that is to run, before it listens anywhere, so the app is provisioned here and told. What is wrong with it is
// said, with the name of the app, when Caddy asks for it.
func (a *adminRoutes) Provision(ctx caddy.Context) error {
	starting := ctx
	starting.Context = context.WithValue(ctx.Context, startsKey{}, true)
	_, _ = starting.AppIfConfigured("ilp")
	return registerMetrics(ctx)
}

// startsKey is the key of what Provision tells the app.
type startsKey struct{}

// starts says whether the config of ctx is known to be one that runs, and not one that is only validated.
func starts(ctx caddy.Context) bool { return ctx.Value(startsKey{}) != nil }

// Routes returns the admin routes.
func (a *adminRoutes) Routes() []caddy.AdminRoute {
	route := func(pattern, method string, handler caddy.AdminHandlerFunc) caddy.AdminRoute {
		return caddy.AdminRoute{Pattern: pattern, Handler: caddy.AdminHandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
			if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
				w.Header().Set("Allow", method)
				return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: fmt.Errorf("use %s", method)}
			}
			w.Header().Set("Cache-Control", "no-store")
			return handler(w, r)
		})}
	}
	return []caddy.AdminRoute{
		route("/paydoor/ready", http.MethodGet, a.ready),
		route("/paydoor/alive", http.MethodGet, a.alive),
		route("/paydoor/audit", http.MethodGet, a.audit),
		route("/paydoor/accounts", http.MethodGet, a.export),
		route("/paydoor/accounts/{account}", http.MethodGet, a.show),
		route("/paydoor/accounts/{account}/adjustments", http.MethodPost, a.adjust),
		route("/paydoor/backup", http.MethodPost, a.backup),
	}
}

// adminLease keeps the ledger of the running config open until the lease is ended.
func adminLease() (*books, lease, error) {
	app, ok := activeApp()
	if !ok {
		status, err := noApp()
		return nil, lease{}, caddy.APIError{HTTPStatus: status, Err: err}
	}
	b, held, err := app.lease()
	if err != nil {
		return nil, lease{}, caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: err}
	}
	return b, held, nil
}

var (
	errNoApp   = errors.New("no node is configured: add an ilp block to the global options")
	errLoading = errors.New("the config is still being loaded: ask again in a moment")
)

// noApp says why there is no node. The admin endpoint answers before the first config runs, which takes as long as opening its ledger.
func noApp() (status int, err error) {
	if caddy.ActiveContext().Context == nil {
		return http.StatusServiceUnavailable, errLoading
	}
	return http.StatusNotFound, errNoApp
}

// adminError gives an error of the ledger its status.
func adminError(err error) error {
	status := http.StatusInternalServerError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, balances.ErrInsufficient), errors.Is(err, balances.ErrMaxBalance), errors.Is(err, balances.ErrAsset),
		errors.Is(err, balances.ErrConflict), errors.Is(err, errNoAsset):
		status = http.StatusConflict
	case errors.Is(err, balances.ErrUnavailable), errors.Is(err, balances.ErrBusy):
		status = http.StatusServiceUnavailable
	}
	return caddy.APIError{HTTPStatus: status, Err: err}
}

// pathAccount reads the account that the path names. What the path holds is not repeated: it may be a token by mistake.
func pathAccount(r *http.Request) (balances.Account, error) {
	var account balances.Account
	text := r.PathValue("account")
	if hex.DecodedLen(len(text)) == len(account) {
		if _, err := hex.Decode(account[:], []byte(text)); err == nil {
			return account, nil
		}
	}
	return account, caddy.APIError{HTTPStatus: http.StatusBadRequest, Err: errAccountID}
}

var errAccountID = errors.New("an account is 64 hex digits; never put a token into a path, where logs keep it")

func writeJSON(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(value)
}

// readJSON reads a small body that has nothing but the fields of value.
func readJSON(w http.ResponseWriter, r *http.Request, value any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(value)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("there is more than one value")
		}
	}
	if err != nil {
		return caddy.APIError{HTTPStatus: http.StatusBadRequest, Err: fmt.Errorf("reading the body: %w", err)}
	}
	return nil
}

var (
	_ caddy.AdminRouter = (*adminRoutes)(nil)
	_ caddy.Provisioner = (*adminRoutes)(nil)
)
