package connector

// This file finds the account for a destination: the longest prefix on segment boundaries wins.

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// RouteEntry is a route as it is in force.
type RouteEntry struct {
	Prefix  string            `json:"prefix"`
	Account ilpcore.AccountID `json:"account"`
	Source  string            `json:"source"` // "static", "account" (its address), "ccp" (learned) or "default"
}

// Where a route comes from. For the same prefix the lower one wins.
const (
	fromAccount = iota
	fromStatic
	fromCCP
)

// target is where a prefix leads.
type target struct {
	account *account
	source  int
}

// routes is an immutable table from exact prefix to account.
type routes map[string]target

// SetRoutes replaces the static routes. The error is ErrRoute; then nothing changes.
func (n *Node) SetRoutes(list []Route) error {
	n.changing.Lock()
	defer n.changing.Unlock()
	next := n.table.Load().clone()
	if err := next.setStatic(list); err != nil {
		return err
	}
	n.publish(next)
	return nil
}

// StaticRoutes returns the routes set last, without those whose account was removed.
func (n *Node) StaticRoutes() []Route { return slices.Clone(n.table.Load().static) }

// Routes returns all routes in force, sorted by prefix.
func (n *Node) Routes() []RouteEntry {
	t := n.table.Load()
	byPrefix := make(map[string]RouteEntry, len(t.routes))
	for prefix, to := range t.routes {
		byPrefix[prefix] = RouteEntry{Prefix: prefix, Account: to.account.ID, Source: to.sourceName(prefix)}
	}
	for _, a := range t.segments {
		if address, ok := n.addressOf(a); ok {
			byPrefix[string(address)] = RouteEntry{Prefix: string(address), Account: a.ID, Source: "account"}
		}
	}
	list := make([]RouteEntry, 0, len(byPrefix))
	for _, entry := range byPrefix {
		list = append(list, entry)
	}
	slices.SortFunc(list, func(a, b RouteEntry) int { return strings.Compare(a.Prefix, b.Prefix) })
	return list
}

func (t target) sourceName(prefix string) string {
	switch {
	case prefix == "":
		return "default"
	case t.source == fromAccount:
		return "account"
	case t.source == fromStatic:
		return "static"
	}
	return "ccp"
}

// setStatic replaces the static routes of a table that nobody sees yet.
func (t *table) setStatic(list []Route) error {
	seen := make(map[string]bool, len(list))
	for _, r := range list {
		if r.Prefix != "" && !validPrefix(r.Prefix) {
			return fmt.Errorf("%w %q: not an ILP address prefix", ErrRoute, r.Prefix)
		}
		if seen[r.Prefix] {
			return fmt.Errorf("%w %q: given twice", ErrRoute, r.Prefix)
		}
		seen[r.Prefix] = true
		if t.accounts[r.Account] == nil {
			return fmt.Errorf("%w %q: no account %q", ErrRoute, r.Prefix, r.Account)
		}
	}
	t.static = slices.Clone(list)
	return t.index()
}

// newRoutes puts all routes of a table together. owners are the accounts with an address of their own.
func (t *table) newRoutes(owners map[ilpcore.Address]*account) routes {
	all := make(routes, len(t.static)+len(t.learned)+len(owners))
	for _, r := range t.learned {
		if a := t.accounts[r.from]; a != nil && a.ReceiveRoutes && !ownedByAnother(r.prefix, a, owners) {
			all[r.prefix] = target{a, fromCCP}
		}
	}
	for _, r := range t.static {
		all[r.Prefix] = target{t.accounts[r.Account], fromStatic}
	}
	for address, a := range owners {
		all[string(address)] = target{a, fromAccount}
	}
	return all
}

// ownedByAnother says whether prefix is, or lies below, the address of another account: nobody learns a way around it.
func ownedByAnother(prefix string, than *account, owners map[ilpcore.Address]*account) bool {
	for end := len(prefix); end > 0; end = strings.LastIndexByte(prefix[:end], '.') {
		if owner := owners[ilpcore.Address(prefix[:end])]; owner != nil && owner.ID != than.ID {
			return true
		}
	}
	return false
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
			return to.account, end
		}
	}
	if to, ok := t[""]; ok {
		return to.account, 0
	}
	return nil, -1
}

// Terminates says whether packets for destination end at this node's own receiver, and go to no account.
func (n *Node) Terminates(destination []byte) bool {
	_, local := n.resolve(destination)
	return local
}

// resolve finds who gets a packet: an account, or the node itself when local is set. The longest prefix wins; the node's own
// address, and that of an account below it, beat a route of the same length.
func (n *Node) resolve(destination []byte) (to *account, local bool) {
	t := n.table.Load()
	to, length := t.routes.find(destination)
	rest, own := n.Suffix(destination)
	if !own {
		return to, false
	}
	ownLength := len(destination) - len(rest)
	if len(rest) > 0 {
		ownLength-- // the dot
	}
	segment, _, _ := bytes.Cut(rest, []byte{'.'})
	if child := t.segments[string(segment)]; child != nil && ownLength+1+len(segment) >= length {
		return child, false
	}
	if length > ownLength {
		return to, false
	}
	return nil, true
}
