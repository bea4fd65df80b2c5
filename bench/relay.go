//go:build linux

package main

// This file is one connector that packets cross: its process, and the sender and the receiver around it.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// The accounts of every relay. What is addressed to test.http goes to http-out, and to test.btp to btp-out.
const (
	httpIn  = "http-in"
	httpOut = "http-out"
	btpIn   = "btp-in"
	btpOut  = "btp-out"
)

// postAlone is the relay that only posts what it gets over HTTP, as a measure of what the others cannot do without.
const postAlone = "post-alone"

// errNoRelay says that there is nothing to compare the node with.
var errNoRelay = errors.New("npm's packages are not there: install Node.js 20 or later, and run npm ci --ignore-scripts in interop")

// relay is a running connector.
type relay struct {
	*gateway
	entry    netip.AddrPort // where http-in posts
	secret   string
	in, out  *neighbour // over BTP; nil: it has no such links
	far      *backend   // of http-out
	received atomic.Uint64
	sent     map[string]uint64 // packets by account that were fulfilled
	ask      func(ctx context.Context, r *relay) (balances map[string]int64, err error)
}

// relayPlan is what the configuration of a relay is made of.
type relayPlan struct {
	admin, entry, far, btp netip.AddrPort
	name, secret           string
}

// link is the URL that an account dials. The user tells the bench whose it is.
func (p relayPlan) link(account string) string {
	return fmt.Sprintf("btp+ws://%s.%s:%s@%s", p.name, account, p.secret, p.btp)
}

// newRelay starts the far side; start starts the process.
func newRelay(p relayPlan, start func(p relayPlan) (*gateway, error)) (r *relay, err error) {
	r = &relay{entry: p.entry, secret: p.secret, sent: make(map[string]uint64)}
	if r.far, err = startBackend(r.respond); err != nil {
		return r, err
	}
	p.far = r.far.address
	r.gateway, err = start(p)
	return r, err
}

func (r *relay) respond(received, dst []byte) ([]byte, int, error) {
	answer, length, paid, err := answerPost(received, dst)
	if paid {
		r.received.Add(1)
	}
	return answer, length, err
}

// close stops what was started.
func (r *relay) close() (err error) {
	if r.gateway != nil {
		err = r.stop()
	}
	if r.far != nil {
		err = errors.Join(err, r.far.close())
	}
	return err
}

// load returns what sends packets from an account to another, so many at a time, and what ends it.
func (r *relay) load(from, to string, inFlight int) (_ func(context.Context, time.Duration) (slice, error), end func() error, err error) {
	destination := ilpcore.Address("test." + strings.TrimSuffix(to, "-out") + ".far")
	newParcel := func() parcel { return &crossing{destination: destination} }
	if from == btpIn {
		return func(ctx context.Context, d time.Duration) (slice, error) {
			return r.in.run(ctx, d, inFlight, newParcel)
		}, func() error { return nil }, nil
	}
	c, err := newClient(r.entry, inFlight, func(int) job { return newPay(r.secret, newParcel()) })
	if err != nil {
		return nil, nil, err
	}
	return c.run, c.close, nil
}

// check compares what was sent with what came out on the far side, and, where the connector tells them, with its balances.
func (r *relay) check(ctx context.Context) (told bool, err error) {
	received := map[string]uint64{httpOut: r.received.Load()}
	if r.out != nil {
		received[btpOut] = r.out.received.Load()
	}
	for account, got := range received {
		if got != r.sent[account] {
			return false, fmt.Errorf("%s: %d packets to %s were fulfilled, and %d came out there", r.name, r.sent[account], account, got)
		}
	}
	balances, err := r.ask(ctx, r)
	if err != nil || balances == nil {
		return false, err
	}
	for _, account := range []string{httpIn, httpOut, btpIn, btpOut} {
		want := int64(r.sent[account])
		if strings.HasSuffix(account, "-in") {
			want = -want
		}
		if got, ok := balances[account]; !ok || got != want {
			return false, fmt.Errorf("%s: the balance of %s is %d, and should be %d", r.name, account, got, want)
		}
	}
	return true, nil
}

// startNode starts Paydoor.
func startNode(binary, dir string) func(p relayPlan) (*gateway, error) {
	return func(p relayPlan) (*gateway, error) {
		return startGateway(binary, dir, p.name, p.admin, relayCaddyfile(p))
	}
}

// startPost starts what only posts, see bench/floor.
func startPost(binary, dir string) func(p relayPlan) (*gateway, error) {
	return func(p relayPlan) (*gateway, error) {
		return startGateway(binary, dir, p.name, p.admin, postCaddyfile(p))
	}
}

// startConnector starts npm's ilp-connector, as interop/peers/relay.js says.
func startConnector(root, dir string) func(p relayPlan) (*gateway, error) {
	return func(p relayPlan) (*gateway, error) {
		type link struct {
			Port   uint16 `json:"port,omitempty"`
			URL    string `json:"url,omitempty"`
			Secret string `json:"secret"`
		}
		options, err := json.Marshal(map[string]any{
			"httpIn": link{Port: p.entry.Port(), Secret: p.secret}, "httpOut": link{URL: "http://" + p.far.String() + "/", Secret: p.secret},
			"btpIn": p.link(btpIn), "btpOut": p.link(btpOut), "adminPort": p.admin.Port(),
		})
		if err != nil {
			return nil, err
		}
		home := filepath.Join(dir, p.name)
		if err := os.Mkdir(home, 0o700); err != nil {
			return nil, err
		}
		process := exec.Command("node", "peers/relay.js", string(options))
		process.Dir = filepath.Join(root, "interop")
		process.Env = append(os.Environ(), "NODE_ENV=production", "DEBUG=")
		return start(p.name, home, p.admin, process)
	}
}

// describeConnector names the versions of ilp-connector and Node.js; without them it is errNoRelay.
func describeConnector(ctx context.Context, root string) (string, error) {
	return describePackages(ctx, root, "ilp-connector")
}

// describePackages names the versions of npm's packages below interop, and of Node.js; without them it is errNoRelay.
func describePackages(ctx context.Context, root string, names ...string) (string, error) {
	node, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return "", errNoRelay
	}
	var said []string
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, "interop", "node_modules", filepath.FromSlash(name), "package.json"))
		if err != nil {
			return "", errNoRelay
		}
		var manifest struct{ Version string }
		if err := json.Unmarshal(text, &manifest); err != nil {
			return "", fmt.Errorf("the manifest of %s: %w", name, err)
		}
		said = append(said, name+" "+manifest.Version)
	}
	return fmt.Sprintf("%s on Node.js %s", strings.Join(said, " and "), strings.TrimSpace(string(node))), nil
}
