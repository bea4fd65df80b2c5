package balances

// This file is charges on their way into the history: those of a minute are summed up beside the balance, so that a charge writes one
// record, the balance, and the history gets one event a minute.

import (
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// pending is charges of one account in one minute. They become an event of its history with the first charge of another minute, or with
// the next change of another kind, so that events are in their order.
type pending struct {
	sum   amount.Amount // never more than the balance was before them
	count uint32        // 0: there are none
	since uint32        // the wall time of the first, in seconds since 1970
}

// takes says whether one more charge can be added.
func (p pending) takes(charge amount.Amount, now uint32) bool {
	_, fits := p.sum.Add(charge)
	return p.count == 0 || (now/60 == p.since/60 && fits && p.count+1 != 0)
}

// with returns p with one more charge, which it takes.
func (p pending) with(charge amount.Amount, now uint32) pending {
	if p.count == 0 {
		p.since = now
	}
	return pending{sum: p.sum + charge, count: p.count + 1, since: p.since}
}

func (p pending) event() Event {
	return Event{Kind: Settled, At: time.Unix(int64(p.since), 0), Count: uint64(p.count), Charges: Sum{Lo: uint64(p.sum)}}
}

// charge takes an amount off the balance. It is called in a join, with the shard of e locked.
func (l *Ledger) charge(g *store.Group, a Account, e *entry, charge amount.Amount, now uint32) {
	if !e.pending.takes(charge, now) {
		l.record(g, a, e)
	}
	e.pending = e.pending.with(charge, now)
	l.put(g, a, e, e.balance-charge)
	l.totals.Charges = l.totals.Charges.Plus(charge)
	l.totals.ChargeCount++
	l.unput = true
}

// record makes an event of the pending charges, if there are any. The caller puts the balance, which is without them then.
func (l *Ledger) record(g *store.Group, a Account, e *entry) {
	if e.pending.count > 0 {
		l.append(g, a, e.pending.event())
		e.pending = pending{}
	}
}
