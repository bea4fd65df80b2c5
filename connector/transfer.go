package connector

// This file is the money of one packet: held before anything is sent, and moved before the sender learns that it was fulfilled.

import (
	"context"
	"errors"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// transfer is the last step of an account's chain. The amount of a packet is held on the sender's balance, the packet answered by whoever it is
// for, and the hold then given back or moved for good. A Fulfill leaves only when that is durable:
//
//   - A packet that went to another account changes both balances in one group of the store.
//   - What the receiver fulfils it has made durable itself, before it says so, with the sender's balance in the same group if it credits in the same
//     store (see Debit). Else, and for a packet that it has credited before, the sender's balance is changed after that.
//   - What a ping or a message between neighbours carried belongs to the node.
type transfer struct {
	node    *Node
	account *account
}

func (t *transfer) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	n := t.node
	held, reply, ok := n.take(t.account, in.Amount)
	if !ok {
		return reply
	}
	held.sent, ctx = takeAlong(ctx)
	d := dispatch{node: n, account: t.account, held: held}
	settling := false
	defer func() {
		if !settling { // rejected, or a panic is under way
			n.books.release(&d.held)
		}
	}()
	reply = d.answer(ctx, in)
	if !reply.Fulfilled {
		return reply
	}
	settling = true
	if err := n.books.settle(&d.held); err != nil {
		return n.refuse(err)
	}
	n.tellDue(d.to)
	return reply
}

// take holds the amount of a packet on the balance of the account it comes from, or rejects it.
func (n *Node) take(from *account, units amount.Amount) (held hold, reply ilpcore.Reply, ok bool) {
	if why := from.down(); why != nil {
		return held, ilpcore.Reject(ilpcore.T01, n.self(), "this account is down: "+why.Error(), nil), false
	}
	held, err := n.hold(from, units)
	if err != nil {
		return held, n.refuse(err), false
	}
	return held, reply, true
}

// tellDue tells who settles how it is with the account that a packet went to.
func (n *Node) tellDue(to *account) {
	if n.due == nil && n.owed == nil || to == nil || to.SettleThreshold == nil {
		return
	}
	balance, _ := n.books.Balance(to.ID)
	switch {
	case balance.Clearing >= *to.SettleThreshold:
		if n.due != nil {
			n.due(to.ID)
		}
	case n.owed != nil && (balance.Clearing > 0 && to.SettleTo == nil || to.SettleTo != nil && balance.Clearing > *to.SettleTo):
		n.owed(to.ID)
	}
}

// refuse says why the books do not take a packet.
func (n *Node) refuse(err error) ilpcore.Reply {
	switch {
	case errors.Is(err, errOvertaken):
		return ilpcore.Reject(ilpcore.T00, n.self(), "an account was changed while the packet was on its way; try again", nil)
	case errors.Is(err, errLow):
		return ilpcore.Reject(ilpcore.T04, n.self(), "the account's balance is too low; settle what is owed, or send less", nil)
	case errors.Is(err, ErrRange):
		return ilpcore.Reject(ilpcore.T04, n.self(), "the amount is more than a balance can hold; send less", nil)
	case errors.Is(err, store.ErrNoSpace):
		return ilpcore.Reject(ilpcore.T00, n.self(), "this node's disk is nearly full, and payments cannot be recorded; try again later", nil)
	}
	return ilpcore.Reject(ilpcore.T00, n.self(), "this node cannot record payments at the moment; try again later", nil)
}

var _ ilpcore.Handler = (*transfer)(nil)
