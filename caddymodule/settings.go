package caddymodule

// This file turns the config of the ilp app into settings: defaults filled in, placeholders resolved, everything checked that can be
// checked without touching disk or network, so that caddy validate has no side effects on a live server.

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
	"github.com/paydoor/paydoor/store"
)

// settings is what the app works with. It holds secrets and is never marshalled.
type settings struct {
	dataDir    string
	address    ilpcore.Address
	asset      ilpcore.Asset
	secrets    [][]byte // none: generated into dataDir
	accounts   []accountSettings
	routes     []connector.Route
	rates      map[string]connector.Rate
	spread     connector.Rate
	sandbox    bool
	adminToken string            // "": generated into dataDir
	spsp       ilpcore.AccountID // "": nobody
	every      time.Duration     // that accounts below their threshold are settled after; 0: never
	weak       bool              // secrets may be short
	insecure   bool              // links may do without TLS
	maxBalance amount.Amount
	ledger     ledgerSettings
}

// accountSettings is an account as the connector takes it, but for the link, which is opened later.
type accountSettings struct {
	connector.Account
	incoming []incomingCredential
	link     linkSettings
	more     []linkSettings // of an account that the API has made: its links instead, the one that packets go out by first
	engine   string         // URL of its settlement engine, if the Caddyfile has one
	origin   string         // its place in the Caddyfile; "": not known
}

const (
	defaultCacheSize = 100_000
	defaultAddress   = "test.paydoor" // with sandbox only: nobody outside can route to it
)

// defaultAsset is used where neither the config nor a parent says what is counted.
var defaultAsset = ilpcore.Asset{Code: "USD", Scale: 9}

// resolveSettings reads the whole config. Its errors say what to write instead, and never hold a secret.
func (a *App) resolveSettings() (settings, error) { return a.resolve(false) }

// resolve is resolveSettings, or, while a Caddyfile is read, finds the mistakes that show without the values of placeholders.
func (a *App) resolve(reading bool) (s settings, err error) {
	r := resolver{reading: reading, weak: a.AllowWeakSecrets, insecure: a.Insecure}
	if s.dataDir, err = a.resolveDataDir(r); err != nil {
		return s, a.at("data_dir", err)
	}
	if s.maxBalance, err = r.amount(a.MaxBalance, "max_balance"); err != nil {
		return s, a.at("max_balance", err)
	}
	if a.MaxBalance != "" && s.maxBalance == 0 && !(reading && hasPlaceholder(string(a.MaxBalance))) {
		return s, a.at("max_balance", errors.New("max_balance is 0, and no token could hold anything: write an amount, or leave the line out for no maximum"))
	}
	if s.ledger, err = a.resolveLedger(); err != nil {
		return s, err
	}
	if s.secrets, err = a.resolveSecrets(r); err != nil {
		return s, a.at("secret", err)
	}
	if err := a.resolveAPI(&s, r); err != nil {
		return s, err
	}
	if err := a.resolveRates(&s, r); err != nil {
		return s, err
	}
	for _, account := range a.Accounts {
		if account == nil {
			return s, errors.New("an account is null: remove it from accounts")
		}
		if err := account.check(); err != nil {
			return s, account.at("account", err)
		}
		resolved, err := account.resolve(r)
		if err != nil {
			return s, fmt.Errorf("account %s: %w", account.Name, err)
		}
		s.accounts = append(s.accounts, resolved)
	}
	for _, route := range a.Routes {
		s.routes = append(s.routes, route.resolve())
	}
	if s.sandbox = a.Sandbox; s.sandbox {
		s.accounts = append(s.accounts, accountSettings{Account: connector.Account{ID: sandboxAccount, Relation: connector.Local}, origin: "the option sandbox"})
	}
	if err := a.resolveIdentity(&s, r); err != nil {
		return s, err
	}
	return s, a.checkTogether(&s)
}

func (a *App) resolveDataDir(r resolver) (string, error) {
	dir := filepath.Join(caddy.AppDataDir(), "paydoor")
	if a.DataDir != "" {
		var err error
		if dir, err = r.text(a.DataDir, "data_dir"); err != nil {
			return "", err
		}
	}
	switch {
	case r.reading: // whoever reads the Caddyfile may not be able to look at the server's directories
		return "", nil
	case a.DataDir == "" && !filepath.IsAbs(dir):
		return "", errNoHome
	}
	return canonicalDirectory(dir)
}

