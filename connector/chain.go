package connector

// This file is an account at work: the steps its packets take, and what counts against its limits.

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// account is an Account at work. It is not changed any more; new settings make a new one, which takes over what counts.
type account struct {
	Account
	chain *chain // what its incoming packets go through

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

// chain is the way of an account's packets: through the steps, with copies of a packet under way sorted out, to the transfer.
type chain struct {
	node       *Node
	steps      []step
	duplicates *duplicates
}

func (n *Node) newChain(a *account) *chain {
	steps := []step{&packetLimit{limit: a.packets, self: n.self}}
	if a.amounts != nil {
		steps = append(steps, &amountLimit{bucket: a.amounts, self: n.self})
	}
	steps = append(steps, &inFlight{current: a.inFlight, max: int64(a.MaxInFlight), self: n.self}, &expiry{self: n.self})
	if a.MaxPacketAmount > 0 {
		steps = append(steps, &maxPacket{max: a.MaxPacketAmount, self: n.self})
	}
	last := &transfer{node: n, account: a}
	return &chain{n, steps, &duplicates{under: a.under, roundTrip: a.RoundTrip, now: n.now, self: n.self, next: last}}
}

func (c *chain) HandlePrepare(ctx context.Context, in ilpcore.Incoming) (reply ilpcore.Reply) {
	entered := 0
	defer func() {
		if p := recover(); p != nil {
			reply = c.node.panicked(in.From, p)
		}
		c.leave(entered, in.Amount, reply.Fulfilled)
	}()
	refusal, entered := c.enter(in.Amount, in.ExpiresAt, c.node.now())
	if refusal != nil {
		return *refusal
	}
	return c.duplicates.HandlePrepare(ctx, in)
}

// enter returns how many steps let the packet in; if not all did, refusal is what the next one says.
func (c *chain) enter(units amount.Amount, expires, now time.Time) (refusal *ilpcore.Reply, entered int) {
	for i, s := range c.steps {
		if refusal := s.enter(units, expires, now); refusal != nil {
			return refusal, i
		}
	}
	return nil, len(c.steps)
}

// leave tells the steps that let a packet in of its answer.
func (c *chain) leave(entered int, units amount.Amount, fulfilled bool) {
	for i := range entered {
		c.steps[entered-1-i].leave(units, fulfilled)
	}
}

// panicked answers a packet on whose way something panicked: that must not take the process, and every other account's packets, with
// it. Whether money moved is then unknown; the ledger's own records say.
func (n *Node) panicked(from ilpcore.AccountID, p any) ilpcore.Reply {
	n.logger.Error("a packet handler panicked; the packet was rejected", zap.String("account", string(from)), zap.Any("panic", p), zap.Stack("stack"))
	return ilpcore.Reject(ilpcore.T00, n.self(), "internal error", nil)
}

// down says why no packet of the account may pass; nil when nothing is wrong with it.
func (a *account) down() error {
	if u, ok := a.Link.(*Uplink); ok {
		return u.state.Load().mismatch
	}
	return nil
}
