package connector

// This file is the node: its accounts, its address, and the entry every packet takes.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
)

var (
	// ErrAddress says that a node can neither be told nor learn what it needs: its address or its asset.
	ErrAddress = errors.New("the node needs an address and an asset, or a parent account to learn them from")
	// ErrParents says that more than one account is a parent.
	ErrParents = errors.New("a node has at most one parent account")
)

// Config is what a Node is made of.
type Config struct {
	Address  ilpcore.Address // "" when the parent gives it
	Asset    ilpcore.Asset   // zero when the parent gives it
	Accounts []Account
	Routes   []Route
	Receiver ilpcore.Handler  // gets what is addressed to this node; nil: F02
	Logger   *zap.Logger      // nil: none
	Now      func() time.Time // nil: time.Now
}

// Node is the Interledger node. It does not own its links: whoever opened them closes them. It is immutable and has no goroutines, so
// a new configuration simply makes a new Node.
type Node struct {
	address  ilpcore.Address
	base     ilpcore.Asset
	accounts map[ilpcore.AccountID]*account
	order    []*account // as configured
	routes   routes
	uplink   *Uplink // of the parent, if any
	receiver ilpcore.Handler
	now      func() time.Time
}

// account is an Account at work.
type account struct {
	Account
	chain    ilpcore.Handler // what its incoming packets go through
	inFlight *inFlight
}

// NewNode checks the configuration and builds each account's chain. Errors: ErrAccount, ErrRoute, ErrAddress, ErrParents.
func NewNode(c Config) (*Node, error) {
	n := &Node{
		address: c.Address, base: c.Asset, receiver: c.Receiver, now: c.Now,
		accounts: make(map[ilpcore.AccountID]*account, len(c.Accounts)),
	}
	if n.now == nil {
		n.now = time.Now
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	parents := 0
	for _, settings := range c.Accounts {
		if err := n.add(settings, c.Logger); err != nil {
			return nil, err
		}
		if settings.Relation == Parent {
			parents++
			n.uplink, _ = settings.Link.(*Uplink)
		}
	}
	if parents > 1 {
		return nil, ErrParents
	}
	if n.uplink == nil && (n.address == "" || n.base == ilpcore.Asset{}) {
		return nil, ErrAddress
	}
	var err error
	n.routes, err = newRoutes(c.Routes, n.accounts)
	return n, err
}

func (n *Node) add(settings Account, logger *zap.Logger) error {
	settings, err := settings.withDefaults()
	if err != nil {
		return err
	}
	if _, ok := n.accounts[settings.ID]; ok {
		return fmt.Errorf("%w %q: given twice", ErrAccount, settings.ID)
	}
	a := &account{Account: settings}
	var chain ilpcore.Handler = &dispatch{node: n, account: a}
	if a.MaxPacketAmount > 0 {
		chain = &maxPacket{max: a.MaxPacketAmount, self: n.self, next: chain}
	}
	chain = &expiry{now: n.now, self: n.self, next: chain}
	a.inFlight = &inFlight{max: int64(a.MaxInFlight), self: n.self, next: chain}
	chain = newRateLimit(a.MaxPacketsPerMinute, n.now, n.self, a.inFlight)
	a.chain = &guard{self: n.self, logger: logger, next: chain}
	n.accounts[a.ID] = a
	n.order = append(n.order, a)
	return nil
}

// HandlePrepare takes a packet from an authenticated link; in.From says whose. A packet of an account that is not (or no
// longer) configured is rejected with F00.
func (n *Node) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	a, ok := n.accounts[in.From]
	if !ok {
		return ilpcore.Reject(ilpcore.F00, n.self(), "this node has no such account", nil)
	}
	return a.chain.HandlePrepare(ctx, in)
}

// Local returns the Handler for a party inside this process: its packets come from the given account, whatever From says, and
// the account's limits hold for them. An unknown account is ErrAccount.
func (n *Node) Local(id ilpcore.AccountID) (ilpcore.Handler, error) {
	a, ok := n.accounts[id]
	if !ok {
		return nil, fmt.Errorf("%w %q: there is none of this name", ErrAccount, id)
	}
	return ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
		in.From = id
		return a.chain.HandlePrepare(ctx, in)
	}), nil
}

// Address returns the node's address and asset. ok is false until both are known, and while the parent's asset is not the
// configured one: then no quote can be honoured.
func (n *Node) Address() (address ilpcore.Address, asset ilpcore.Asset, ok bool) {
	address, asset = n.address, n.base
	if n.uplink != nil {
		learned := n.uplink.state.Load()
		if learned.mismatch != nil {
			return "", ilpcore.Asset{}, false
		}
		if address == "" {
			address = learned.address
		}
		if asset == (ilpcore.Asset{}) {
			asset = learned.asset
		}
	}
	if address == "" || asset == (ilpcore.Asset{}) {
		return "", ilpcore.Asset{}, false
	}
	return address, asset, true
}

// Suffix returns what follows the node's address in destination. It knows the configured address, the one learned from the parent, and
// those learned before, for 24 hours after each was replaced.
func (n *Node) Suffix(destination []byte) (rest []byte, ok bool) {
	if n.address != "" {
		if rest, ok := n.address.Suffix(destination); ok {
			return rest, true
		}
	}
	if n.uplink != nil {
		return n.uplink.state.Load().suffix(destination, n.now())
	}
	return nil, false
}

// resolve finds who gets a packet: an account, or the receiver when local is set. The longest prefix wins; the node's own
// address beats a route of the same length.
func (n *Node) resolve(destination []byte) (to *account, local bool) {
	to, length := n.routes.find(destination)
	rest, own := n.Suffix(destination)
	if !own {
		return to, false
	}
	ownLength := len(destination) - len(rest)
	if len(rest) > 0 {
		ownLength-- // the dot
	}
	if child := n.child(rest); child != nil && ownLength+1+len(child.ID) >= length {
		return child, false
	}
	if length > ownLength {
		return to, false
	}
	return nil, true
}

// child returns the account below this node that the first segment of rest names.
func (n *Node) child(rest []byte) *account {
	segment, _, _ := bytes.Cut(rest, []byte{'.'})
	if a := n.accounts[ilpcore.AccountID(segment)]; a != nil && a.Relation.below() {
		return a
	}
	return nil
}

// self is the node's address for the triggeredBy of its rejects; "" until it has one.
func (n *Node) self() string {
	address, _, _ := n.Address()
	return string(address)
}

func (n *Node) asset() ilpcore.Asset {
	_, asset, _ := n.Address()
	return asset
}

// assetOf returns what the account counts: what its parent says, else what is configured, else the node's asset.
func (n *Node) assetOf(a *account) ilpcore.Asset {
	if u, ok := a.Link.(*Uplink); ok {
		if asset := u.state.Load().asset; asset != (ilpcore.Asset{}) {
			return asset
		}
	}
	if a.Asset != (ilpcore.Asset{}) {
		return a.Asset
	}
	return n.asset()
}

// down says why no packet of the account may pass; nil when nothing is wrong with it.
func (a *account) down() error {
	if u, ok := a.Link.(*Uplink); ok {
		return u.state.Load().mismatch
	}
	return nil
}

var _ ilpcore.Handler = (*Node)(nil)
