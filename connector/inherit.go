package connector

// This file lets a node with a new configuration go on where the node before is. What neighbours have told of routes: they tell it twice a minute, and
// until then packets would be unreachable that had a way. And what accounts have used of their limits, and have under way: else a
// limit would begin anew, and a copy of a packet that is under way would be handled beside it.

import (
	"maps"
	"reflect"

	"github.com/paydoor/paydoor/ilpcore"
)

// inherited is what another node has heard from an account.
type inherited struct {
	from  *account
	heard heard
}

// inherit takes what before has heard. It is used for the accounts that this node has over the same links, which are asked once more: an Update may
// go to before until the links lead here.
func (r *routing) inherit(before *Node) {
	if before.address != r.node.address {
		return
	}
	accounts := before.table.Load().accounts
	before.routing.mu.Lock()
	defer before.routing.mu.Unlock()
	r.inherited = make(map[ilpcore.AccountID]inherited)
	for id, with := range before.routing.neighbours {
		if a := accounts[id]; a != nil && with.heard.routes != nil {
			h := with.heard
			h.routes = maps.Clone(h.routes)
			r.inherited[id] = inherited{a, h}
		}
	}
}

// heir returns what was inherited for an account. The lock is held.
func (r *routing) heir(a *account) heard {
	i, ok := r.inherited[a.ID]
	delete(r.inherited, a.ID)
	if !ok || !a.ReceiveRoutes || i.from.UUID != a.UUID || !sameLink(i.from.Link, a.Link) {
		return heard{}
	}
	return i.heard
}

func sameLink(a, b Link) bool {
	t := reflect.TypeOf(a)
	return t != nil && t.Comparable() && a == b
}

// limits returns what counts against the limits of each account, and nothing that would keep the node itself in memory.
func (n *Node) limits() map[ilpcore.AccountID]*account {
	all := make(map[ilpcore.AccountID]*account)
	for id, a := range n.table.Load().accounts {
		all[id] = &account{
			Account: Account{UUID: a.UUID, Asset: a.Asset, MaxPacketsPerMinute: a.MaxPacketsPerMinute, MaxAmountPerMinute: a.MaxAmountPerMinute},
			packets: a.packets, echoes: a.echoes, amounts: a.amounts, inFlight: a.inFlight, under: a.under,
		}
	}
	return all
}

// used returns what an account of the node before, which is the same one, has used of its limits; nil: there was none. It is told once.
func (n *Node) used(a *Account) *account {
	before := n.inherited[a.ID]
	delete(n.inherited, a.ID)
	if before == nil || before.UUID != a.UUID || before.Asset != a.Asset {
		return nil
	}
	return before
}
