package caddymodule

// This file reads the global option ilp. Defaults and placeholders belong to Provision, so that JSON configs get the same; what does
// not depend on them is checked here, where file and line are known.

import (
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

func parseApp(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next()
	if existing != nil {
		return nil, d.Err("there are two ilp blocks: a server has one node, so put all of it into one block")
	}
	app := new(App)
	d.Prev()
	if err := app.UnmarshalCaddyfile(d); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: "ilp", Value: caddyconfig.JSON(app, nil)}, nil
}

// UnmarshalCaddyfile reads
//
//	ilp {
//		data_dir     PATH
//		address      ILP_ADDRESS
//		asset        CODE SCALE
//		secret       NEW [OLD...]
//		account NAME { ... }
//		route        PREFIX ACCOUNT
//		rates { CODE RATE... }
//		spread       PERCENTAGE|FRACTION
//		admin_token  TOKEN
//		default_spsp_account ACCOUNT
//		settle_every DURATION
//		sandbox
//		durability   group|process
//		cache_size   COUNT
//		retention    DURATION
//		min_free     SIZE
//		ballast      SIZE|off
//		max_balance  AMOUNT
//		allow_weak_secrets
//		insecure
//	}
func (a *App) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	l := newLines(d)
	if err := l.none("ilp {"); err != nil {
		return err
	}
	a.note(l, "ilp")
	stray := map[string]error{} // by account: that a route leads to it
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if option != "account" && option != "route" {
			if err := l.once(); err != nil {
				return err
			}
		}
		a.note(l, option)
		if err := a.readOption(l, option); err != nil {
			return err
		}
		if option == "route" {
			name := a.Routes[len(a.Routes)-1].Account
			stray[name] = d.Errf("a route leads to account %q, which there is not: write an account block for it, or the name of another", name)
		}
	}
	for _, account := range a.Accounts {
		delete(stray, account.Name)
	}
	for _, err := range stray {
		return err
	}
	_, err := a.resolve(true)
	return err
}

func (a *App) readOption(l lines, option string) (err error) {
	switch option {
	case "data_dir":
		a.DataDir, err = l.one("data_dir /var/lib/paydoor")
	case "address":
		a.Address, err = l.one("address test.paydoor")
		if err == nil {
			err = a.checkAddressText(l)
		}
	case "asset":
		a.Asset, err = l.asset("asset USD 9")
	case "secret":
		if a.Secret = l.RemainingArgs(); len(a.Secret) == 0 {
			err = l.usage("secret {env.PAYDOOR_SECRET}")
		}
	case "account":
		err = a.readAccount(l)
	case "route":
		err = a.readRoute(l)
	case "sandbox":
		a.Sandbox, err = true, l.none("sandbox")
	case "rates":
		err = a.readRates(l)
	case "spread":
		a.Spread, err = l.one("spread 2%")
	case "admin_token":
		a.AdminToken, err = l.one("admin_token {env.PAYDOOR_ADMIN}")
	case "default_spsp_account":
		a.DefaultSPSPAccount, err = l.one("default_spsp_account shop")
	case "settle_every":
		a.SettleEvery, err = l.duration("settle_every 1h", checkSettleEvery)
	default:
		return a.readLimit(l, option)
	}
	return err
}

func (a *App) readLimit(l lines, option string) (err error) {
	switch option {
	case "durability":
		a.Durability, err = l.one("durability group")
		if err == nil && a.Durability != durabilityGroup && a.Durability != durabilityProcess {
			err = l.Errf("durability is %q: write group (charges are on disk before the answer) or process (they survive a killed process)", a.Durability)
		}
	case "cache_size":
		a.CacheSize, err = l.count("cache_size 100000")
	case "retention":
		a.Retention, err = l.duration("retention 400d", checkRetention)
	case "min_free":
		a.MinFree, err = l.bytes("min_free 256MiB")
	case "ballast":
		a.Ballast, err = l.bytesOrOff("ballast 64MiB, or ballast off")
	case "max_hold":
		err = l.later(option, "packets are held for 60s at most, so remove the line")
	case "max_balance":
		a.MaxBalance, err = l.number("max_balance 1000000000")
	case "allow_weak_secrets":
		a.AllowWeakSecrets, err = true, l.none("allow_weak_secrets")
	case "insecure":
		a.Insecure, err = true, l.none("insecure")
	default:
		return l.unknown("data_dir", "address", "asset", "secret", "account", "route", "rates", "spread", "admin_token",
			"default_spsp_account", "settle_every", "sandbox", "durability", "cache_size",
			"retention", "min_free", "ballast", "max_balance", "allow_weak_secrets", "insecure")
	}
	return err
}

func (a *App) checkAddressText(l lines) error {
	if hasPlaceholder(a.Address) {
		return nil
	}
	if err := checkAddress(a.Address); err != nil {
		return l.WrapErr(err)
	}
	return nil
}

func (a *App) readAccount(l lines) error {
	account, err := readAccount(l.Dispenser)
	if err != nil {
		return err
	}
	for _, other := range a.Accounts {
		if other.Name == account.Name {
			return l.Errf("there are two accounts named %q: give one of them another name", account.Name)
		}
	}
	a.Accounts = append(a.Accounts, account)
	return nil
}

func (a *App) readRoute(l lines) error {
	args := l.RemainingArgs()
	if len(args) != 2 {
		return l.usage("route test.bob bob")
	}
	if err := checkPrefix(args[0]); err != nil {
		return l.WrapErr(err)
	}
	for _, other := range a.Routes {
		if other.Prefix == args[0] {
			return l.Errf("there are two routes for %s: keep one of them", args[0])
		}
	}
	a.Routes = append(a.Routes, Route{Prefix: args[0], Account: args[1]})
	return nil
}
