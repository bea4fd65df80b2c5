package connector

// This file is the table of routes that this node tells: a log of changes, so that each neighbour can be told what it missed.

import (
	"crypto/sha256"
	"io"
	"slices"
	"strings"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
)

const (
	maxEpochs     = 50       // of one Update, as in the JavaScript connectors
	maxUpdateSize = 24 << 10 // below what the data of a packet holds, whatever the last route adds: two addresses and maxPath
	logSlack      = 1000     // changes kept beyond twice the routes, before a new table begins
)

// toldRoute is a route as this node tells it.
type toldRoute struct {
	prefix  string
	next    ilpcore.AccountID // "": this node
	through Relation          // of next
	path    []string          // behind this node
	auth    [32]byte
	gone    bool
	old     bool // a later change of the log has the same prefix
}

// told is the log. A change's epoch is its index.
type told struct {
	id     ccp.TableID
	log    []toldRoute
	latest map[string]int
}

func newTold(random io.Reader) told {
	t := told{latest: map[string]int{}}
	_, _ = io.ReadFull(random, t.id[:]) // without randomness the neighbours would have to wait for their hold-down time
	return t
}

func (t *told) epoch() uint32 { return uint32(len(t.log)) }

// sync adds what differs between the log and the routes that are to be told, which are sorted.
func (t *told) sync(routes []toldRoute, random io.Reader) {
	wanted := make(map[string]bool, len(routes))
	for _, route := range routes {
		wanted[route.prefix] = true
		if i, ok := t.latest[route.prefix]; !ok || !t.log[i].equal(route) {
			t.add(route)
		}
	}
	var gone []string
	for prefix, i := range t.latest {
		if !wanted[prefix] && !t.log[i].gone {
			gone = append(gone, prefix)
		}
	}
	slices.Sort(gone)
	for _, prefix := range gone {
		t.add(toldRoute{prefix: prefix, gone: true})
	}
	if len(t.log) > 2*len(routes)+logSlack {
		*t = newTold(random)
		t.sync(routes, random)
	}
}

func (t *told) add(route toldRoute) {
	if i, ok := t.latest[route.prefix]; ok {
		t.log[i] = toldRoute{old: true}
	}
	t.latest[route.prefix] = len(t.log)
	t.log = append(t.log, route)
}

func (r toldRoute) equal(other toldRoute) bool {
	return r.next == other.next && r.through == other.through && r.auth == other.auth && r.gone == other.gone && slices.Equal(r.path, other.path)
}

// after returns the changes from an epoch on, as the account is to see them, as many as one Update holds.
func (t *told) after(from uint32, a *account, own ilpcore.Address) ccp.Update {
	u := ccp.Update{Table: t.id, Epoch: t.epoch(), From: from, To: from, Speaker: string(own)}
	size := 0
	for ; u.To < t.epoch() && u.To-from < maxEpochs && size < maxUpdateSize; u.To++ {
		route := t.log[u.To]
		switch {
		case route.old:
		case route.gone || !route.mayTell(a):
			u.Withdrawn = append(u.Withdrawn, route.prefix)
			size += len(route.prefix) + 3
		default:
			path := append([]string{string(own)}, route.path...)
			u.Routes = append(u.Routes, ccp.Route{Prefix: route.prefix, Path: path, Auth: route.auth})
			size += len(route.prefix) + len(strings.Join(path, "...")) + 64
		}
	}
	return u
}

// mayTell keeps a route from the account that it leads to, and routes through peers from the parent, which has better ones.
func (r toldRoute) mayTell(a *account) bool {
	if r.next == "" {
		return true
	}
	return r.next != a.ID && (a.Relation != Parent || r.through == Child)
}

// toTell returns what a table's node tells its neighbours, sorted by prefix: its own address, those of accounts elsewhere, static and learned
// routes of its network; never the default route. What is below its address goes without saying.
func (t *table) toTell(own ilpcore.Address) []toldRoute {
	list := []toldRoute{{prefix: string(own), auth: sha256.Sum256([]byte(own))}}
	paths := make(map[string]learnedRoute, len(t.learned))
	for _, route := range t.learned {
		paths[route.prefix] = route
	}
	for prefix, to := range t.routes {
		address := ilpcore.Address(prefix)
		if _, below := own.Suffix([]byte(prefix)); below || !address.Valid() || address.Scheme() != own.Scheme() {
			continue
		}
		route := toldRoute{prefix: prefix, next: to.account.ID, through: to.account.Relation, auth: sha256.Sum256([]byte(prefix))}
		if to.source == fromCCP {
			heard := paths[prefix]
			route.path, route.auth = heard.path, sha256.Sum256(heard.auth[:])
		}
		if to.account.Relation.below() {
			route.through = Child
		}
		if len(route.path) < maxHops {
			list = append(list, route)
		}
	}
	slices.SortFunc(list, func(a, b toldRoute) int { return strings.Compare(a.prefix, b.prefix) })
	return list
}
