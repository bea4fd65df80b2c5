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
	sandbox    bool
	maxBalance amount.Amount
	ledger     ledgerSettings
}

// accountSettings is an account as the connector takes it, but for the link, which is opened later.
type accountSettings struct {
	connector.Account
	incoming []incomingCredential
	link     linkSettings
}

const (
	defaultCacheSize = 100_000
	defaultAddress   = "test.paydoor" // with sandbox only: nobody outside can route to it
)

// defaultAsset is used where neither the config nor a parent says what is counted.
var defaultAsset = ilpcore.Asset{Code: "USD", Scale: 9}

// resolveSettings reads the whole config. Its errors say what to write instead, and never hold a secret.
func (a *App) resolveSettings() (s settings, err error) {
	if s.dataDir, err = a.resolveDataDir(); err != nil {
		return s, err
	}
	if s.maxBalance, err = optionalAmount(a.MaxBalance, "max_balance"); err != nil {
		return s, err
	}
	if s.ledger, err = a.resolveLedger(); err != nil {
		return s, err
	}
	for _, text := range a.Secret {
		secret, err := resolveSecret(text, "the receiver secret", true)
		if err != nil {
			return s, err
		}
		if len(secret) < receiver.MinSecret {
			// allow_weak_secrets does not reach here: who guesses this secret can forge every quote.
			return s, fmt.Errorf("the receiver secret has %d bytes: use at least %d random ones (openssl rand -hex 32), or leave the line out and have one generated",
				len(secret), receiver.MinSecret)
		}
		s.secrets = append(s.secrets, []byte(secret))
	}
	for _, account := range a.Accounts {
		resolved, err := account.resolve(a.AllowWeakSecrets, a.Insecure)
		if err != nil {
			return s, fmt.Errorf("account %s: %w", account.Name, err)
		}
		s.accounts = append(s.accounts, resolved)
	}
	for _, route := range a.Routes {
		s.routes = append(s.routes, route.resolve())
	}
	if s.sandbox = a.Sandbox; s.sandbox {
		s.accounts = append(s.accounts, accountSettings{Account: connector.Account{ID: sandboxAccount, Relation: connector.Local}})
	}
	if err := a.resolveIdentity(&s); err != nil {
		return s, err
	}
	return s, s.check()
}

func (a *App) resolveDataDir() (string, error) {
	if a.DataDir == "" {
		return canonicalDirectory(filepath.Join(caddy.AppDataDir(), "paydoor"))
	}
	dir, err := resolve(a.DataDir, "data_dir")
	if err != nil {
		return "", err
	}
	return canonicalDirectory(dir)
}

// resolveIdentity settles the node's address and asset, or leaves them to the parent.
func (a *App) resolveIdentity(s *settings) error {
	if a.Address != "" {
		text, err := resolve(a.Address, "address")
		if err != nil {
			return err
		}
		if s.address, err = ilpcore.ParseAddress(text); err != nil {
			return checkAddress(text)
		}
	}
	if a.Asset != nil {
		if err := a.Asset.check(); err != nil {
			return err
		}
		s.asset = ilpcore.Asset(*a.Asset)
	}
	if s.parent() != nil {
		return nil
	}
	if s.address == "" && s.sandbox {
		s.address = defaultAddress
	}
	if s.address == "" {
		return errors.New("the node can never have an address: write address test.paydoor, or an account with relation parent that gives it one, or sandbox to try things out")
	}
	if s.asset == (ilpcore.Asset{}) {
		s.asset = defaultAsset
	}
	return nil
}

func (a *App) resolveLedger() (ledgerSettings, error) {
	s := ledgerSettings{cacheSize: a.CacheSize, minFree: a.MinFree, retention: time.Duration(a.Retention)}
	if a.Retention != 0 {
		if err := checkRetention(a.Retention); err != nil {
			return s, err
		}
	}
	switch a.Durability {
	case "", durabilityGroup:
	case durabilityProcess:
		s.durability = balances.Process
	default:
		return s, fmt.Errorf("durability is %q: write group or process", a.Durability)
	}
	if a.CacheSize < 0 {
		return s, errors.New("cache_size is not negative")
	}
	if s.cacheSize == 0 {
		s.cacheSize = defaultCacheSize
	}
	if s.minFree == 0 {
		s.minFree = store.DefaultMinFree
	}
	return s, nil
}

// check builds the node once without links and receiver, which finds what is wrong with accounts and routes.
func (s *settings) check() error {
	seen := map[ilpcore.AccountID]bool{}
	config := connector.Config{Address: s.address, Asset: s.asset, Routes: s.routes}
	parents := 0
	for _, account := range s.accounts {
		if seen[account.ID] && account.ID == sandboxAccount {
			return errors.New("the account name sandbox is taken by the option sandbox: give the account another name")
		}
		seen[account.ID] = true
		if account.Relation == connector.Parent {
			parents++
			account.Relation = connector.Peer // a parent without its link would be asked for address and asset
		}
		config.Accounts = append(config.Accounts, account.Account)
	}
	if parents > 1 {
		return connector.ErrParents
	}
	if parents == 1 {
		config.Address, config.Asset = "test.parent", defaultAsset
	}
	if err := errors.Join(s.checkAssets(), s.checkSandbox()); err != nil {
		return err
	}
	_, err := connector.NewNode(config)
	return err
}

// checkAssets refuses what would need an exchange rate: such an account could not pay, and would only show it with its first packet.
func (s *settings) checkAssets() error {
	for _, account := range s.accounts {
		if account.Asset != (ilpcore.Asset{}) && s.asset != (ilpcore.Asset{}) && account.Asset != s.asset {
			return fmt.Errorf("account %s counts in %s and the node in %s, and exchange rates are not available in this version: use the same asset for both",
				account.ID, account.Asset, s.asset)
		}
	}
	return nil
}

func (s *settings) parent() *accountSettings {
	for i := range s.accounts {
		if s.accounts[i].Relation == connector.Parent {
			return &s.accounts[i]
		}
	}
	return nil
}

func (r Route) resolve() connector.Route {
	prefix := r.Prefix
	if prefix == defaultRoute {
		prefix = ""
	}
	return connector.Route{Prefix: prefix, Account: ilpcore.AccountID(r.Account)}
}

// optionalAmount returns 0 for an amount that is not set.
func optionalAmount(n Number, what string) (amount.Amount, error) {
	if n == "" {
		return 0, nil
	}
	return n.resolve(what)
}
