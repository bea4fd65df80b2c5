package connector

// This file is an account at work: the steps its packets take, and what counts against its limits.

import (
	"sync/atomic"

	"github.com/paydoor/paydoor/ilpcore"
)

// account is an Account at work. It is not changed any more; new settings make a new one, which takes over what counts.
type account struct {
	Account
	chain ilpcore.Handler // what its incoming packets go through

	packets  *rateLimit
	echoes   *rateLimit
	amounts  *amountBucket // nil: no limit
	inFlight *atomic.Int64
	under    *underWay
}

// newAccount builds the chain of an account. What counts against limits that before had too goes on counting.
func (n *Node) newAccount(settings Account, before *account) *account {
	a := &account{Account: settings}
	if before != nil {
		a.inFlight, a.under, a.echoes = before.inFlight, before.under, before.echoes
	} else {
		a.inFlight, a.under, a.echoes = new(atomic.Int64), newUnderWay(), newRateLimit(max(n.echo, 0), n.now)
	}
	if before != nil && before.MaxPacketsPerMinute == a.MaxPacketsPerMinute {
		a.packets = before.packets
	} else {
		a.packets = newRateLimit(a.MaxPacketsPerMinute, n.now)
	}
	switch {
	case a.MaxAmountPerMinute == 0:
	case before != nil && before.MaxAmountPerMinute == a.MaxAmountPerMinute:
		a.amounts = before.amounts
	default:
		a.amounts = newAmountBucket(a.MaxAmountPerMinute, n.now())
	}
	a.chain = n.newChain(a)
	return a
}

// newChain puts the steps together, the last one first.
func (n *Node) newChain(a *account) ilpcore.Handler {
	var chain ilpcore.Handler = &transfer{node: n, account: a}
	if a.MaxPacketAmount > 0 {
		chain = &maxPacket{max: a.MaxPacketAmount, self: n.self, next: chain}
	}
	chain = &duplicates{under: a.under, roundTrip: a.RoundTrip, now: n.now, self: n.self, next: chain}
	chain = &expiry{now: n.now, self: n.self, next: chain}
	chain = &inFlight{current: a.inFlight, max: int64(a.MaxInFlight), self: n.self, next: chain}
	if a.amounts != nil {
		chain = &amountLimit{bucket: a.amounts, now: n.now, self: n.self, next: chain}
	}
	chain = &packetLimit{limit: a.packets, self: n.self, next: chain}
	return &guard{self: n.self, logger: n.logger, next: chain}
}

// down says why no packet of the account may pass; nil when nothing is wrong with it.
func (a *account) down() error {
	if u, ok := a.Link.(*Uplink); ok {
		return u.state.Load().mismatch
	}
	return nil
}
