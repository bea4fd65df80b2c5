package connector

// This file sends packets on without waiting for their answers, where both links can do without. It takes the steps that HandlePrepare takes, in
// its order; what is different is that nobody waits.

import (
	"bytes"
	"context"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// started is a packet on its way to another account.
type started struct {
	dispatch
	in, out  ilpcore.Incoming // as it came, and as it goes out
	entered  int              // steps that let it in
	first    bool             // it stands for its condition
	asker    ilpcore.Asker
	began    time.Time
	passedOn time.Time
	reply    ilpcore.Reply // of a packet whose money is being recorded
	ended    bool
}

// StartPrepare begins a packet that goes out over a link which need not be waited for. Anything else, and a copy of a packet that is under way, it
// leaves to HandlePrepare.
func (n *Node) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker) (begun bool) {
	a, ok := n.table.Load().accounts[in.From]
	if !ok {
		return false
	}
	to, link := n.onward(a, in.Destination)
	if link == nil || a.under.has(&in.Condition) {
		return false
	}
	s := &started{dispatch: dispatch{node: n, account: a, to: to}, in: in, asker: asker}
	if n.passed != nil {
		s.began = n.now()
	}
	return s.start(ctx, link)
}

// onward returns the account that a packet goes on to and its link; nil when it stays here, goes nowhere, or has to be waited for.
func (n *Node) onward(from *account, destination []byte) (*account, ilpcore.Starter) {
	if bytes.HasPrefix(destination, peerPrefix) {
		return nil, nil
	}
	to, local := n.resolve(destination)
	if local || to == nil || to.ID == from.ID {
		return nil, nil
	}
	if n.accounts != nil {
		if rest, ok := n.below(to, destination); ok && n.accounts.Recognises(to.ID, rest) {
			return nil, nil
		}
	}
	link, _ := to.Link.(ilpcore.Starter)
	return to, link
}

func (s *started) start(ctx context.Context, link ilpcore.Starter) (begun bool) {
	defer s.guard()
	begun = true
	c := s.account.chain
	var reply ilpcore.Reply
	if reply, s.entered = c.enter(s.in); s.entered < len(c.steps) {
		s.end(reply)
		return begun
	}
	standing, _ := s.account.under.enter(&s.in.Prepare, s.account.RoundTrip)
	switch standing {
	case first:
		s.first = true
	case equal: // it came by another connection just now
		c.leave(s.entered, s.in.Amount, false)
		return false
	default:
		s.end(c.duplicates.refuse(standing))
		return begun
	}
	var ok bool
	if reply, ctx, ok = s.hold(ctx); !ok {
		s.end(reply)
		return begun
	}
	if s.node.passed != nil {
		s.passedOn = s.node.now()
	}
	if !link.StartPrepare(ctx, s.out, s) {
		s.node.finishing.run(func() { s.Answered(link.HandlePrepare(ctx, s.out)) })
	}
	return begun
}

// hold takes the money of the packet, and makes it the one that goes out.
func (s *started) hold(ctx context.Context) (ilpcore.Reply, context.Context, bool) {
	held, reply, ok := s.node.take(s.account, s.in.Amount)
	if !ok {
		return reply, ctx, false
	}
	s.held = held
	s.held.sent, ctx = takeAlong(ctx)
	s.out = s.in
	reply, ok = s.readdress(s.to, &s.out)
	return reply, ctx, ok
}

// Answered takes the next node's answer. The sender gets a Fulfill when it is recorded.
func (s *started) Answered(reply ilpcore.Reply) {
	defer s.guard()
	reply = s.check(reply, &s.out)
	if s.node.passed != nil {
		s.node.show(s.to, true, s.out.Amount, reply, s.passedOn)
	}
	if !reply.Fulfilled {
		s.end(reply)
		return
	}
	s.reply = reply
	s.node.finishing.settle(s)
}

// settled ends a packet whose money has moved, durably unless there is an error.
func (s *started) settled(err error) {
	defer s.guard()
	if err != nil {
		s.end(s.node.refuse(err))
		return
	}
	s.node.tellDue(s.to)
	s.end(s.reply)
}

// end gives back what the packet still holds, and the answer to whoever asked.
func (s *started) end(reply ilpcore.Reply) {
	s.ended = true
	s.node.books.release(&s.held)
	s.held = hold{}
	if s.first {
		s.account.under.leave(s.in.Condition, &reply)
	}
	s.account.chain.leave(s.entered, s.in.Amount, reply.Fulfilled)
	if s.node.passed != nil {
		s.node.show(s.account, false, s.in.Amount, reply, s.began)
	}
	s.asker.Answered(reply)
}

// guard ends a packet on whose way something panicked.
func (s *started) guard() {
	p := recover()
	if p == nil {
		return
	}
	reply := s.node.panicked(s.in.From, p)
	if !s.ended {
		s.end(reply)
	}
}

var (
	_ ilpcore.Starter = (*Node)(nil)
	_ ilpcore.Asker   = (*started)(nil)
)
