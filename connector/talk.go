package connector

// This file is the conversation with one neighbour: asking for its routes, telling ours, and its asking for ours.

import (
	"context"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
)

const routeMessageTimeout = 30 * time.Second

// control answers a Control: from now on the neighbour is told what it asks for. Who is told no routes gets a polite answer too.
func (r *routing) control(a *account, in ilpcore.Incoming) ilpcore.Reply {
	if reply, ok := r.admit(a, in); !ok {
		return reply
	}
	c, err := ccp.DecodeControl(in.Data)
	if err != nil {
		return ilpcore.Reject(ilpcore.F00, r.node.self(), err.Error(), nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	with := r.neighbours[a.ID]
	if with == nil {
		return ilpcore.Fulfill(ilpcore.PeerFulfillment, nil)
	}
	if with.ask && with.missed { // it was not there when it was asked, and now it is
		with.sent, with.missed = false, false
		r.nudge()
	}
	if a.SendRoutes {
		with.mode, with.tell, with.told, with.epoch = c.Mode, pace{}, r.told.id, 0
		if c.LastTable == r.told.id && c.LastEpoch <= r.told.epoch() {
			with.epoch = c.LastEpoch
		}
		r.nudge()
	}
	return ilpcore.Fulfill(ilpcore.PeerFulfillment, nil)
}

// talk asks and tells one neighbour what is due, and ends with the routing.
func (r *routing) talk(a *account, with *neighbour, own ilpcore.Address, ask, tell bool) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		with.busy = false
		r.again(with)
	}()
	r.mu.Lock()
	with.silent = false
	r.mu.Unlock()
	if ask {
		r.mu.Lock()
		message := ccp.Control{Mode: ccp.Sync, LastTable: with.heard.table, LastEpoch: with.heard.epoch}
		with.sent, with.missed = true, false
		r.mu.Unlock()
		reply := r.send(a, ccp.ControlDestination, message.Append(nil))
		r.mu.Lock()
		with.asked.outcome(reply)
		with.missed = !reply.Fulfilled
		with.silent = with.missed && !reply.Code.Final()
		r.mu.Unlock()
	}
	for tell {
		tell = r.tellOnce(a, with, own)
	}
}

// again has a neighbour talked to once more, soon, if what it was asked or told did not get there: it may be starting just now, and would
// else hear nothing, and not be heard of, until the next interval. The lock is held.
func (r *routing) again(with *neighbour) {
	if !with.silent {
		with.tries = 0
		return
	}
	pause := firstAgain << min(with.tries, 20)
	if with.tries++; pause >= r.every || r.closed {
		return
	}
	r.running.Go(func() {
		wait(r.ctx, pause)
		r.mu.Lock()
		defer r.mu.Unlock()
		if with.missed {
			with.sent = false
		}
		r.nudge()
	})
}

// tellOnce sends one Update, also one without changes, which says that the node is still there. more says whether there is more to tell.
func (r *routing) tellOnce(a *account, with *neighbour, own ilpcore.Address) (more bool) {
	r.mu.Lock()
	if with.epoch > r.told.epoch() || with.told != r.told.id { // a new table has begun
		with.epoch, with.told = 0, r.told.id
	}
	u := r.told.after(with.epoch, a, own)
	u.HoldDown = r.every * 3 / 2
	r.mu.Unlock()
	reply := r.send(a, ccp.UpdateDestination, u.Append(nil))
	r.mu.Lock()
	defer r.mu.Unlock()
	with.tell.outcome(reply)
	with.silent = with.silent || !reply.Fulfilled && !reply.Code.Final()
	if !reply.Fulfilled || with.epoch != u.From || r.told.id != u.Table { // or a Control has come meanwhile
		return false
	}
	with.epoch = u.To
	return with.epoch < r.told.epoch() && r.ctx.Err() == nil
}

// send sends one route message and waits for the answer.
func (r *routing) send(a *account, destination string, data []byte) ilpcore.Reply {
	ctx, cancel := context.WithTimeout(r.ctx, routeMessageTimeout)
	defer cancel()
	return a.Link.HandlePrepare(ctx, ilpcore.Incoming{From: a.ID, Prepare: ilpcore.Prepare{
		ExpiresAt: r.node.now().Add(routeMessageTimeout).UTC().Truncate(time.Millisecond), Condition: ilpcore.PeerCondition,
		Destination: []byte(destination), Data: data,
	}})
}
