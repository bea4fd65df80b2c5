package connector

// This file finds the account for a destination: the longest prefix on segment boundaries wins.

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/paydoor/paydoor/ilpcore"
)

// ErrRoute says that a route's prefix is no address prefix, repeats another, or names no account.
var ErrRoute = errors.New("invalid route")

// Route sends packets for Prefix, and for everything below it, to Account. The prefix "" is the default route; there is none
// unless it is written down, so that a stranger's packets are not forwarded by accident.
type Route struct {
	Prefix  string
	Account ilpcore.AccountID
}

// routes is an immutable table from exact prefix to account.
type routes map[string]*account

func newRoutes(list []Route, accounts map[ilpcore.AccountID]*account) (routes, error) {
	table := make(routes, len(list))
	for _, r := range list {
		if r.Prefix != "" && !validPrefix(r.Prefix) {
			return nil, fmt.Errorf("%w %q: not an ILP address prefix", ErrRoute, r.Prefix)
		}
		if _, ok := table[r.Prefix]; ok {
			return nil, fmt.Errorf("%w %q: given twice", ErrRoute, r.Prefix)
		}
		to, ok := accounts[r.Account]
		if !ok {
			return nil, fmt.Errorf("%w %q: no account %q", ErrRoute, r.Prefix, r.Account)
		}
		table[r.Prefix] = to
	}
	return table, nil
}

// validPrefix says whether s is an address, or the first segment of one. Addresses below peer. are never forwarded.
func validPrefix(s string) bool {
	address := ilpcore.Address(s + ".x")
	return address.Valid() && address.Scheme() != "peer"
}

// find returns the account for destination and the length of the prefix that matched; nil and -1 without any.
// It allocates nothing.
func (t routes) find(destination []byte) (to *account, length int) {
	for end := len(destination); end > 0; end = bytes.LastIndexByte(destination[:end], '.') {
		if to, ok := t[string(destination[:end])]; ok {
			return to, end
		}
	}
	if to, ok := t[""]; ok {
		return to, 0
	}
	return nil, -1
}
