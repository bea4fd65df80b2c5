package connector

// This file is the state a packet sees: accounts and routes at one moment, never changed once packets see it.

import (
	"fmt"
	"maps"
	"slices"

	"github.com/paydoor/paydoor/ilpcore"
)

// table is the accounts and routes of a node. A change makes a new one.
type table struct {
	accounts map[ilpcore.AccountID]*account
	order    []*account          // as they were added
	segments map[string]*account // accounts below the node's own address
	static   []Route             // as set
	learned  []learnedRoute      // by CCP, the best of each prefix
	routes   routes
	uplink   *Uplink // of the parent, if any
}

func newTable() *table {
	return &table{accounts: map[ilpcore.AccountID]*account{}}
}

// clone returns a copy whose parts can be changed one by one before it is published.
func (t *table) clone() *table {
	return &table{accounts: maps.Clone(t.accounts), order: slices.Clone(t.order), static: t.static, learned: t.learned}
}

// index makes everything that follows from accounts and routes. The errors are ErrParents and ErrAccount.
func (t *table) index() error {
	t.segments, t.uplink = map[string]*account{}, nil
	parents := 0
	addresses := map[ilpcore.Address]*account{}
	for _, a := range t.order {
		if a.Relation == Parent {
			parents++
			t.uplink, _ = a.Link.(*Uplink)
		}
		switch {
		case a.Address != "":
			if other := addresses[a.Address]; other != nil {
				return fmt.Errorf("%w %q: its address %s is that of account %q", ErrAccount, a.ID, a.Address, other.ID)
			}
			addresses[a.Address] = a
		case a.Relation.below():
			if other := t.segments[a.Segment]; other != nil {
				return fmt.Errorf("%w %q: its segment %q is that of account %q", ErrAccount, a.ID, a.Segment, other.ID)
			}
			t.segments[a.Segment] = a
		}
	}
	if parents > 1 {
		return ErrParents
	}
	t.routes = t.newRoutes(addresses)
	return nil
}

// Put adds an account, or replaces the one of the same ID, while packets flow. What counts against its limits stays as it is where the limit is the
// same as before. The errors are ErrAccount and ErrParents; then nothing changes.
func (n *Node) Put(a Account) error {
	n.changing.Lock()
	defer n.changing.Unlock()
	next := n.table.Load().clone()
	if err := n.put(next, a); err != nil {
		return err
	}
	n.publish(next)
	return nil
}

// put adds or replaces an account in a table that nobody sees yet.
func (n *Node) put(t *table, settings Account) error {
	settings, err := settings.withDefaults()
	if err != nil {
		return err
	}
	before := t.accounts[settings.ID]
	counted := before
	if counted == nil {
		counted = n.used(&settings)
	}
	a := n.newAccount(settings, counted)
	t.accounts[a.ID] = a
	if before == nil {
		t.order = append(t.order, a)
	} else {
		t.order[slices.Index(t.order, before)] = a
	}
	return t.index()
}

// Remove takes an account out; its packets under way come to their end, and new ones are rejected. Static routes to it go with it; its balance stays in the
// books. An unknown account is ErrAccount.
func (n *Node) Remove(id ilpcore.AccountID) error {
	n.changing.Lock()
	defer n.changing.Unlock()
	next := n.table.Load().clone()
	a, ok := next.accounts[id]
	if !ok {
		return errNoAccount(id)
	}
	delete(next.accounts, id)
	next.order = slices.DeleteFunc(next.order, func(other *account) bool { return other == a })
	next.static = slices.DeleteFunc(slices.Clone(next.static), func(r Route) bool { return r.Account == id })
	next.learned = slices.DeleteFunc(slices.Clone(next.learned), func(r learnedRoute) bool { return r.from == id })
	if err := next.index(); err != nil {
		return err
	}
	n.publish(next)
	return nil
}

// publish lets packets see the table. It is called once for a new node, later with changing held.
func (n *Node) publish(t *table) {
	n.table.Store(t)
	n.routing.changed(t)
}

// Account returns an account with its defaults filled in.
func (n *Node) Account(id ilpcore.AccountID) (Account, bool) {
	a, ok := n.table.Load().accounts[id]
	if !ok {
		return Account{}, false
	}
	return a.Account, true
}

// AddressOf returns the ILP address of an account: its own if it has one, else the node's and its segment. ok is false for an unknown account, one
// that has no address with this node, and while the node has none.
func (n *Node) AddressOf(id ilpcore.AccountID) (ilpcore.Address, bool) {
	a, ok := n.table.Load().accounts[id]
	if !ok {
		return "", false
	}
	return n.addressOf(a)
}

func (n *Node) addressOf(a *account) (ilpcore.Address, bool) {
	if a.Address != "" {
		return a.Address, true
	}
	if !a.Relation.below() {
		return "", false
	}
	own, _, ok := n.Address()
	if !ok {
		return "", false
	}
	address, err := own.With(a.Segment)
	return address, err == nil
}

func errNoAccount(id ilpcore.AccountID) error {
	return fmt.Errorf("%w %q: there is none of this name", ErrAccount, id)
}
