//go:build linux

package main

// This file measures packets through the node: Paydoor and npm's ilp-connector between the same senders and receivers, by turns.

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paydoor/paydoor/bench/rig"
)

const (
	crossingsUnderWay = 64              // of each connector whose turn it is
	warmUp            = 2 * time.Second // at least, as Node.js compiles what it runs often
)

// shapes are the kinds of links that a packet comes in by and goes out by.
var shapes = []struct{ name, file, from, to string }{
	{"HTTP → HTTP", "http-http", httpIn, httpOut},
	{"BTP → BTP", "btp-btp", btpIn, btpOut},
	{"BTP → HTTP", "btp-http", btpIn, httpOut},
}

// through is what this part has found.
type through struct {
	peer     string // what the node was compared with
	missing  error  // why it was not
	lines    []line // the first side is the other connector
	count    uint64 // packets in all
	balances []string
}

// crossroads is what this part runs on.
type crossroads struct {
	options
	say        func(format string, a ...any)
	neighbours *neighbours
	relays     []*relay // what the others are compared with comes first
}

// measureThrough fills the report. Without the other connector it notes that, unless nothing else was asked for.
func measureThrough(ctx context.Context, o options, root, dir string, say func(string, ...any), r *report) (err error) {
	if r.through.peer, err = describeConnector(ctx, root); err != nil {
		if o.only == "" && errors.Is(err, errNoRelay) {
			say("leaving out packets through the node: %v", err)
			r.through.missing = err
			return nil
		}
		return err
	}
	c := &crossroads{options: o, say: say}
	defer func() { err = errors.Join(err, c.close()) }()
	before, err := watchMachine()
	if err != nil {
		return err
	}
	if err := c.open(ctx, root, dir); err != nil {
		return err
	}
	if err := c.measure(ctx, &r.through); err != nil {
		return err
	}
	var gateways []*gateway
	for _, relay := range c.relays {
		gateways = append(gateways, relay.gateway)
	}
	return r.noteOthers(before, gateways...)
}

// open starts everything, and returns when each connector has its links.
func (c *crossroads) open(ctx context.Context, root, dir string) (err error) {
	var random [32]byte
	rand.Read(random[:])
	secret := hex.EncodeToString(random[:])
	if c.neighbours, err = startNeighbours(secret); err != nil {
		return err
	}
	type kind struct {
		name  string
		start func(relayPlan) (*gateway, error)
		ask   func(context.Context, *relay) (map[string]int64, error)
	}
	kinds := []kind{{"ilp-connector", startConnector(root, dir), askConnector}, {"Paydoor", startNode(c.binary, dir), askNode}}
	if c.against != "" {
		kinds = append(kinds, kind{"control", startNode(c.against, dir), askNode})
	}
	if c.floor != "" {
		kinds = append(kinds, kind{postAlone, startPost(c.floor, dir), askNothing})
	}
	ports, err := rig.FreePorts(2 * len(kinds))
	if err != nil {
		return err
	}
	for i, kind := range kinds {
		r, err := newRelay(relayPlan{
			name: kind.name, secret: secret, admin: ports[2*i], entry: ports[2*i+1], btp: c.neighbours.address,
		}, kind.start)
		c.relays = append(c.relays, r)
		if err != nil {
			return err
		}
		r.ask = kind.ask
	}
	return c.await(ctx, secret)
}

// await returns when packets get through to each connector.
func (c *crossroads) await(ctx context.Context, secret string) error {
	c.say("waiting for the connectors")
	links := 0
	for _, r := range c.relays {
		// The connectors know by then whose packets come here. An empty one gets a Reject of ilp-connector and a 400 of ours.
		method, url, status := http.MethodPost, "http://"+r.entry.String()+"/ilp", http.StatusBadRequest
		switch r.name {
		case "ilp-connector":
			status = http.StatusOK
		case postAlone:
			method, url, status = http.MethodGet, "http://"+r.admin.String()+"/config/", http.StatusOK
		}
		if err := r.awaitStatus(ctx, method, url, status, http.Header{"Authorization": {"Bearer " + secret}}); err != nil {
			return err
		}
		if r.name != postAlone {
			links += 2
		}
	}
	if err := c.neighbours.await(ctx, links); err != nil {
		return err
	}
	for _, l := range c.neighbours.links {
		name, account, _ := strings.Cut(l.name, ".")
		for _, r := range c.relays {
			switch {
			case r.name != name:
			case account == btpIn:
				r.in = l
			case account == btpOut:
				r.out = l
			}
		}
	}
	return nil
}

// close stops everything.
func (c *crossroads) close() (err error) {
	for _, r := range c.relays {
		err = errors.Join(err, r.close())
	}
	if c.neighbours != nil {
		err = errors.Join(err, c.neighbours.close())
	}
	return err
}

func (c *crossroads) measure(ctx context.Context, t *through) error {
	for _, shape := range shapes {
		c.say("measuring packets through the node: %s", shape.name)
		l := line{setting: shape.name, conns: crossingsUnderWay}
		if err := c.cross(ctx, &l, shape.file, shape.from, shape.to); err != nil {
			return fmt.Errorf("%s: %w", shape.name, err)
		}
		t.lines = append(t.lines, l)
	}
	for _, r := range c.relays {
		told, err := r.check(ctx)
		if err != nil {
			return err
		}
		if told {
			t.balances = append(t.balances, r.name)
		}
		t.count += r.sent[httpIn] + r.sent[btpIn]
	}
	return nil
}

// cross has the connectors take turns on packets from one account to another.
func (c *crossroads) cross(ctx context.Context, l *line, file, from, to string) (err error) {
	var own []*gateway // those that can be profiled
	relays := slices.DeleteFunc(slices.Clone(c.relays), func(r *relay) bool { return r.name == postAlone && (from != httpIn || to != httpOut) })
	for _, r := range relays {
		load, end, failed := r.load(from, to, l.conns)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, end()) }()
		s := &side{gateway: r.gateway, load: load}
		l.sides = append(l.sides, s)
		if r.name != "ilp-connector" {
			own = append(own, r.gateway)
		}
		warm, err := load(ctx, max(c.slice, warmUp))
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		s.count += warm.requests
	}
	rounds := max(1, c.rounds/2)
	err = c.profiled(ctx, "through-"+file, c.slice*time.Duration((rounds+1)*len(l.sides)), func() error {
		return takeTurns(ctx, l.sides, rounds, c.slice)
	}, own...)
	for i, r := range relays {
		r.sent[from] += uint64(l.sides[i].count)
		r.sent[to] += uint64(l.sides[i].count)
	}
	return err
}