// errNoHome keeps balances from lying wherever somebody happened to start the server, and from being missed after a start elsewhere.
var errNoHome = errors.New("there is no data_dir, and without HOME or XDG_DATA_HOME in the environment no default for it: " +
	"write data_dir /var/lib/paydoor into the ilp block, or another absolute path")

func (a *App) resolveSecrets(r resolver) (secrets [][]byte, err error) {
	r.weak = true // allow_weak_secrets does not reach here: who guesses this secret can forge every quote
	for _, text := range a.Secret {
		secret, err := r.secret(text, "the receiver secret")
		if err != nil {
			return nil, err
		}
		if len(secret) < receiver.MinSecret {
			return nil, fmt.Errorf("the receiver secret has %d bytes: use at least %d random ones (openssl rand -hex 32), or leave the line out and have one generated",
				len(secret), receiver.MinSecret)
		}
		secrets = append(secrets, []byte(secret))
	}
	return secrets, nil
}

// resolveAPI settles what the node's API needs.
func (a *App) resolveAPI(s *settings, r resolver) (err error) {
	s.weak, s.insecure = r.weak, r.insecure
	if a.AdminToken != "" {
		if s.adminToken, err = r.secret(a.AdminToken, "admin_token"); err != nil {
			return a.at("admin_token", err)
		}
	}
	if s.every = time.Duration(a.SettleEvery); s.every != 0 {
		if err := checkSettleEvery(a.SettleEvery); err != nil {
			return a.at("settle_every", err)
		}
	}
	if a.DefaultSPSPAccount == "" {
		return nil
	}
	if err := checkAccountName(a.DefaultSPSPAccount); err != nil {
		return a.at("default_spsp_account", err)
	}
	s.spsp = ilpcore.AccountID(a.DefaultSPSPAccount)
	return nil
}

// resolveIdentity settles the node's address and asset, or leaves them to the parent.
func (a *App) resolveIdentity(s *settings, r resolver) error {
	if a.Address != "" {
		text, err := r.text(a.Address, "address")
		if err != nil {
			return a.at("address", err)
		}
		if r.unknown(a.Address) {
			text = "test.unknown"
		}
		if s.address, err = ilpcore.ParseAddress(text); err != nil {
			return a.at("address", checkAddress(text))
		}
	}
	if a.Asset != nil {
		var err error
		if s.asset, err = a.Asset.resolve(r); err != nil {
			return a.at("asset", err)
		}
	}
	if s.parent() != nil {
		return nil
	}
	if s.address == "" && s.sandbox {
		s.address = defaultAddress
	}
	if s.address == "" {
		return a.at("ilp", errors.New("the node can never have an address: write address test.paydoor, or an account with relation parent that gives it one, or sandbox to try things out"))
	}
	if s.asset == (ilpcore.Asset{}) {
		s.asset = defaultAsset
	}
	return nil
}

func (a *App) resolveLedger() (ledgerSettings, error) {
	s := ledgerSettings{cacheSize: a.CacheSize, minFree: a.MinFree, ballast: a.Ballast, retention: time.Duration(a.Retention)}
	if a.Retention != 0 {
		if err := checkRetention(a.Retention); err != nil {
			return s, err
		}
	}
	if a.Ballast < -1 {
		return s, fmt.Errorf("ballast is %d: write a size in bytes, or -1 for no such file", a.Ballast)
	}
	switch a.Durability {
	case "", durabilityGroup:
	case durabilityProcess:
		s.durability = balances.Process
	default:
		return s, fmt.Errorf("durability is %q: write group or process", a.Durability)
	}
	if a.CacheSize < 0 {
		return s, fmt.Errorf("cache_size is %d: write a positive number of balances, such as %d", a.CacheSize, defaultCacheSize)
	}
	if s.cacheSize == 0 {
		s.cacheSize = defaultCacheSize
	}
	if s.minFree == 0 {
		s.minFree = store.DefaultMinFree
	}
	return s, nil
}

func (r Route) resolve() connector.Route {
	prefix := r.Prefix
	if prefix == defaultRoute {
		prefix = ""
	}
	return connector.Route{Prefix: prefix, Account: ilpcore.AccountID(r.Account)}
}

func (s *settings) parent() *accountSettings {
	for i := range s.accounts {
		if s.accounts[i].Relation == connector.Parent {
			return &s.accounts[i]
		}
	}
	return nil
}
