package connector

// This file sends packets on without waiting for their answers, where both links can do without. It takes the steps that HandlePrepare takes, in
// its order; what is different is that nobody waits.

import (
	"bytes"
	"context"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// started is a packet on its way to another account: of what it says, what its end needs. There may be thousands, so it is kept small.
type started struct {
	dispatch
	from      ilpcore.AccountID
	in, out   amount.Amount // as it came, and as it went out
	condition [32]byte
	expires   time.Time // of what went out
	began     time.Time
	entered   int // steps that let it in
	asker     ilpcore.Asker
	reply     ilpcore.Reply // of a packet whose money is being recorded
	ended     bool
}

// StartPrepare begins a packet that goes out over a link which need not be waited for. Anything else, and what has its condition in common with a
// packet that is under way, it leaves to HandlePrepare.
func (n *Node) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) (begun bool) {
	a, ok := n.table.Load().accounts[in.From]
	if !ok {
		return false
	}
	to, link := n.onward(a, in.Destination)
	if link == nil {
		return false
	}
	// First of all, since nothing may have been counted when it turns out to be a copy.
	if standing, _ := a.under.enter(&in.Prepare, a.RoundTrip); standing != first {
		return false
	}
	s := &started{
		dispatch: dispatch{node: n, account: a, to: to}, from: in.From, in: in.Amount, condition: in.Condition, asker: asker, began: n.now(),
	}
	s.start(ctx, in, link, burst)
	return true
}

// onward returns the account that a packet goes on to and its link; nil when it stays here, goes nowhere, or has to be waited for.
func (n *Node) onward(from *account, destination []byte) (to *account, link ilpcore.Starter) {
	defer func() {
		if recover() != nil { // HandlePrepare comes to the same place, and answers
			link = nil
		}
	}()
	if bytes.HasPrefix(destination, peerPrefix) {
		return nil, nil
	}
	to, local := n.resolve(destination)
	if local || to == nil || to.ID == from.ID {
		return nil, nil
	}
	if n.accounts != nil {
		if rest, ok := n.below(to, destination); ok && n.accounts.Recognises(to.UUID, rest) {
			return nil, nil
		}
	}
	link, _ = to.Link.(ilpcore.Starter)
	return to, link
}

func (s *started) start(ctx context.Context, in ilpcore.Incoming, link ilpcore.Starter, burst *ilpcore.Burst) {
	defer s.guard()
	var refusal *ilpcore.Reply
	if refusal, s.entered = s.account.chain.enter(in.Amount, in.ExpiresAt, s.began); refusal != nil {
		s.end(*refusal, burst)
		return
	}
	held, reply, ok := s.node.take(s.account, in.Amount)
	if !ok {
		s.end(reply, burst)
		return
	}
	s.held = held
	s.held.sent, ctx = takeAlong(ctx)
	if reply, ok = s.readdress(s.to, &in, s.began); !ok {
		s.end(reply, burst)
		return
	}
	s.out, s.expires = in.Amount, in.ExpiresAt
	if !link.StartPrepare(ctx, in, s, burst) {
		s.await(ctx, in, link)
	}
}

// await has a goroutine wait for a link that cannot do without at the moment.
func (s *started) await(ctx context.Context, in ilpcore.Incoming, link ilpcore.Handler) {
	s.node.finishing.run(func() {
		defer s.guard()
		s.Answered(link.HandlePrepare(ctx, in), nil)
	})
}

// Answered takes the next node's answer. The sender gets a Fulfill when it is recorded, which begins at the end of the burst.
func (s *started) Answered(reply ilpcore.Reply, burst *ilpcore.Burst) {
	defer s.guard()
	now := s.node.now()
	reply = s.check(reply, &s.condition, s.expires, now)
	if s.node.passed != nil {
		s.node.show(s.to, true, s.out, reply, now.Sub(s.began))
	}
	if !reply.Fulfilled {
		s.end(reply, burst)
		return
	}
	s.reply = reply
	s.node.finishing.settle(s, burst)
}

// settled ends a packet whose money has moved, durably unless there is an error.
func (s *started) settled(err error, burst *ilpcore.Burst) {
	defer s.guard()
	if err != nil {
		s.end(s.node.refuse(err), burst)
		return
	}
	s.node.tellDue(s.to)
	s.end(s.reply, burst)
}

// end gives back what the packet still holds, and the answer to whoever asked.
func (s *started) end(reply ilpcore.Reply, burst *ilpcore.Burst) {
	s.ended = true
	s.node.books.release(&s.held)
	s.held = hold{}
	s.account.under.leave(s.condition, &reply)
	s.account.chain.leave(s.entered, s.in, reply.Fulfilled)
	if s.node.passed != nil {
		s.node.show(s.account, false, s.in, reply, s.node.now().Sub(s.began))
	}
	s.asker.Answered(reply, burst)
}

// guard ends a packet on whose way something panicked.
func (s *started) guard() {
	if p := recover(); p != nil {
		s.fail(p)
	}
}

func (s *started) fail(p any) {
	reply := s.node.panicked(s.from, p)
	if !s.ended {
		s.end(reply, nil)
	}
}

var (
	_ ilpcore.Starter = (*Node)(nil)
	_ ilpcore.Asker   = (*started)(nil)
)
