package connector

// This file lets a node with a new configuration go on with the routes that the node before has heard: neighbours tell theirs twice a minute, and
// until then packets would be unreachable that had a way.

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
