package connector

// This file lets copies of a packet that is under way share its answer, so that none of them goes out beside it.

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// underWay is an account's packets that are not answered yet, by their conditions: at most as many as it may have in flight.
type underWay struct {
	mu      sync.Mutex
	packets map[[32]byte]original
}

// original is the first packet with its condition. Its bytes are in the link's buffer, which is valid as long as it is under way.
type original struct {
	ilpcore.Prepare
	shared *shared // nil while nobody waits
}

// shared is the answer that copies wait for.
type shared struct {
	expires  time.Time     // of the first packet
	answered chan struct{} // closed when reply is set
	reply    ilpcore.Reply // its Data is nobody's to change
}

func newUnderWay() *underWay { return &underWay{packets: map[[32]byte]original{}} }

// standing is what a packet is beside those under way.
type standing uint8

const (
	first  standing = iota // nothing has its condition
	equal                  // it is a copy
	looped                 // it is a copy that has lost time on its way
	other                  // it has another's condition, and that other says something else
)

// enter takes in the first packet with its condition, which the caller ends with leave. A copy gets what it has to wait for.
func (u *underWay) enter(p *ilpcore.Prepare, roundTrip time.Duration) (standing, *shared) {
	u.mu.Lock()
	defer u.mu.Unlock()
	o, ok := u.packets[p.Condition]
	switch {
	case !ok:
		u.packets[p.Condition] = original{Prepare: *p}
		return first, nil
	case o.Amount != p.Amount || !bytes.Equal(o.Destination, p.Destination) || !bytes.Equal(o.Data, p.Data):
		return other, nil
	case !p.ExpiresAt.After(o.ExpiresAt.Add(-roundTrip)):
		return looped, nil
	case o.shared == nil:
		o.shared = &shared{expires: o.ExpiresAt, answered: make(chan struct{})}
		u.packets[p.Condition] = o
	}
	return equal, o.shared
}

// leave ends a packet and gives its copies the answer.
func (u *underWay) leave(condition [32]byte, reply *ilpcore.Reply) {
	u.mu.Lock()
	s := u.packets[condition].shared
	delete(u.packets, condition)
	u.mu.Unlock()
	if s == nil {
		return
	}
	s.reply = *reply
	s.reply.Data = bytes.Clone(reply.Data) // the other one is the first packet's own
	close(s.answered)
}

// duplicates lets a copy of a packet of the same account that is under way wait for its answer. Both get the same one, and the money moves once:
// one fulfillment answers for each. Later on a copy gets the answer of whoever has it: the receiver fulfils a repeated packet without
// a second credit. A packet that has the condition alone in common with one under way is F00.
//
// A packet whose way leads in a circle comes back as a copy of itself. It must not wait for itself, and is T03: this node has taken at least
// the account's round trip off its time.
//
// Conditions whose fulfillment everybody knows stand for nothing and may repeat: those of pings and of messages between neighbours.
type duplicates struct {
	under     *underWay
	roundTrip time.Duration // of the account
	now       func() time.Time
	self      func() string
	next      ilpcore.Handler
}

func (d *duplicates) HandlePrepare(ctx context.Context, in ilpcore.Incoming) (reply ilpcore.Reply) {
	if in.Condition == ilpcore.PingCondition || in.Condition == ilpcore.PeerCondition || bytes.HasPrefix(in.Destination, peerPrefix) {
		return d.next.HandlePrepare(ctx, in)
	}
	for {
		standing, s := d.under.enter(&in.Prepare, d.roundTrip)
		switch standing {
		case first:
			return d.lead(ctx, in)
		case looped:
			return ilpcore.Reject(ilpcore.T03, d.self(), "this packet with more time left is under way already: does its way lead in a circle?", nil)
		case other:
			return ilpcore.Reject(ilpcore.F00, d.self(), "a packet with this condition and another amount, destination or data is under way", nil)
		}
		reply, answered := d.share(ctx, s, in.ExpiresAt)
		// One with more time than the first had may succeed where that one failed.
		if reply.Fulfilled || !answered || !in.ExpiresAt.After(s.expires) {
			return reply
		}
	}
}

// lead answers the first packet, and with it its copies.
func (d *duplicates) lead(ctx context.Context, in ilpcore.Incoming) (reply ilpcore.Reply) {
	answered := false
	defer func() {
		if !answered { // a panic is under way
			reply = ilpcore.Reject(ilpcore.T00, d.self(), "internal error", nil)
		}
		d.under.leave(in.Condition, &reply)
	}()
	reply = d.next.HandlePrepare(ctx, in)
	answered = true
	return reply
}

// share waits for the first packet's answer, until the copy's own time is over: then it is R00, and answered is false.
func (d *duplicates) share(ctx context.Context, s *shared, expires time.Time) (reply ilpcore.Reply, answered bool) {
	timer := time.NewTimer(expires.Sub(d.now()))
	defer timer.Stop()
	select {
	case <-s.answered:
		if reply = s.reply; reply.Fulfilled && d.now().After(expires) {
			break
		}
		reply.Data = bytes.Clone(reply.Data)
		return reply, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return ilpcore.Reject(ilpcore.R00, d.self(), "the first packet of this condition was not answered in time", nil), false
}

var _ ilpcore.Handler = (*duplicates)(nil)
