package nodeapi

// This file keeps and applies what is not about one account: static routes and exchange rates.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// setRoutes makes routes the static routes of the API, beside those of the Caddyfile, which win. It is called with a.changing held.
func (a *API) setRoutes(ctx context.Context, routes []connector.Route) error {
	before := a.directory.Routes()
	if err := a.useRoutes(routes); err != nil {
		return err
	}
	err := a.directory.SetRoutes(ctx, routes)
	if err != nil {
		err = errors.Join(err, a.useRoutes(before)) // which the node has had until now
	}
	return err
}

// useRoutes gives the node the routes of the Caddyfile, and of these those whose account is open: one that is not must not hold up the others.
func (a *API) useRoutes(routes []connector.Route) error {
	return a.node.SetRoutes(a.withStatic(slices.DeleteFunc(slices.Clone(routes), a.leadsNowhere)))
}

// leadsNowhere says whether a route's account is not open.
func (a *API) leadsNowhere(r connector.Route) bool {
	_, open := a.node.Account(r.Account)
	return !open
}

// checkOpen refuses a new route that would not be in force.
func (a *API) checkOpen(r connector.Route) error {
	if a.leadsNowhere(r) && !slices.Contains(a.directory.Routes(), r) {
		return fmt.Errorf("%w %q: account %s could not be opened, and the node's log says why: mend that first", connector.ErrRoute, r.Prefix, r.Account)
	}
	return nil
}

// editRoutes changes the static routes of the API: edit is given what they are and returns what they shall be.
func (a *API) editRoutes(ctx context.Context, edit func([]connector.Route) ([]connector.Route, error)) error {
	end, err := a.begin()
	if err != nil {
		return err
	}
	defer end()
	routes, err := edit(a.directory.Routes())
	if err != nil {
		return err
	}
	return a.setRoutes(ctx, routes)
}

// withParent returns the static routes of the API with a new parent as the default route. ok is false where there is one already, to an account
// that still exists.
func (a *API) withParent(id ilpcore.AccountID) (routes []connector.Route, ok bool) {
	parent := connector.Route{Account: id}
	if slices.ContainsFunc(a.staticRoutes, samePrefix(parent)) {
		return nil, false
	}
	routes = a.directory.Routes()
	if i := slices.IndexFunc(routes, samePrefix(parent)); i >= 0 {
		if _, err := a.find(routes[i].Account); err == nil {
			return nil, false
		}
	}
	return append(slices.DeleteFunc(routes, samePrefix(parent)), parent), true
}

// withStatic adds the routes of the Caddyfile.
func (a *API) withStatic(routes []connector.Route) []connector.Route {
	all := slices.Clone(a.staticRoutes)
	for _, r := range routes {
		if !slices.ContainsFunc(all, func(s connector.Route) bool { return s.Prefix == r.Prefix }) {
			all = append(all, r)
		}
	}
	return all
}

// openRoutes applies the routes that the Directory keeps, less those whose account could not be opened.
func (a *API) openRoutes() {
	for _, r := range a.directory.Routes() {
		if a.leadsNowhere(r) {
			a.logger.Warn("a static route leads to an account that is not open", zap.String("prefix", r.Prefix), zap.String("account", string(r.Account)))
		}
	}
	a.reuseRoutes()
}

// reuseRoutes has the routes that the Directory keeps follow the accounts that are open now.
func (a *API) reuseRoutes() {
	if err := a.useRoutes(a.directory.Routes()); err != nil {
		a.logger.Error("the static routes cannot be used", zap.Error(err))
	}
}

// setRates makes rates, exact decimals by asset code, all that the node converts with. Those of the Caddyfile hold until the first call.
func (a *API) setRates(ctx context.Context, rates map[string]string) error {
	end, err := a.begin()
	if err != nil {
		return err
	}
	defer end()
	parsed, err := parseRates(rates)
	if err != nil {
		return err
	}
	before := a.rates.All()
	if err := a.rates.Replace(parsed); err != nil {
		return err
	}
	if err = a.directory.SetTable(ctx, RatesTable, rates); err != nil {
		err = errors.Join(err, a.rates.Replace(before)) // which the node has had until now
	}
	return err
}

func parseRates(rates map[string]string) (map[string]connector.Rate, error) {
	parsed := make(map[string]connector.Rate, len(rates))
	for code, text := range rates {
		if !(ilpcore.Asset{Code: code}).Valid() {
			return nil, &FieldError{Field: code, Why: "an asset code has 1 to 64 bytes without control characters"}
		}
		rate, err := connector.ParseRate(text)
		if err != nil {
			return nil, &FieldError{Field: code, Why: "a rate is a decimal number above 0, such as 1.25"}
		}
		parsed[code] = rate
	}
	return parsed, nil
}

// openRates applies the rates that the Directory keeps, if they were ever set, also to none.
func (a *API) openRates() {
	kept, set := a.directory.Table(RatesTable)
	if !set {
		return
	}
	rates, err := parseRates(kept)
	if err == nil {
		err = a.rates.Replace(rates)
	}
	if err != nil {
		a.logger.Error("the exchange rates cannot be used", zap.Error(err))
	}
}

// uuid makes a random UUID (RFC 9562, version 4).
func (a *API) uuid() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(a.random, b[:]); err != nil {
		return "", fmt.Errorf("making an account's UUID: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
