package caddymodule

// This file makes the accounts that the API has made work in one config: their links, what their neighbours log in with, and their
// places in the node (nodeapi.Opener).

import (
	"errors"
	"reflect"
	"slices"
	"sync"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
)

// opener holds the open accounts of a config that are not of the Caddyfile.
type opener struct {
	running *running

	mu     sync.Mutex
	taking bool // whether the packets of links go to this config already
	opened map[ilpcore.AccountID]*openedAccount
}

// openedAccount is what one account holds. A link of the pool is held once, whatever changes.
type openedAccount struct {
	settings nodeapi.Settings
	incoming []incomingCredential
	links    []acquiredLink
}

func newOpener(r *running) *opener {
	return &opener{running: r, opened: make(map[ilpcore.AccountID]*openedAccount)}
}

// Open makes the account work as s says, in place of what was open under its ID. After an error, what was open before still is.
func (o *opener) Open(s nodeapi.Settings) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.opened[s.ID]
	if before != nil && reflect.DeepEqual(before.settings, s) {
		return nil
	}
	if before == nil {
		before = new(openedAccount)
	}
	wanted, err := o.running.resolveAPI(s)
	if err != nil {
		return err
	}
	now := &openedAccount{settings: s, incoming: wanted.incoming}
	fresh, err := o.acquire(wanted, before, now)
	if err != nil {
		return err
	}
	if len(now.links) > 0 {
		wanted.Link = now.links[0].link.OpenLink
	}
	if err := o.running.node.Put(wanted.Account); err != nil {
		return errors.Join(err, o.release(fresh))
	}
	o.opened[s.ID] = now
	o.admit(s.ID, before, now)
	if o.taking {
		for _, l := range fresh {
			l.link.incoming.add(o.running.handler)
		}
	}
	_ = o.release(less(before.links, now.links)) // of what is closed now nobody could do anything about an error
	return nil
}

// Close ends the account's work. One that could not be opened has none.
func (o *opener) Close(id ilpcore.AccountID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.opened[id]
	if a == nil {
		return nil
	}
	if err := o.running.node.Remove(id); err != nil {
		return err
	}
	delete(o.opened, id)
	o.admit(id, a, new(openedAccount))
	return o.release(a.links)
}

// acquire fills in the links of now: those of before that stay the same, and fresh ones. After an error it has given those back.
func (o *opener) acquire(wanted accountSettings, before, now *openedAccount) (fresh []acquiredLink, err error) {
	for _, s := range wanted.links() {
		if i := slices.IndexFunc(before.links, func(l acquiredLink) bool { return l.settings == s }); i >= 0 {
			now.links = append(now.links, before.links[i])
			continue
		}
		link, err := acquireLink(s, o.running.expectedAsset(wanted))
		if err != nil {
			_ = o.release(fresh) // the mistake says more
			return nil, mistake(s.field(), errors.Unwrap(err).Error())
		}
		l := acquiredLink{s, link}
		now.links, fresh = append(now.links, l), append(fresh, l)
	}
	return fresh, nil
}

// admit lets the account's neighbour in as now says, and not as before says any more.
func (o *opener) admit(id ilpcore.AccountID, before, now *openedAccount) {
	if !slices.Equal(before.incoming, now.incoming) {
		o.running.credentials.Remove(id)
		addCredentials(o.running.credentials, id, now.incoming)
	}
	for _, l := range less(now.links, before.links) {
		if l.link.awaited != nil {
			o.running.entry.peers.Add(l.link.awaited)
		}
	}
	for _, l := range less(before.links, now.links) {
		if l.link.awaited != nil {
			o.running.entry.peers.Remove(l.link.awaited)
		}
	}
}

// take directs what the links bring to this config, now and in future.
func (o *opener) take() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taking = true
	for _, a := range o.opened {
		for _, l := range a.links {
			l.link.incoming.add(o.running.handler)
		}
	}
}

// leave ends what take has begun.
func (o *opener) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taking = false
	for _, a := range o.opened {
		for _, l := range a.links {
			l.link.incoming.remove(o.running.handler)
		}
	}
}

// close returns all links, to be given back.
func (o *opener) close() (links []acquiredLink) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range o.opened {
		links = append(links, a.links...)
	}
	clear(o.opened)
	return links
}

// release gives links back, which closes those that no other config has.
func (o *opener) release(links []acquiredLink) error {
	for _, l := range links {
		l.link.incoming.remove(o.running.handler)
	}
	return releaseLinks(links)
}

// less returns the links of a that b has not.
func less(a, b []acquiredLink) (only []acquiredLink) {
	for _, l := range a {
		if !slices.ContainsFunc(b, func(other acquiredLink) bool { return other.settings == l.settings }) {
			only = append(only, l)
		}
	}
	return only
}

var _ nodeapi.Opener = (*opener)(nil)
