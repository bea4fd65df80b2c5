//go:build linux

package main

// This file is what is measured: the requests and packets of each line of the tables.

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// line is one setting of a table with what its sides gave: the first is what the others are compared with.
type line struct {
	setting string
	conns   int
	sides   []*side
}

// measureRequests measures the site with and without paywall, and with and without enough idle connections.
func (b *bed) measureRequests(ctx context.Context, r *report) error {
	for _, setting := range []struct {
		name   string
		tokens []token
	}{{fmt.Sprintf("%d tokens", len(b.many)), b.many}, {"one hot token", b.hot}} {
		for _, conns := range []int{64, 512} {
			b.say("measuring requests: %s, %d connections", setting.name, conns)
			l := line{setting: setting.name, conns: conns}
			places := []place{{b.bare, b.site.bare}, {b.paid, b.site.paid}, {b.floor, b.site.floor}, {b.control, b.site.control}}
			places = slices.DeleteFunc(places, func(p place) bool { return p.gateway == nil })
			if err := b.compare(ctx, &l, b.rounds, setting.tokens, places...); err != nil {
				return err
			}
			r.requests = append(r.requests, l)
		}
	}
	if b.against != "" {
		return nil
	}
	for _, conns := range []int{64, 512} {
		b.say("measuring Caddy's default of 32 idle connections: %d connections", conns)
		l := line{setting: "no paywall", conns: conns}
		if err := b.compare(ctx, &l, max(1, b.rounds/2), b.hot, place{b.bare, b.site.bare}, place{b.control, b.site.untuned}); err != nil {
			return err
		}
		r.idle = append(r.idle, l)
	}
	return nil
}

// place is a site and the gateway that serves it.
type place struct {
	gateway *gateway
	address netip.AddrPort
}

// compare has the places take turns.
func (b *bed) compare(ctx context.Context, l *line, rounds int, tokens []token, places ...place) (err error) {
	var gateways []*gateway
	for _, p := range places {
		paid := p.gateway == b.paid || b.against != "" && p.gateway == b.control
		c, err := newClient(p.address, l.conns, func(i int) job { return newFetch(tokens, paid, i) })
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.close()) }()
		l.sides = append(l.sides, &side{gateway: p.gateway, load: c.run})
		gateways = append(gateways, p.gateway)
	}
	name := fmt.Sprintf("requests-%d-%d", len(tokens), l.conns)
	err = b.profiled(ctx, name, b.slice*time.Duration((rounds+1)*len(places)), func() error { return takeTurns(ctx, l.sides, rounds, b.slice) }, gateways...)
	for _, s := range l.sides {
		if s.gateway == b.paid {
			b.charged += uint64(s.count)
		}
	}
	return err
}

// road is a way for packets into the node.
type road struct {
	name string
	send func(ctx context.Context, d time.Duration) (slice, error)
	requests
}

// measurePackets has the roads take turns.
func (b *bed) measurePackets(ctx context.Context, r *report) (err error) {
	for _, conns := range []int{64, 512} {
		c, err := newClient(b.node, conns, func(int) job { return newPay(b.secret, b.newPayment()) })
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.close()) }()
		r.packets = append(r.packets, &road{name: fmt.Sprintf("`POST /ilp`, %d connections", conns), send: c.run})
	}
	for _, links := range []int{1, btpLinks} {
		r.packets = append(r.packets, &road{
			name: fmt.Sprintf("BTP, %d × 64 packets under way", links),
			send: func(ctx context.Context, d time.Duration) (slice, error) {
				return together(ctx, b.neighbours.links[:links], d, 64, b.newPayment)
			},
		})
	}
	b.say("measuring packets")
	rounds := max(1, b.rounds/2)
	total := b.slice * time.Duration((rounds+1)*len(r.packets))
	return b.profiled(ctx, "packets", total, func() error {
		for round := -1; round < rounds; round++ {
			for _, road := range r.packets {
				if err := b.travel(ctx, road, round >= 0); err != nil {
					return fmt.Errorf("%s: %w", road.name, err)
				}
			}
		}
		return nil
	}, b.paid)
}

// travel gives one road its slice.
func (b *bed) travel(ctx context.Context, road *road, counts bool) error {
	before, err := b.paid.cpu()
	if err != nil {
		return err
	}
	s, err := road.send(ctx, b.slice)
	if err != nil {
		return err
	}
	after, err := b.paid.cpu()
	if err == nil && counts {
		road.count += s.requests
		road.rates = append(road.rates, s.rate())
		road.cpu = append(road.cpu, perRequest(after-before, s.requests))
		road.times = append(road.times, s.times...)
	}
	return err
}

// together runs several links at once.
func together(ctx context.Context, links []*neighbour, d time.Duration, inFlight int, newParcel func() parcel) (all slice, err error) {
	var working sync.WaitGroup
	slices, errs := make([]slice, len(links)), make([]error, len(links))
	for i, l := range links {
		working.Go(func() { slices[i], errs[i] = l.run(ctx, d, inFlight, newParcel) })
	}
	working.Wait()
	for _, s := range slices {
		all.requests += s.requests
		all.took = max(all.took, s.took)
		all.times = append(all.times, s.times...)
	}
	return all, errors.Join(errs...)
}
