package connector

// This file is what a parent has told: one immutable snapshot after the other, pure and without a clock.

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// Honoured is how long packets for an address are taken after the parent has given another (D11).
const Honoured = 24 * time.Hour

// ErrAsset says that the parent counts in another asset than this node. Balances are never reinterpreted, so the account stays down
// until one of the two is changed.
var ErrAsset = errors.New("the parent's asset is not the configured one")

// learned is the state after an ILDCP answer. The zero value knows nothing.
type learned struct {
	address  ilpcore.Address
	asset    ilpcore.Asset
	former   []former
	mismatch error // ErrAsset with both assets named, while the parent's asset is the wrong one
}

// former is an address this node had, and the time until which it is honoured.
type former struct {
	address ilpcore.Address
	until   time.Time
}

// next returns the state after the parent has answered at the time now. expected is the configured asset; when it is zero, the first
// asset learned is expected from then on.
func (l *learned) next(answer ilpcore.ILDCP, expected ilpcore.Asset, now time.Time) *learned {
	n := &learned{address: l.address, asset: l.asset, former: l.stillHonoured(now)}
	if expected == (ilpcore.Asset{}) {
		expected = l.asset
	}
	if expected != (ilpcore.Asset{}) && answer.Asset != expected {
		n.mismatch = fmt.Errorf("%w: it is %s and not %s; change the account's asset or ask the parent to", ErrAsset, answer.Asset, expected)
		return n
	}
	n.asset = answer.Asset
	if n.address == answer.Address {
		return n
	}
	n.former = slices.DeleteFunc(n.former, func(f former) bool { return f.address == answer.Address })
	if n.address != "" {
		n.former = append(n.former, former{address: n.address, until: now.Add(Honoured)})
	}
	n.address = answer.Address
	return n
}

// stillHonoured returns a copy of the former addresses without those whose time is over.
func (l *learned) stillHonoured(now time.Time) []former {
	return slices.DeleteFunc(slices.Clone(l.former), func(f former) bool { return !now.Before(f.until) })
}

// suffix returns what follows the current address, or one still honoured, in destination. It allocates nothing.
func (l *learned) suffix(destination []byte, now time.Time) (rest []byte, ok bool) {
	if rest, ok := l.address.Suffix(destination); ok {
		return rest, true
	}
	for _, f := range l.former {
		if !now.Before(f.until) {
			continue
		}
		if rest, ok := f.address.Suffix(destination); ok {
			return rest, true
		}
	}
	return nil, false
}
