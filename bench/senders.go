//go:build linux

package main

// This file measures senders of STREAM payments: Paydoor's and npm's pay the same receivers, by turns.

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/bench/rig"
)

// ownSender is Paydoor's, among the names of the senders.
const ownSender = "Paydoor"

// wantedFactor is how many times the packets of the better of npm's senders Paydoor's is to send.
const wantedFactor = 20

// senders is what this part has found.
type senders struct {
	peer    string // what the sender was compared with
	missing error  // why it was not
	lines   []line // the first two sides are npm's
	packets int
	units   uint64
}

// counter is what senders are measured on.
type counter struct {
	options
	say     func(format string, a ...any)
	root    string
	dir     string
	secret  string
	memory  *memoryTill
	gateway *gatewayTill
	backend *backend
	payers  []*payerProcess
}

// control is another build's sender, among the names of the senders.
const control = "control"

// accounts are the names of the senders at the receivers.
var accounts = map[string]string{npmSenders[0]: "npm-stream", npmSenders[1]: "npm-pay", ownSender: "own", control: "control"}

// measureSenders fills the report. Without npm's senders it notes that, unless nothing else was asked for.
func measureSenders(ctx context.Context, o options, root, dir string, say func(string, ...any), r *report) (err error) {
	if r.senders.peer, err = describePackages(ctx, root, npmSenders...); err != nil {
		if o.only == "" && errors.Is(err, errNoRelay) {
			say("leaving out senders: %v", err)
			r.senders.missing = err
			return nil
		}
		return err
	}
	c := &counter{options: o, say: say, root: root, dir: dir}
	defer func() { err = errors.Join(err, c.close()) }()
	before, err := watchMachine()
	if err != nil {
		return err
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	if err := c.measure(ctx, &r.senders); err != nil {
		return err
	}
	all := []*gateway{c.gateway.gateway}
	for _, p := range c.payers {
		all = append(all, p.gateway)
	}
	return r.noteOthers(before, all...)
}

// open starts the receivers.
func (c *counter) open(ctx context.Context) (err error) {
	var random [32]byte
	rand.Read(random[:])
	c.secret = hex.EncodeToString(random[:])
	names := slices.Sorted(maps.Values(accounts))
	if c.memory, err = startMemoryTill(c.secret, names); err != nil {
		return err
	}
	if c.backend, err = startBackend(respondPage); err != nil {
		return err
	}
	ports, err := rig.FreePorts(3)
	if err != nil {
		return err
	}
	c.gateway = &gatewayTill{secret: c.secret, site: ports[1], node: ports[2]}
	file := tillCaddyfile(ports[0], ports[1], ports[2], c.backend.address, c.secret, names)
	if c.gateway.gateway, err = startGateway(c.binary, c.dir, "till", ports[0], file); err != nil {
		return err
	}
	return c.gateway.awaitStatus(ctx, http.MethodOptions, "http://"+c.gateway.site.String(), http.StatusNoContent, http.Header{"Pay-Token": {strings.Repeat("x", 43)[:42] + "A"}})
}

func (c *counter) close() (err error) {
	for _, p := range c.payers {
		err = errors.Join(err, p.close())
	}
	if c.gateway != nil && c.gateway.gateway != nil {
		err = errors.Join(err, c.gateway.stop())
	}
	if c.backend != nil {
		err = errors.Join(err, c.backend.close())
	}
	if c.memory != nil {
		err = errors.Join(err, c.memory.close())
	}
	return err
}

func (c *counter) measure(ctx context.Context, s *senders) error {
	for _, at := range []struct {
		name string
		till till
	}{{"receiver in memory", c.memory}, {"gateway, credits on disk", c.gateway}} {
		for _, way := range []struct {
			name string
			btp  bool
		}{{"BTP", true}, {"HTTP", false}} {
			l := line{setting: way.name + ", " + at.name}
			c.say("measuring senders: %s", l.setting)
			if err := c.compare(ctx, &l, s, at.till, way.btp); err != nil {
				return fmt.Errorf("%s: %w", l.setting, err)
			}
			s.lines = append(s.lines, l)
		}
	}
	return nil
}

// compare has the senders take turns on one link to one receiver.
func (c *counter) compare(ctx context.Context, l *line, s *senders, to till, overBTP bool) error {
	names := append(npmSenders[:len(npmSenders):len(npmSenders)], ownSender)
	if c.against != "" && c.only == "sender" {
		names = append(names, control)
	}
	for _, name := range names {
		u := to.uplink(accounts[name], overBTP)
		command, err := c.command(name, &u, len(s.lines))
		if err != nil {
			return err
		}
		p, err := startPayer(ctx, c.dir, name, u, command...)
		if err != nil {
			return err
		}
		c.payers = append(c.payers, p)
		load := func(ctx context.Context, d time.Duration) (slice, error) {
			return c.load(ctx, s, p, to, int(p.rate*d.Seconds()))
		}
		if err := c.warm(ctx, s, p, to); err != nil {
			return err
		}
		l.sides = append(l.sides, &side{gateway: p.gateway, load: load})
	}
	return takeTurns(ctx, l.sides, max(1, c.rounds/2), c.slice)
}

// command starts the sender of that name, whose uplink gets what is its own.
func (c *counter) command(name string, u *uplink, line int) ([]string, error) {
	switch name {
	case control:
		path, err := filepath.Abs(c.against)
		return []string{path, asSender}, err
	case ownSender:
		if c.profile != "" {
			u.Profile = filepath.Join(c.profile, fmt.Sprintf("sender-%d.pprof", line))
		}
		return ownPayer()
	}
	u.Library = name
	return npmPayer(c.root), nil
}

// warm lets a sender make ever larger payments, so that its rate is known and Node.js has compiled what it runs often.
func (c *counter) warm(ctx context.Context, s *senders, p *payerProcess, to till) error {
	begin := time.Now()
	for packets := 100; ; packets = min(2*packets, int(p.rate)+1) {
		if _, err := c.load(ctx, s, p, to, packets); err != nil {
			return err
		}
		if time.Since(begin) >= max(c.slice, warmUp) {
			return nil
		}
	}
}

// load has a payment made of so many full packets, and compares what everybody says of it.
func (c *counter) load(ctx context.Context, s *senders, p *payerProcess, to till, packets int) (slice, error) {
	o, received, err := to.quote(ctx)
	if err != nil {
		return slice{}, err
	}
	o.Send = largestPacket * amount.Amount(max(packets, 1))
	done, err := p.pay(ctx, o)
	if err != nil {
		return slice{}, err
	}
	credited, err := received(ctx)
	if err != nil {
		return slice{}, err
	}
	if done.Sent != o.Send || done.Delivered != credited || credited != o.Send {
		return slice{}, fmt.Errorf("sender %q was to send %s, has sent %s, and says that %s arrived; %s were credited", p.name, o.Send, done.Sent, done.Delivered, credited)
	}
	s.packets += done.Packets
	s.units += uint64(credited)
	return slice{requests: done.Packets, took: time.Duration(done.Milliseconds * float64(time.Millisecond))}, nil
}
