package caddymodule

// This file is the settlement engine of an account in the Caddyfile: where it is, and that the node may reach it there.

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

var errEngineURL = errors.New("the settlement_engine URL cannot be used: write settlement_engine http://localhost:3000, with a host, and without user, query and fragment")

// checkEngine finds what is wrong with the URL before placeholders are known.
func (a *Account) checkEngine() error {
	if a.SettlementEngine == "" || hasPlaceholder(a.SettlementEngine) {
		return nil
	}
	return checkEngineURL(a.SettlementEngine)
}

func checkEngineURL(text string) error {
	u, err := url.Parse(text) // whose error would repeat the URL
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errEngineURL
	}
	return nil
}

// resolveEngine returns the URL; "" without one, or while it is not known.
func (a *Account) resolveEngine(r resolver) (string, error) {
	if a.SettlementEngine == "" || r.unknown(a.SettlementEngine) {
		return "", nil
	}
	text, err := r.text(a.SettlementEngine, "the settlement_engine URL")
	if err == nil {
		err = checkEngineURL(text)
	}
	return text, err
}

// ownEngines are the hosts of the engines in the config, as they are dialled. The operator has written them, so they may be anywhere.
func (s *settings) ownEngines() map[string]bool {
	hosts := make(map[string]bool)
	for _, account := range s.accounts {
		u, err := url.Parse(account.engine)
		if err != nil || account.engine == "" {
			continue
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		hosts[net.JoinHostPort(strings.ToLower(u.Hostname()), port)] = true
	}
	return hosts
}
