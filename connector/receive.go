package connector

// This file hands a packet that is for an account of this node itself, and not for a node behind it, to whoever can fulfil it.

import (
	"bytes"
	"context"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// AccountReceiver fulfils packets for the holders of accounts, at addresses below theirs that it has minted (SPSP).
type AccountReceiver interface {
	// Recognises says whether rest, what follows the account's address in a destination, was minted for the account with that UUID. Every
	// packet to an account is asked about, before its amount is converted, so it is quick.
	Recognises(uuid string, rest []byte) bool
	// Receive answers a packet that it recognises. It calls a.Take before it fulfils one with an amount.
	Receive(ctx context.Context, a *Arrival) ilpcore.Reply
}

// Arrival is a packet for the holder of an account, with its amount in that account's asset. It is valid until Receive returns.
type Arrival struct {
	ilpcore.Incoming
	To    ilpcore.AccountID
	UUID  string        // of To
	Asset ilpcore.Asset // what To counts
	Rest  []byte        // what follows To's address in the destination
	Along Along         // is told in Take's group what To gets; nil: nobody is

	node *Node
	from ilpcore.AccountID
	held hold
}

// Known says whether the condition was credited in the last minutes, and with which digest.
func (a *Arrival) Known() (digest [32]byte, found bool) {
	known, found := a.node.books.received.find(a.Condition)
	return known.digest, found
}

// Take moves the packet's amount from the account it came from to the account it is for, once for each condition, and returns when that is durable.
// Both balances and the condition, which is remembered for twelve minutes of operation and across restarts, are in one group of the
// store. repeated says that the condition was taken before, from and for the same accounts and with the same digest: nothing is moved then.
//
// Errors: ErrMismatch, ErrBusy, the store's, and ErrTooLate: nothing was moved, or it was durable after the deadline, and is moved back; the account
// could not spend it meanwhile.
func (a *Arrival) Take(digest [32]byte, deadline time.Time) (repeated bool, err error) {
	books := a.node.books
	a.held.received = a.Along
	r := receipt{digest: digest, from: a.from, to: a.To}
	repeated, err = books.receive(&a.held, a.Condition, r, a.node.watch(deadline))
	if repeated {
		books.release(&a.held)
	}
	if err == nil {
		a.held = hold{} // there is nothing left to settle
	}
	return repeated, err
}

// watch returns what says whether the deadline has passed: by the wall clock or, which counts when the wall clock is set back meanwhile, by the one that never
// jumps.
func (n *Node) watch(deadline time.Time) (late func() bool) {
	elapsed := n.books.received.elapsed
	began, left := elapsed(), deadline.Sub(n.now())
	return func() bool { return n.now().After(deadline) || elapsed()-began > left }
}

// receive answers a packet for the holder of an account; ok is false when it is for somebody else.
func (d *dispatch) receive(ctx context.Context, to *account, in ilpcore.Incoming) (reply ilpcore.Reply, ok bool) {
	n := d.node
	if n.accounts == nil {
		return ilpcore.Reply{}, false
	}
	rest, ok := n.below(to, in.Destination)
	if !ok || !n.accounts.Recognises(to.UUID, rest) {
		return ilpcore.Reply{}, false
	}
	asset := n.assetOf(to)
	out, err := d.exchange(in.Amount, n.assetOf(d.account), asset)
	if err != nil {
		return d.refuse(in.Amount, err), true
	}
	if err := d.expect(to, out); err != nil {
		return n.refuse(err), true
	}
	in.Amount = out
	a := &Arrival{Incoming: in, To: to.ID, UUID: to.UUID, Asset: asset, Rest: rest, node: n, from: d.account.ID, held: d.held}
	d.held = hold{}
	defer func() { d.held = a.held }() // d does not escape, so that other packets need no memory
	if n.passed == nil {
		return n.accounts.Receive(ctx, a), true
	}
	began := n.now()
	reply = n.accounts.Receive(ctx, a)
	n.show(to, true, out, reply, n.now().Sub(began))
	return reply, true
}

// below returns what follows the address of an account in destination.
func (n *Node) below(to *account, destination []byte) (rest []byte, ok bool) {
	if to.Address != "" {
		return to.Address.Suffix(destination)
	}
	if rest, ok = n.Suffix(destination); !ok || !to.Relation.below() {
		return nil, false
	}
	segment, rest, ok := bytes.Cut(rest, []byte{'.'})
	return rest, ok && string(segment) == to.Segment
}
