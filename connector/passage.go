package connector

// This file shows each packet to whoever counts them: as it came from an account, and as it went to another.

import (
	"context"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// Passage is a packet on one side of the node, after its answer.
type Passage struct {
	Outgoing bool // it went to the account: over its link, or to its holder at this node; else it came from it
	Account  ilpcore.AccountID
	Relation Relation
	Asset    ilpcore.Asset // what Amount counts; zero while the node does not know it
	Amount   amount.Amount
	Reject   ilpcore.Code  // why it was rejected; zero: it was fulfilled
	Took     time.Duration // from the Prepare to its answer
}

// pass sends in over to's link, and lets no Fulfill through that is wrong or late.
func (d *dispatch) pass(ctx context.Context, to *account, in ilpcore.Incoming) ilpcore.Reply {
	began := d.node.now()
	reply := to.Link.HandlePrepare(ctx, in)
	now := d.node.now()
	reply = d.check(reply, &in.Condition, in.ExpiresAt, now)
	if d.node.passed != nil {
		d.node.show(to, true, in.Amount, reply, now.Sub(began))
	}
	return reply
}

// show tells of a packet that was answered after so long. passed is not nil.
func (n *Node) show(a *account, outgoing bool, units amount.Amount, reply ilpcore.Reply, took time.Duration) {
	p := Passage{Outgoing: outgoing, Account: a.ID, Relation: a.Relation, Asset: n.assetOf(a), Amount: units, Took: took}
	if !reply.Fulfilled {
		p.Reject = reply.Code
	}
	n.passed(p)
}
