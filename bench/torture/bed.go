//go:build linux

package main

// This file is the bed of a series of faults: one ledger, the gateway on it, and all that surrounds it, with the record of what they did.

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/payer"
	"github.com/paydoor/paydoor/paywall"
)

const (
	richTokens = 12 // the first of which is the hot one
	poorTokens = 4  // have less than their requests cost
	riches     = amount.Amount(1_000_000_000)
)

// token is a Pay-Token with its quote.
type token struct {
	text    string
	account balances.Account
	address ilpcore.Address
	keys    *ilpcore.EndToEnd
}

// plan is what a bed is made of.
type plan struct {
	binary     string
	home       string // an existing directory out of reach of the fault
	data       string // data_dir; "": below home
	durability string // "": another one at each start
	minFree    string
	wrapper    []string
	env        []string
	alone      bool // no parent: the address is in the Caddyfile
}

// bed is everything that runs in a series.
type bed struct {
	plan     plan
	settings settings
	random   *rand.Rand
	bytes    *rand.ChaCha8

	record  *record
	backend *backend
	parent  *parent // nil if alone
	child   *child
	gateway *gateway
	client  *http.Client
	tokens  []token
	mayDie  bool // the fault under way may end the process without order
}

// minFree in all kinds but full: the disks here are small, and nothing else fills them.
const littleFree = "4MiB"

// newBed makes a bed; its gateway is not started yet.
func newBed(p plan, seed uint64) (b *bed, err error) {
	b = &bed{plan: p, random: rand.New(rand.NewPCG(seed, 0x746f7274757265)), record: newRecord(), client: newHTTPClient()}
	var key [32]byte
	for i := range key {
		key[i] = byte(b.random.Uint32())
	}
	b.bytes = rand.NewChaCha8(key)
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	for range richTokens + poorTokens {
		var raw [32]byte
		_, _ = b.bytes.Read(raw[:])
		t := token{text: base64.RawURLEncoding.EncodeToString(raw[:])}
		if t.account, err = paywall.AccountOf(t.text, ""); err != nil {
			return b, err
		}
		b.tokens = append(b.tokens, t)
	}
	if b.backend, err = startBackend(); err != nil {
		return b, err
	}
	return b, b.prepareGateway()
}

// prepareGateway writes the Caddyfile.
func (b *bed) prepareGateway() error {
	var secret [32]byte
	_, _ = b.bytes.Read(secret[:])
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	if b.plan.data == "" {
		b.plan.data = filepath.Join(b.plan.home, "data")
	}
	b.settings = settings{
		data: b.plan.data, durability: b.plan.durability, minFree: b.plan.minFree, secret: hex.EncodeToString(secret[:]),
		backend: b.backend.address, admin: ports[0], site: ports[1], node: ports[2],
	}
	if b.settings.minFree == "" {
		b.settings.minFree = littleFree
	}
	if !b.plan.alone {
		if b.parent, err = startParent(b.settings.secret); err != nil {
			return err
		}
		b.settings.parent = b.parent.address
	}
	b.child = newChild(b.settings.node, b.settings.secret)
	b.gateway = &gateway{binary: b.plan.binary, home: b.plan.home, admin: ports[0], site: ports[1], client: b.client, wrapper: b.plan.wrapper, env: b.plan.env}
	return b.writeCaddyfile()
}

func (b *bed) writeCaddyfile() error {
	return os.WriteFile(filepath.Join(b.plan.home, "Caddyfile"), []byte(b.settings.caddyfile()), 0o600)
}

// close ends everything; the gateway is killed if it still runs.
func (b *bed) close() error {
	var errs []error
	if b.gateway != nil {
		b.gateway.kill()
	}
	if b.parent != nil {
		errs = append(errs, b.parent.close())
	}
	if b.backend != nil {
		errs = append(errs, b.backend.close())
	}
	if b.child != nil {
		b.child.client.CloseIdleConnections()
	}
	b.client.CloseIdleConnections()
	return errors.Join(errs...)
}

// start starts the gateway, and returns when it is ready.
func (b *bed) start(ctx context.Context) error {
	if b.plan.durability == "" {
		b.settings.durability = [...]string{durGroup, durProcess}[b.random.IntN(2)]
		if err := b.writeCaddyfile(); err != nil {
			return err
		}
	}
	b.child.client.CloseIdleConnections()
	b.client.CloseIdleConnections()
	return b.gateway.start(ctx)
}

// fund starts the gateway for the first time, gets a quote for each token and pays it.
func (b *bed) fund(ctx context.Context) error {
	if err := b.start(ctx); err != nil {
		return err
	}
	for i := range b.tokens {
		t := &b.tokens[i]
		ask, _, err := b.quote(ctx, t)
		if err != nil {
			return err
		}
		t.address, t.keys = ask.Address, psk2.Keys(ask.Secret)
		funds := riches
		if i >= richTokens {
			funds = price + 5
		}
		p, err := b.craft(t, funds, craftLife, b.bytes)
		if err != nil {
			return err
		}
		if err := b.pay(ctx, b.child, p); err != nil {
			return fmt.Errorf("funding a token: %w", err)
		}
		if p.fate != fulfilled {
			return fmt.Errorf("funding a token: rejected with %s", p.code)
		}
	}
	return nil
}

// quote asks by OPTIONS where to pay, and what the balance is.
func (b *bed) quote(ctx context.Context, t *token) (ask payer.Ask, balance amount.Amount, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodOptions, "http://"+b.settings.site.String()+"/", nil)
	if err != nil {
		return ask, 0, err
	}
	request.Header.Set("Pay-Token", t.text)
	answer, err := b.client.Do(request)
	if err != nil {
		return ask, 0, err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return ask, 0, fmt.Errorf("a price query was answered with %s", answer.Status)
	}
	if balance, err = amount.Parse(answer.Header.Get("Pay-Balance")); err != nil {
		return ask, 0, fmt.Errorf("a price query: Pay-Balance %q: %w", answer.Header.Get("Pay-Balance"), err)
	}
	ask, err = payer.ParsePay(answer.Header.Get("Pay"))
	return ask, balance, err
}

// secrets are what may be in no log.
func (b *bed) secrets() (texts []string) {
	for _, t := range b.tokens {
		texts = append(texts, t.text)
	}
	return texts
}
