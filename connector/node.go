package connector

// This file is the node: what it is made of, its address, and the entry every packet takes.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
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

// DefaultBroadcast is how often a node tells its neighbours its routes.
const DefaultBroadcast = 30 * time.Second

// Config is what a Node is made of.
type Config struct {
	Address  ilpcore.Address // "" when the parent gives it
	Asset    ilpcore.Asset   // zero when the parent gives it
	Accounts []Account
	Routes   []Route
	Receiver ilpcore.Handler // gets what is addressed to this node; nil: F02
	Holders  AccountReceiver // gets what is addressed to the holders of accounts; nil: all of it goes on to them
	Books    *Books          // nil: balances are kept in memory and end with the Node
	Rates    *Rates          // nil: none

	// Due is told that an account has reached its SettleThreshold, after each fulfilled packet to it, before that is answered. It does not
	// block; nil: nobody settles.
	Due func(id ilpcore.AccountID)
	// Owed is told, as Due is, that an account with a SettleThreshold has not reached it and is owed more than its SettleTo; nil: nobody
	// settles by time.
	Owed func(id ilpcore.AccountID)

	Messages Messenger // brings messages to settlement engines; nil: F02

	// Passed is shown each packet of an account when it is answered, and what it sent on when that is. It is called from many goroutines at
	// once, before the answer leaves, and does not block; nil: nobody counts.
	Passed func(Passage)

	BroadcastEvery time.Duration // how often routes are told, if any account wants them; 0: DefaultBroadcast
	EchoPerMinute  int           // echo requests answered per minute and account; 0: 60; negative: none

	// Before is the node of the configuration before. What it has heard of routes is used until the neighbours tell theirs anew, and what accounts have
	// used of their limits counts here as well; nil: there was none.
	Before *Node
	// Silent is for who adds accounts one by one: until TalkRoutes, no neighbour is told a part of the routes for all, and none is asked.
	Silent bool

	Logger *zap.Logger      // nil: none
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // for the route messages; nil: crypto/rand
}

// Node is the Interledger node. It does not own its links: whoever opened them closes them. Its accounts and routes can be changed
// while packets flow; each packet sees the state at one moment, and keeps to the account it came from until it is answered. A node with an
// account that sends or receives routes has goroutines until it is closed.
type Node struct {
	address  ilpcore.Address
	base     ilpcore.Asset
	receiver ilpcore.Handler
	accounts AccountReceiver // nil: none
	books    *Books
	rates    *Rates
	due      func(ilpcore.AccountID)
	owed     func(ilpcore.AccountID)
	messages Messenger
	passed   func(Passage) // nil: nobody counts
	echo     int           // per minute and account
	logger   *zap.Logger
	now      func() time.Time

	changing  sync.Mutex                     // held while a new table is made
	inherited map[ilpcore.AccountID]*account // what accounts of the node before have used of their limits, until they are added here; guarded by changing
	table     atomic.Pointer[table]
	routing   *routing

	finishing *finishing
}

// NewNode checks the configuration and builds each account's chain. Errors: ErrAccount, ErrRoute, ErrAddress, ErrParents.
func NewNode(c Config) (*Node, error) {
	n := &Node{
		address: c.Address, base: c.Asset, receiver: c.Receiver, accounts: c.Holders, books: c.Books, rates: c.Rates, due: c.Due, owed: c.Owed, messages: c.Messages,
		passed: c.Passed,
		echo:   c.EchoPerMinute, logger: c.Logger, now: c.Now,
	}
	if err := n.withDefaults(); err != nil {
		return nil, err
	}
	n.finishing = newFinishing(n.books)
	if c.Before != nil {
		n.inherited = c.Before.limits()
	}
	first := newTable()
	for _, settings := range c.Accounts {
		if _, ok := first.accounts[settings.ID]; ok {
			return nil, fmt.Errorf("%w %q: given twice", ErrAccount, settings.ID)
		}
		if err := n.put(first, settings); err != nil {
			return nil, err
		}
	}
	if first.uplink == nil && (n.address == "" || n.base == ilpcore.Asset{}) {
		return nil, ErrAddress
	}
	if err := first.setStatic(c.Routes); err != nil {
		return nil, err
	}
	random := c.Random
	if random == nil {
		random = rand.Reader
	}
	n.routing = newRouting(n, c.BroadcastEvery, random)
	n.routing.silent = c.Silent
	if c.Before != nil {
		n.routing.wait = succession
		n.routing.inherit(c.Before)
	}
	n.publish(first)
	if c.Before != nil {
		n.routing.relearn()
	}
	return n, nil
}

