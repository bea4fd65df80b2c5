package nodeapi

// This file answers the Java connector's requests about routes.

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// javaRoute is one route.
type javaRoute struct {
	Prefix  string            `json:"routePrefix"`
	Account ilpcore.AccountID `json:"nextHopAccountId"`
}

// What a change of one static route can fail with, beside an unknown account.
var (
	errRouteExists = errors.New("there is a static route for this prefix already: delete it first")
	errNoRoute     = errors.New("there is no static route for this prefix")
)

// javaRoutes answers GET /routes: all routes in force.
func (a *API) javaRoutes(w http.ResponseWriter, r *request) {
	if !r.who.admin {
		a.refuse(w, r)
		return
	}
	list := []javaRoute{}
	for _, route := range a.node.Routes() {
		list = append(list, javaRoute{route.Prefix, route.Account})
	}
	javaPage(w, "immutableRouteList", list, len(list))
}

// javaStaticRoutes answers GET /routes/static.
func (a *API) javaStaticRoutes(w http.ResponseWriter, _ *request) {
	list := []javaRoute{}
	for _, route := range a.node.StaticRoutes() {
		list = append(list, javaRoute(route))
	}
	javaPage(w, "immutableStaticRouteList", list, len(list))
}

// javaPutRoute answers PUT /routes/static/{prefix}: 201 and the new route. There must be none for the prefix yet.
// A name alone, which is not said to be JSON, is the body of interledger-rs.
func (a *API) javaPutRoute(w http.ResponseWriter, r *request) {
	f, err := javaBody(r)
	if errors.Is(err, errMediaType) && ValidID(strings.TrimSpace(string(r.body))) {
		a.rustSetRoute(w, r)
		return
	}
	if err != nil {
		a.javaFail(w, r, "", err)
		return
	}
	route := connector.Route{Prefix: r.PathValue("prefix")}
	if prefix, given := f.scalar("routePrefix"); given && prefix != route.Prefix {
		javaRouteProblem(w, http.StatusUnprocessableEntity, "unprocessable",
			fmt.Sprintf("Static Route Unprocessable [entityPrefix: `%s`, urlPrefix: `%s`]", prefix, route.Prefix), prefix,
			"the path and the body name different prefixes: leave routePrefix out, or send the route to the path of its own prefix")
		return
	}
	if route.Account, err = f.id("nextHopAccountId"); err != nil {
		a.javaFail(w, r, "", err)
		return
	}
	err = a.editRoutes(r.Context(), func(routes []connector.Route) ([]connector.Route, error) {
		if slices.ContainsFunc(a.withStatic(routes), samePrefix(route)) {
			return nil, errRouteExists
		}
		if _, err := a.find(route.Account); err != nil {
			return nil, err
		}
		return append(routes, route), a.checkOpen(route)
	})
	if err != nil {
		a.routeFail(w, r, route, err)
		return
	}
	writeJSON(w, http.StatusCreated, javaRoute(route))
}

// javaDeleteRoute answers DELETE /routes/static/{prefix} with 204.
func (a *API) javaDeleteRoute(w http.ResponseWriter, r *request) {
	route := connector.Route{Prefix: r.PathValue("prefix")}
	err := a.editRoutes(r.Context(), func(routes []connector.Route) ([]connector.Route, error) {
		switch {
		case slices.ContainsFunc(a.staticRoutes, samePrefix(route)):
			return nil, ErrStaticRoute
		case !slices.ContainsFunc(routes, samePrefix(route)):
			return nil, errNoRoute
		}
		return slices.DeleteFunc(routes, samePrefix(route)), nil
	})
	if err != nil {
		a.routeFail(w, r, route, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func samePrefix(route connector.Route) func(connector.Route) bool {
	return func(other connector.Route) bool { return other.Prefix == route.Prefix }
}

// routeFail answers what is wrong with a change of a static route.
func (a *API) routeFail(w http.ResponseWriter, r *request, route connector.Route, err error) {
	switch {
	case errors.Is(err, errRouteExists):
		javaRouteProblem(w, http.StatusConflict, "already-exists", fmt.Sprintf("Static Route Already Exists (`%s`)", route.Prefix), route.Prefix, err.Error())
	case errors.Is(err, errNoRoute):
		javaRouteProblem(w, http.StatusNotFound, "not-found", fmt.Sprintf("Static Route Does Not Exist (`%s`)", route.Prefix), route.Prefix, err.Error())
	case errors.Is(err, ErrStaticRoute):
		writeProblem(w, problemDetails{Status: http.StatusConflict, Detail: err.Error(), Extra: map[string]any{"prefix": route.Prefix}})
	default:
		a.javaFail(w, r, route.Account, err)
	}
}
