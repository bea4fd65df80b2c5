package nodeapi

// This file answers, in the dialects of interledger-rs, what is about routes.

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// rustRoutes answers GET /routes: {prefix: username} of all routes in force; the key of the default route is "".
func (a *API) rustRoutes(w http.ResponseWriter, _ *request) {
	shown := make(map[string]ilpcore.AccountID)
	for _, r := range a.node.Routes() {
		shown[r.Prefix] = r.Account
	}
	writeJSON(w, http.StatusOK, shown)
}

// rustSetRoutes answers PUT /routes/static: the body, {prefix: username}, replaces all static routes. It answers with the same.
func (a *API) rustSetRoutes(w http.ResponseWriter, r *request) {
	f, err := readFields(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	shown := make(map[string]string, len(f.members))
	var routes []connector.Route
	for prefix := range f.members {
		name, given := f.text(prefix)
		if !given {
			f.wrong(prefix, "it is the username of the account that the route leads to")
			continue
		}
		shown[prefix] = name
		routes = append(routes, connector.Route{Prefix: prefix, Account: ilpcore.AccountID(name)})
	}
	if err = f.err(); err == nil {
		err = a.editRoutes(r.Context(), func([]connector.Route) ([]connector.Route, error) { return routes, a.checkRoutes(routes...) })
	}
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, shown)
}

// rustSetRoute answers PUT /routes/static/:prefix: the body is the username as text, and so is the answer.
func (a *API) rustSetRoute(w http.ResponseWriter, r *request) {
	name := strings.TrimSpace(string(r.body))
	route := connector.Route{Prefix: r.PathValue("prefix"), Account: ilpcore.AccountID(name)}
	err := a.editRoutes(r.Context(), func(routes []connector.Route) ([]connector.Route, error) {
		routes = slices.DeleteFunc(routes, func(old connector.Route) bool { return old.Prefix == route.Prefix })
		return append(routes, route), a.checkRoutes(route)
	})
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(name)) // a client that left
}

// checkRoutes says which route cannot be set. What only the node can tell, it tells when the routes are set.
func (a *API) checkRoutes(routes ...connector.Route) error {
	for _, r := range routes {
		if !ValidID(string(r.Account)) {
			return &FieldError{Field: r.Prefix, Why: "a route leads to an account's username: 1 to 64 letters, digits and - _ . ~"}
		}
		if _, err := a.find(r.Account); err != nil {
			return err
		}
		if err := a.checkOpen(r); err != nil {
			return err
		}
		for _, static := range a.staticRoutes {
			if static.Prefix == r.Prefix && static.Account != r.Account {
				return fmt.Errorf("%w: %q leads to %s there", ErrStaticRoute, r.Prefix, static.Account)
			}
		}
	}
	return nil
}
