package connector

// This file says what an account of the node is, and which settings are allowed.

import (
	"errors"
	"fmt"

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
	// Child is a node below: it gets the address <own address>.<account id>, and packets for that go to it.
	Child
	// Local is a party inside this process, such as a test wallet. It has an address like a child.
	Local
)

// Default limits of an account, used where a setting is zero.
const (
	DefaultPacketsPerMinute = 10000 // as in the JavaScript connectors
	DefaultInFlight         = 1000
)

var (
	// ErrAccount says that an account's settings cannot be used.
	ErrAccount = errors.New("invalid account")
	// ErrRelation says that a text names no relation.
	ErrRelation = errors.New("relation is not one of parent, peer, child, local")
)

// Account is one static account of the node. Zero limits mean the defaults.
type Account struct {
	ID                  ilpcore.AccountID // 1 to 64 characters; of a Child or Local also a valid address segment
	Relation            Relation
	Asset               ilpcore.Asset // zero: the node's own asset
	MaxPacketsPerMinute int           // packets it may send per minute, in bursts of up to a minute's worth; else T05
	MaxInFlight         int           // packets of it that may be unanswered at once; else T03
	MaxPacketAmount     amount.Amount // the most one packet may carry, in the account's base units; 0 is no maximum; else F08
	Link                Link          // how packets reach it; nil when the node cannot send to it. Of a Parent usually an *Uplink
}

// ParseRelation reads "parent", "peer", "child" or "local"; anything else is ErrRelation.
func ParseRelation(s string) (Relation, error) {
	for r := Peer; r <= Local; r++ {
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
	default:
		return "peer"
	}
}

// below says whether accounts of this relation have an address under the node's own.
func (r Relation) below() bool { return r == Child || r == Local }

// withDefaults returns a with its zero limits filled in, or ErrAccount.
func (a Account) withDefaults() (Account, error) {
	if len(a.ID) < 1 || len(a.ID) > 64 {
		return a, fmt.Errorf("%w %q: an id has 1 to 64 characters", ErrAccount, a.ID)
	}
	if a.Relation > Local {
		return a, fmt.Errorf("%w %q: %w", ErrAccount, a.ID, ErrRelation)
	}
	if a.Relation.below() && !ilpcore.ValidSegment(string(a.ID)) {
		return a, fmt.Errorf("%w %q: the id of a %s becomes part of an address, so only letters, digits, _, ~ and - are allowed",
			ErrAccount, a.ID, a.Relation)
	}
	if a.MaxPacketsPerMinute < 0 || a.MaxInFlight < 0 {
		return a, fmt.Errorf("%w %q: limits are not negative", ErrAccount, a.ID)
	}
	if a.MaxPacketsPerMinute == 0 {
		a.MaxPacketsPerMinute = DefaultPacketsPerMinute
	}
	if a.MaxInFlight == 0 {
		a.MaxInFlight = DefaultInFlight
	}
	return a, nil
}
