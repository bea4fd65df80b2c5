package connector

// This file takes in the routes that neighbours tell, and keeps out those that would lead packets astray.

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
)

const (
	maxHeard      = 5000  // routes of one neighbour; more are left out
	maxHeardInAll = 20000 // routes of all neighbours together
	maxHops       = 32
	maxPath       = 4 << 10 // bytes of all addresses on a route's way: such a route always fits into an Update beside others, see maxUpdateSize
	maxHoldDown   = time.Hour
)

// learnedRoute is a route as a neighbour told it.
type learnedRoute struct {
	prefix string
	from   ilpcore.AccountID
	path   []string
	auth   [32]byte
}

// heard is a neighbour's table as far as it is known.
type heard struct {
	table  ccp.TableID
	epoch  uint32
	until  time.Time // when it is forgotten, unless an update comes first; zero for nothing heard
	routes map[string]learnedRoute
}

// update answers an Update. Who takes no part gets a polite answer too, so that it does not think the link is broken.
func (r *routing) update(a *account, in ilpcore.Incoming) ilpcore.Reply {
	if reply, ok := r.admit(a, in); !ok {
		return reply
	}
	u, err := ccp.DecodeUpdate(in.Data)
	if err != nil {
		return ilpcore.Reject(ilpcore.F00, r.node.self(), err.Error(), nil)
	}
	if a.ReceiveRoutes && r.take(a, u) {
		r.relearnSoon()
	}
	return ilpcore.Fulfill(ilpcore.PeerFulfillment, nil)
}

// admit says whether the account may send route messages, and if not, the answer.
func (r *routing) admit(a *account, in ilpcore.Incoming) (ilpcore.Reply, bool) {
	switch {
	case a.Relation == NonRouting || a.Relation == Local:
		return ilpcore.Reject(ilpcore.F00, r.node.self(), "this account takes no part in routing", nil), false
	case in.Condition != ilpcore.PeerCondition:
		return ilpcore.Reject(ilpcore.F01, r.node.self(), "a route message has the condition of the all-zero fulfillment", nil), false
	}
	return ilpcore.Reply{}, true
}

// take changes what is known of the neighbour's table. It says whether any route is another one now.
func (r *routing) take(a *account, u ccp.Update) (changed bool) {
	own, _, ok := r.node.Address()
	r.mu.Lock()
	defer r.mu.Unlock()
	with := r.neighbours[a.ID]
	if with == nil {
		return false
	}
	h := &with.heard
	if h.table != u.Table || h.routes == nil {
		changed = len(h.routes) > 0
		*h = heard{table: u.Table, routes: map[string]learnedRoute{}}
	}
	h.until = r.node.now().Add(holdDown(u.HoldDown))
	if !ok || u.From > h.epoch { // something is missing
		with.ask, with.sent = true, false
		r.nudge()
		return changed
	}
	with.ask = false
	if u.To < h.epoch {
		return changed
	}
	h.epoch = u.To
	for _, prefix := range u.Withdrawn {
		_, known := h.routes[prefix]
		delete(h.routes, prefix)
		changed = changed || known
	}
	room := maxHeardInAll - r.heardInAll()
	for _, route := range u.Routes {
		before, known := h.routes[route.Prefix]
		if !r.acceptable(own, route) || !known && (len(h.routes) >= maxHeard || room <= 0) {
			delete(h.routes, route.Prefix)
			changed = changed || known
			continue
		}
		if !known {
			room--
		}
		h.routes[route.Prefix] = learnedRoute{prefix: route.Prefix, from: a.ID, path: route.Path, auth: route.Auth}
		changed = changed || !known || !slices.Equal(before.path, route.Path)
	}
	return changed
}

func holdDown(d time.Duration) time.Duration {
	if d <= 0 {
		return DefaultBroadcast * 3 / 2
	}
	return min(d, maxHoldDown)
}

func (r *routing) heardInAll() (n int) {
	for _, with := range r.neighbours {
		n += len(with.heard.routes)
	}
	return n
}

// acceptable keeps out what is not an address of this network below its scheme, what is this node's own, and what came through it.
func (r *routing) acceptable(own ilpcore.Address, route ccp.Route) bool {
	prefix := ilpcore.Address(route.Prefix)
	if !prefix.Valid() || prefix.Scheme() != own.Scheme() || len(route.Path) > maxHops {
		return false
	}
	if _, below := r.node.Suffix([]byte(route.Prefix)); below {
		return false
	}
	length := 0
	for _, hop := range route.Path {
		if length += len(hop); length > maxPath || ilpcore.Address(hop) == own || !ilpcore.Address(hop).Valid() {
			return false
		}
	}
	return true
}

// relearnSoon is relearn at once, or with the next round if that was often lately: with many routes it takes longer than a packet, which would make
// it a way to stop the node.
func (r *routing) relearnSoon() {
	if r.prompt.allow() {
		r.relearn()
	} else {
		r.nudge()
	}
}

// relearn puts the best of what was heard in force, and forgets what nobody has confirmed for too long.
func (r *routing) relearn() {
	n := r.node
	n.changing.Lock()
	defer n.changing.Unlock()
	now := n.table.Load()
	best := r.best(now)
	if slices.EqualFunc(best, now.learned, learnedRoute.equal) {
		return
	}
	next := now.clone()
	next.learned = best
	if err := next.index(); err != nil {
		n.logger.Error("routes that neighbours told cannot be used", zap.Error(err))
		return
	}
	n.publish(next)
}

func (l learnedRoute) equal(other learnedRoute) bool {
	return l.prefix == other.prefix && l.from == other.from && l.auth == other.auth && slices.Equal(l.path, other.path)
}

// best returns one route of each prefix, sorted: a child's before a peer's before the parent's, then the one with fewer nodes on the way.
func (r *routing) best(t *table) []learnedRoute {
	r.mu.Lock()
	defer r.mu.Unlock()
	best := map[string]learnedRoute{}
	for id, with := range r.neighbours {
		if with.heard.routes != nil && !r.node.now().Before(with.heard.until) {
			with.heard, with.ask, with.sent = heard{}, true, false
		}
		a := t.accounts[id]
		if a == nil || !a.ReceiveRoutes {
			continue
		}
		for prefix, route := range with.heard.routes {
			if _, below := r.node.Suffix([]byte(prefix)); below { // the node's address is another one since
				continue
			}
			if other, ok := best[prefix]; !ok || t.prefer(route, other) {
				best[prefix] = route
			}
		}
	}
	list := slices.Collect(maps.Values(best))
	slices.SortFunc(list, func(a, b learnedRoute) int { return strings.Compare(a.prefix, b.prefix) })
	return list
}

// prefer says whether a is better than b.
func (t *table) prefer(a, b learnedRoute) bool {
	rank := map[Relation]int{Child: 0, Peer: 1, Parent: 2}
	return cmp.Or(
		cmp.Compare(rank[t.accounts[a.from].Relation], rank[t.accounts[b.from].Relation]),
		cmp.Compare(len(a.path), len(b.path)),
		cmp.Compare(a.from, b.from),
	) < 0
}
