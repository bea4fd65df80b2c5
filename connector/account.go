package connector

// This file says what an account of the node is, and which settings are allowed.

import (
	"errors"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// Relation says what an account is to this node; it decides about addresses and routes.
type Relation uint8

const (
	// Peer is a node beside this one: packets go there only by a route.
	Peer Relation = iota
	// Parent is the node above: it gives this one its address (ILDCP). There is at most one.
	Parent
	// Child is a node below: it gets the address <own address>.<segment>, and packets for that go to it.
	Child
	// Local is a party inside this process, such as a test wallet. It has an address like a child.
	Local
	// NonRouting is a user of this node: it sends and receives, has an address like a child, and takes no part in routing.
	NonRouting
)

// Defaults of an account, used where a setting is zero.
const (
	DefaultPacketsPerMinute = 10000 // as in the JavaScript connectors
	DefaultInFlight         = 1000
	DefaultRoundTrip        = 500 * time.Millisecond // as in interledger-rs
)

var (
	// ErrAccount says that an account's settings cannot be used, or that there is no such account.
	ErrAccount = errors.New("invalid account")
	// ErrRelation says that a text names no relation.
	ErrRelation = errors.New("relation is not one of parent, peer, child, local, non_routing")
)

// Account is one account of the node. Zero limits mean the defaults.
type Account struct {
	ID       ilpcore.AccountID // 1 to 64 characters
	UUID     string            // tells the account from those that had its ID before; "": nothing does, and nobody receives for its holder
	Relation Relation
	Asset    ilpcore.Asset // zero: the node's own asset

	// Segment is what follows the node's address in that of a Child, Local or NonRouting account; "" is the ID, which then has to be
	// a valid segment.
	Segment string
	// Address is the account's address where that is not the node's and Segment; "" is no such. Packets for it and below it go to
	// the account.
	Address ilpcore.Address

	MaxPacketsPerMinute int           // packets it may send per minute, in bursts of up to a minute's worth; else T05
	MaxAmountPerMinute  amount.Amount // base units it may send per minute, in bursts of up to a minute's worth; 0 is no maximum; else T04
	MaxInFlight         int           // packets of it that may be unanswered at once; else T03
	MaxPacketAmount     amount.Amount // the most one packet may carry, in the account's base units; 0 is no maximum; else F08
	// RoundTrip is how long the way to its other end and back takes; 0 is DefaultRoundTrip. A packet that is forwarded expires earlier by
	// the round trips of both accounts.
	RoundTrip time.Duration

	// MinBalance is how low clearing and prepaid balance together may fall; else T04. nil is no limit, -100 is a credit of 100 base units.
	MinBalance *int64
	// SettleThreshold and SettleTo are for settlement: at which clearing balance the node pays, and down to which. nil is never.
	SettleThreshold, SettleTo *int64

	SendRoutes    bool // whether the node tells it routes (CCP)
	ReceiveRoutes bool // whether the node asks it for routes, and takes them (CCP)

	Link Link // how packets reach it; nil when the node cannot send to it. Of a Parent usually an *Uplink
}

// ParseRelation reads "parent", "peer", "child", "local" or "non_routing"; anything else is ErrRelation.
func ParseRelation(s string) (Relation, error) {
	for r := Peer; r <= NonRouting; r++ {
		if s == r.String() {
			return r, nil
		}
	}
	return 0, fmt.Errorf("%q: %w", s, ErrRelation)
}

// String returns the word used in configuration.
func (r Relation) String() string {
	switch r {
	case Parent:
		return "parent"
	case Child:
		return "child"
	case Local:
		return "local"
	case NonRouting:
		return "non_routing"
	default:
		return "peer"
	}
}

// Routing says whether the node tells accounts of this relation its routes, and asks them for theirs, where their settings do not say. A parent is
// not asked: the default route leads there anyway.
func (r Relation) Routing() (send, receive bool) { return r == Peer || r == Child, r == Peer }

// below says whether accounts of this relation have an address under the node's own.
func (r Relation) below() bool { return r == Child || r == Local || r == NonRouting }

// withDefaults returns a with its zero settings filled in, or ErrAccount.
func (a Account) withDefaults() (Account, error) {
	if len(a.ID) < 1 || len(a.ID) > 64 {
		return a, fmt.Errorf("%w %q: an id has 1 to 64 characters", ErrAccount, a.ID)
	}
	if a.Relation > NonRouting {
		return a, fmt.Errorf("%w %q: %w", ErrAccount, a.ID, ErrRelation)
	}
	if err := a.checkLimits(); err != nil {
		return a, err
	}
	if err := a.checkAddress(); err != nil {
		return a, err
	}
	if a.Segment == "" && a.Relation.below() {
		a.Segment = string(a.ID)
	}
	if a.MaxPacketsPerMinute == 0 {
		a.MaxPacketsPerMinute = DefaultPacketsPerMinute
	}
	if a.MaxInFlight == 0 {
		a.MaxInFlight = DefaultInFlight
	}
	if a.RoundTrip == 0 {
		a.RoundTrip = DefaultRoundTrip
	}
	return a, nil
}

func (a Account) checkLimits() error {
	if a.MaxPacketsPerMinute < 0 || a.MaxInFlight < 0 || a.RoundTrip < 0 {
		return fmt.Errorf("%w %q: limits are not negative", ErrAccount, a.ID)
	}
	return nil
}

func (a Account) checkAddress() error {
	if a.Address != "" {
		if !a.Address.Valid() || a.Address.Scheme() == "peer" || a.Address.Scheme() == "self" {
			return fmt.Errorf("%w %q: %q is not an address that packets can be sent to", ErrAccount, a.ID, a.Address)
		}
		return nil
	}
	if a.Segment != "" {
		if !a.Relation.below() {
			return fmt.Errorf("%w %q: a %s has no address below the node's, so it has no segment", ErrAccount, a.ID, a.Relation)
		}
		if !ilpcore.ValidSegment(a.Segment) {
			return fmt.Errorf("%w %q: the segment %q becomes part of an address, so only letters, digits, _, ~ and - are allowed",
				ErrAccount, a.ID, a.Segment)
		}
		return nil
	}
	if a.Relation.below() && !ilpcore.ValidSegment(string(a.ID)) {
		return fmt.Errorf("%w %q: the id of a %s becomes part of an address, so only letters, digits, _, ~ and - are allowed",
			ErrAccount, a.ID, a.Relation)
	}
	return nil
}