func (n *Node) withDefaults() (err error) {
	if n.now == nil {
		n.now = time.Now
	}
	if n.logger == nil {
		n.logger = zap.NewNop()
	}
	if n.books == nil {
		n.books = newBooks()
	}
	if n.echo == 0 {
		n.echo = defaultEchoPerMinute
	}
	if n.rates == nil {
		n.rates, err = NewRates(Rate{})
	}
	return err
}

// InheritRoutes puts in force what its accounts' neighbours had told the node before. It is for who adds accounts one by one, once they are there.
func (n *Node) InheritRoutes() { n.routing.relearn() }

// TalkRoutes ends the silence that the node was made with: its accounts are there, and packets come to it and no more to the node before.
func (n *Node) TalkRoutes() {
	n.changing.Lock()
	defer n.changing.Unlock()
	n.routing.speak()
	n.routing.changed(n.table.Load())
}

// Close stops what the node has started and waits for it. It closes no link, and packets are still answered. It may be called more than once.
func (n *Node) Close() error {
	n.routing.close()
	n.finishing.close()
	return nil
}

// HandlePrepare takes a packet from an authenticated link; in.From says whose. A packet of an account that is not (or no
// longer) configured is rejected with F00.
func (n *Node) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	a, ok := n.table.Load().accounts[in.From]
	if !ok {
		return n.noAccount()
	}
	return n.from(ctx, a, in)
}

func (n *Node) noAccount() ilpcore.Reply {
	return ilpcore.Reject(ilpcore.F00, n.self(), "this node has no such account", nil)
}

// from takes a packet of an account.
func (n *Node) from(ctx context.Context, a *account, in ilpcore.Incoming) ilpcore.Reply {
	if n.passed == nil {
		return a.chain.HandlePrepare(ctx, in)
	}
	began := n.now()
	reply := a.chain.HandlePrepare(ctx, in)
	n.show(a, false, in.Amount, reply, n.now().Sub(began))
	return reply
}

// Local returns the Handler for a party inside this process: its packets come from the given account, whatever From says, and
// the account's limits hold for them. Once the account is gone, or counts in another asset, they are rejected with F00: another account of its name is
// not that party's, and its amounts mean something else by then. An unknown account is ErrAccount.
func (n *Node) Local(id ilpcore.AccountID) (ilpcore.Handler, error) {
	party, ok := n.table.Load().accounts[id]
	if !ok {
		return nil, errNoAccount(id)
	}
	return ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
		now, ok := n.table.Load().accounts[id]
		if !ok || !now.same(party) {
			return n.noAccount()
		}
		in.From = id
		return n.from(ctx, now, in)
	}), nil
}

// Address returns the node's address and asset. ok is false until both are known, and while the parent's asset is not the
// configured one: then no quote can be honoured.
func (n *Node) Address() (address ilpcore.Address, asset ilpcore.Asset, ok bool) {
	address, asset = n.address, n.base
	if uplink := n.uplink(); uplink != nil {
		learned := uplink.state.Load()
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
	if uplink := n.uplink(); uplink != nil {
		return uplink.state.Load().suffix(destination, n.now())
	}
	return nil, false
}

// uplink returns that of the parent, nil without any. While the first table is being made there is none.
func (n *Node) uplink() *Uplink {
	if t := n.table.Load(); t != nil {
		return t.uplink
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

var _ ilpcore.Handler = (*Node)(nil)
