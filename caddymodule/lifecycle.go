package caddymodule

// This file is the app's life: Provision reads, Start opens, Cleanup gives back (D9). Stop closes nothing: on a
// reload Caddy calls it while requests of this config are still under way.

import (
	"errors"
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/store"
)

// Provision reads the config. It opens nothing, so that validating a config beside a running server disturbs nobody. A config that is to run
// waits here for its ledger: once Caddy listens, requests come to this process, even if another one has the same ports.
func (a *App) Provision(ctx caddy.Context) (err error) {
	a.logger = ctx.Logger()
	a.settings, err = a.resolveSettings()
	if err != nil {
		return fmt.Errorf("ilp: %w", err)
	}
	if starts(ctx) {
		if err := awaitBooks(ctx, a.settings.dataDir); err != nil {
			return fmt.Errorf("ilp: %w", err)
		}
	}
	a.redacts = redacts(ctx)
	a.pointers = a.newPointers()
	events, err := ctx.App("events")
	if err != nil {
		return fmt.Errorf("ilp: getting the events app: %w", err)
	}
	a.announces = newAnnouncer(ctx, events.(*caddyevents.App), a.active)
	return registerMetrics(ctx)
}

// Start opens the ledger and the links, if no request was faster, and takes the packets that the links bring from now on.
func (a *App) Start() error {
	r, err := a.open()
	if err != nil {
		return fmt.Errorf("ilp: %w", refuse(err, a.settings.dataDir))
	}
	a.announces.start()
	r.takePackets()
	if !a.redacts {
		a.logger.Warn("no log of this config has the encoder redact: logs may show each Pay-Token, which whoever reads it can spend; " +
			`give every log, and a log named default, "encoder": {"format": "redact"}, in a Caddyfile: format redact`)
	}
	address, asset, ok := r.node.Address()
	if ok {
		a.logger.Info("the node is ready", zap.String("address", string(address)), zap.Stringer("asset", asset), zap.String("data_dir", a.settings.dataDir))
	} else {
		a.logger.Info("the node waits for its address from the parent account", zap.String("data_dir", a.settings.dataDir))
	}
	return nil
}

// Stop ends the announcing of events, whose handlers belong to the config. Everything else goes on: see Cleanup.
func (a *App) Stop() error {
	a.announces.end()
	return nil
}

// Cleanup gives back what this config holds. It also runs for a config that failed, at whatever point.
func (a *App) Cleanup() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cleaned {
		return nil
	}
	a.cleaned = true
	if a.announces != nil {
		a.announces.end()
	}
	if a.running == nil {
		return nil
	}
	if err := a.running.close(); err != nil {
		return fmt.Errorf("ilp: closing: %w", err)
	}
	return nil
}

// open returns what this config works with, made at the first call: apps start in random order, so a request may come before Start.
func (a *App) open() (*running, error) {
	if r := a.opened.Load(); r != nil {
		return r, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.running != nil:
		return a.running, nil
	case a.cleaned:
		return nil, errClosed
	}
	r, err := open(&a.settings, a)
	if err != nil {
		return nil, err
	}
	a.running = r
	a.opened.Store(r)
	return r, nil
}

// active says whether this is the app of the running config.
func (a *App) active() bool {
	app, ok := activeApp()
	return ok && app == a
}

// activeApp returns the app of the running config, if it has one.
func activeApp() (*App, bool) {
	running, err := caddy.ActiveContext().AppIfConfigured("ilp")
	if err != nil {
		return nil, false
	}
	app, ok := running.(*App)
	return app, ok
}

// readiness says whether a payment could be received now.
func (a *App) readiness() readiness {
	r, err := a.open()
	if err != nil {
		return readiness{Problem: "the ledger is not open: see the log"}
	}
	if err := r.ready(); err != nil {
		return readiness{Alive: errors.Is(err, store.ErrNoSpace), Problem: err.Error()}
	}
	address, asset, ok := r.node.Address()
	if !ok {
		return readiness{Alive: true, Problem: "the node has no address yet: " + r.parentProblem("the parent account has not given one")}
	}
	if problem := r.cutOff(); problem != "" {
		return readiness{Alive: true, Address: string(address), Problem: problem}
	}
	return readiness{Ready: true, Alive: true, Address: string(address), Asset: &Asset{Code: asset.Code, Scale: asset.Scale}}
}

// ready says why no money could be booked now, if so.
func (r *running) ready() error {
	b, held, err := r.lease()
	if err != nil {
		return err
	}
	defer held.end()
	return b.store.Ready()
}

// cutOff says why no payment could come in to a node whose address is below its parent's: the connection with the parent is down. What comes by
// HTTP needs none.
func (r *running) cutOff() string {
	connected := slices.ContainsFunc(r.settings.accounts, func(a accountSettings) bool {
		return a.Relation == connector.Parent && (a.link.Kind == linkBTP || a.link.Kind == linkListen)
	})
	if r.settings.address != "" || !connected {
		return ""
	}
	down := slices.ContainsFunc(r.node.Status().Accounts, func(a connector.AccountStatus) bool { return a.Relation == relationParent && !a.Up })
	if !down {
		return ""
	}
	return "no payment comes in: " + r.parentProblem("the link to the parent was down a moment ago")
}

// parentProblem says what is wrong with the parent, or otherwise if nothing is.
func (r *running) parentProblem(otherwise string) string {
	for _, account := range r.node.Status().Accounts {
		switch {
		case account.Relation != relationParent:
		case account.Problem != "":
			return "account " + string(account.ID) + ": " + account.Problem
		case !account.Up:
			return "the link to account " + string(account.ID) + " is down"
		}
	}
	return otherwise
}

var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
