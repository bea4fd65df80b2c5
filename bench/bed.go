//go:build linux

package main

// This file is the bed that is measured on: backend, neighbours, four gateways, and tokens with money. Its measure is the whole run.

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/bench/rig"
)

const (
	deposit  = 1_000_000_000 // what each token gets
	payees   = 1000          // how many of the tokens the measured packets pay
	btpLinks = 8
	fundWith = 128 // connections
)

// bed is everything that runs.
type bed struct {
	options
	say    func(format string, a ...any)
	secret string

	before     usage // before anything was started
	backend    *backend
	neighbours *neighbours
	bare       *gateway
	paid       *gateway
	floor      *gateway // what cannot be done without, of bench/floor; nil: it is not measured
	control    *gateway // a second bare, or another binary with a paywall
	site       struct{ bare, untuned, paid, floor, control netip.AddrPort }
	node       netip.AddrPort // of paid

	hot    []token // one
	many   []token
	payees []token // shares keys with the first of many

	turn     atomic.Uint64 // whose turn it is among payees
	credited atomic.Uint64 // units sent to any token of paid
	charged  uint64        // requests that paid answered
}

func newBed(ctx context.Context, o options, dir string, say func(format string, a ...any)) (b *bed, err error) {
	var random [32]byte
	rand.Read(random[:])
	b = &bed{options: o, say: say, secret: hex.EncodeToString(random[:]), hot: newTokens(1), many: newTokens(o.tokens)}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.before, err = watchMachine(); err != nil {
		return b, err
	}
	if b.backend, err = startBackend(respondPage); err != nil {
		return b, err
	}
	if b.neighbours, err = startNeighbours(b.secret); err != nil {
		return b, err
	}
	if err := b.startGateways(ctx, dir); err != nil {
		return b, err
	}
	say("waiting for the node to dial %d BTP links", btpLinks)
	return b, b.neighbours.await(ctx, btpLinks)
}

// startGateways starts all, and returns when each serves.
func (b *bed) startGateways(ctx context.Context, dir string) error {
	ports, err := rig.FreePorts(11)
	if err != nil {
		return err
	}
	b.site.bare, b.site.untuned, b.site.paid, b.site.control, b.node, b.site.floor = ports[3], ports[4], ports[5], ports[6], ports[7], ports[9]
	p := peers{secret: b.secret, btp: b.neighbours.address, links: btpLinks}
	backend := b.backend.address
	if b.bare, err = startGateway(b.binary, dir, "bare", ports[0], bareCaddyfile(ports[0], b.site.bare, ports[8], backend)); err != nil {
		return err
	}
	if b.paid, err = startGateway(b.binary, dir, "paywall", ports[1], paidCaddyfile(ports[1], b.site.paid, b.node, backend, p)); err != nil {
		return err
	}
	if err := b.startFloor(ctx, dir, ports[10]); err != nil {
		return err
	}
	if b.against == "" {
		b.control, err = startGateway(b.binary, dir, "control", ports[2], bareCaddyfile(ports[2], b.site.control, b.site.untuned, backend))
	} else {
		p.links = 0
		b.control, err = startGateway(b.against, dir, "control", ports[2], paidCaddyfile(ports[2], b.site.control, b.site.untuned, backend, p))
	}
	if err != nil {
		return err
	}
	paid, free := http.Header{"Pay-Token": {b.hot[0].text}}, http.Header{}
	err = errors.Join(
		b.bare.awaitStatus(ctx, http.MethodGet, "http://"+b.site.bare.String(), 200, free),
		b.paid.awaitStatus(ctx, http.MethodOptions, "http://"+b.site.paid.String(), 204, paid))
	if b.against == "" {
		return errors.Join(err, b.control.awaitStatus(ctx, http.MethodGet, "http://"+b.site.control.String(), 200, free))
	}
	return errors.Join(err, b.control.awaitStatus(ctx, http.MethodOptions, "http://"+b.site.control.String(), 204, paid))
}

// startFloor starts what cannot be done without, if it is measured.
func (b *bed) startFloor(ctx context.Context, dir string, admin netip.AddrPort) (err error) {
	if b.options.floor == "" {
		return nil
	}
	if b.floor, err = startGateway(b.options.floor, dir, "sync-alone", admin, syncCaddyfile(admin, b.site.floor, b.backend.address)); err != nil {
		return err
	}
	return b.floor.awaitStatus(ctx, http.MethodGet, "http://"+b.site.floor.String(), 200, http.Header{})
}

// close stops everything that was started.
func (b *bed) close() error {
	var errs []error
	for _, g := range b.gateways() {
		errs = append(errs, g.stop())
	}
	if b.neighbours != nil {
		errs = append(errs, b.neighbours.close())
	}
	if b.backend != nil {
		errs = append(errs, b.backend.close())
	}
	return errors.Join(errs...)
}

// gateways are those that run.
func (b *bed) gateways() []*gateway {
	return slices.DeleteFunc([]*gateway{b.bare, b.paid, b.floor, b.control}, func(g *gateway) bool { return g == nil })
}

// measure fills the report.
func (b *bed) measure(ctx context.Context, r *report) error {
	var err error
	if b.against != "" {
		if err := b.fund(ctx, b.site.control, b.site.untuned, false); err != nil {
			return fmt.Errorf("funding the control's tokens: %w", err)
		}
	}
	// Last, because the quotes that the tokens keep are for the packets to be measured.
	if err := b.fund(ctx, b.site.paid, b.node, true); err != nil {
		return fmt.Errorf("funding the tokens: %w", err)
	}
	if b.only != "packets" {
		err = b.measureRequests(ctx, r)
	}
	if err == nil && b.only != "requests" {
		err = b.measurePackets(ctx, r)
	}
	if err == nil {
		err = b.balance(ctx, r)
	}
	if err == nil {
		err = r.noteOthers(b.before, b.gateways()...)
	}
	return err
}

// fund gets a quote for each token and pays it. counted says that this is the gateway whose books are checked.
func (b *bed) fund(ctx context.Context, site, node netip.AddrPort, counted bool) error {
	b.say("funding %d tokens", b.tokens+1)
	all := [][]token{b.hot, b.many}
	for _, tokens := range all {
		for i := range tokens {
			tokens[i].ask.Address, tokens[i].keys = "", nil
		}
	}
	unquoted := each(all)
	if err := once(ctx, site, func() job { return &quote{next: unquoted} }); err != nil {
		return err
	}
	next := each(all)
	err := once(ctx, node, func() job {
		return newPay(b.secret, &payment{whom: func() (*token, amount.Amount) {
			t := next()
			if t != nil && counted {
				b.credited.Add(deposit)
			}
			return t, deposit
		}})
	})
	b.payees = b.many[:payees]
	return err
}

// newPayment is the parcel of the measured packets.
func (b *bed) newPayment() parcel { return &payment{whom: b.nextPayee} }

// nextPayee is whom the next measured packet pays, and what.
func (b *bed) nextPayee() (*token, amount.Amount) {
	b.credited.Add(1)
	return &b.payees[b.turn.Add(1)%payees], 1
}

// balance compares what the ledger holds with what was sent and fetched.
func (b *bed) balance(ctx context.Context, r *report) error {
	b.say("comparing the balances of all tokens")
	held := uint64(0)
	next := each([][]token{b.hot, b.many})
	seen := func(_ *token, balance amount.Amount) { held += uint64(balance) }
	if err := once(ctx, b.site.paid, func() job { return &quote{next: next, seen: seen} }); err != nil {
		return err
	}
	r.charges, r.credited, r.held = b.charged, b.credited.Load(), held
	if want := r.credited - price*r.charges; held != want {
		return fmt.Errorf("the tokens hold %d units, but %d were sent and %d requests cost %d each: that leaves %d", held, r.credited, r.charges, price, want)
	}
	return nil
}

// each returns a function that returns one token after the other, then nil.
func each(groups [][]token) func() *token {
	g, i := 0, 0
	return func() *token {
		for ; g < len(groups); g, i = g+1, 0 {
			if i < len(groups[g]) {
				i++
				return &groups[g][i-1]
			}
		}
		return nil
	}
}

// once works through jobs that end by themselves.
func once(ctx context.Context, address netip.AddrPort, newJob func() job) (err error) {
	c, err := newClient(address, fundWith, func(int) job { return newJob() })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	_, err = c.run(ctx, 0)
	return err
}

// profiled runs f, and if asked to, profiles the gateways meanwhile.
func (o options) profiled(ctx context.Context, name string, d time.Duration, f func() error, gateways ...*gateway) error {
	if o.profile == "" {
		return f()
	}
	ended := make(chan error)
	for _, g := range gateways {
		go func() { ended <- g.profile(ctx, d, filepath.Join(o.profile, name+"-"+g.name+".pprof")) }()
	}
	err := f()
	for range gateways {
		err = errors.Join(err, <-ended)
	}
	return err
}
