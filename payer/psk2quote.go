package payer

// This file finds out by PSK2 what a payment costs, with packets that nobody can fulfill: one tells the rate, one of the size of the
// payment whether so much passes at once.

import (
	"context"
	"fmt"
	"io"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
)

const (
	// probeAmount is what the first quote packet offers, in base units of the sender: enough for four digits of the rate.
	probeAmount = 1000
	// probeGrowth is how much larger the next is when nothing arrives of one.
	probeGrowth = 1000
	// mostRaises is how often a quote packet is followed by a larger one. Growth alone takes six to the largest there is.
	mostRaises = 7
	// mostShrinks is how often F08 may make the packets of a payment smaller. Halves alone take 64 for the largest there is.
	mostShrinks = 64
)

// way is what is known of the way to a receiver.
type way struct {
	rate    Rate
	largest amount.Amount // that passes in one packet, as far as is known; amount.Max: no limit was met
}

// cost returns what it costs to deliver due in packets that pass, each rounded up. The error is amount.ErrRange or wraps ErrNoRate.
func (w way) cost(due amount.Amount) (amount.Amount, error) {
	whole, err := w.rate.For(due)
	if err == nil && whole <= w.largest || w.largest == amount.Max {
		return whole, err
	}
	part := w.rate.Of(w.largest)
	if part == 0 {
		return 0, w.nothing()
	}
	each, err := w.rate.For(part)
	if err != nil {
		return 0, err
	}
	all, ok := each.Mul(uint64(due / part))
	rest, err := w.rate.For(due % part)
	sum, fits := all.Add(rest)
	if err != nil || !ok || !fits {
		return 0, amount.ErrRange
	}
	return sum, nil
}

func (w way) nothing() error {
	return fmt.Errorf("%w: packets of at most %s become nothing", ErrNoRate, w.largest)
}

// measure asks for the rate, and for the largest packet if the payment of due does not pass in one.
func (s PSK2) measure(ctx context.Context, keys *ilpcore.EndToEnd, ask Ask, due amount.Amount) (way, error) {
	w := way{largest: amount.Max}
	var passed amount.Amount // the largest packet of which something arrived
	n := amount.Amount(probeAmount)
	for raises, shrinks, waits := 0, 0, 0; ; {
		arrived, told, reply, err := s.probe(ctx, keys, ask, n)
		switch {
		case err != nil:
			return way{}, err
		case arrived > 0:
			w.rate, passed = Rate{Num: uint64(arrived), Den: uint64(n)}, n
			need, err := w.rate.For(due)
			if err != nil || need <= n || w.largest != amount.Max || raises == mostRaises {
				return w, err
			}
			raises, n = mostRaises, need // the last: the rate is known
		case reply.Code == ilpcore.F08 && shrinks < mostShrinks:
			size, err := (&tooLargeError{sent: n, reply: reply}).smaller()
			if passed > 0 && size <= passed {
				w.largest = passed
				return w, nil
			}
			if err != nil {
				return way{}, err
			}
			shrinks, w.largest, n = shrinks+1, size, size
		case passed > 0: // what is wrong with this one, the payment will show
			return w, nil
		case told && (w.largest != amount.Max || raises == mostRaises):
			return way{}, w.nothing()
		case told:
			raises, n = raises+1, max(n, probeGrowth*min(n, amount.Max/probeGrowth))
		case waits < mostWaits && temporary(reply.Code):
			if err := wait(ctx, waits); err != nil {
				return way{}, err
			}
			waits++
		default:
			return way{}, rejection(reply)
		}
	}
}

// probe offers n in a packet that nobody can fulfill. told says that the receiver answered with how much arrived.
func (s PSK2) probe(ctx context.Context, keys *ilpcore.EndToEnd, ask Ask, n amount.Amount) (arrived amount.Amount, told bool, reply ilpcore.Reply, err error) {
	id, data, err := s.seal(keys, 0, nil)
	if err != nil {
		return 0, false, reply, err
	}
	var condition [32]byte
	if _, err := io.ReadFull(s.Random, condition[:]); err != nil {
		return 0, false, reply, fmt.Errorf("making a condition: %w", err)
	}
	reply = s.send(ctx, ask, n, condition, data)
	if reply.Fulfilled {
		return 0, false, reply, ErrUnverified
	}
	arrived, told = arrivedAmount(keys, reply.Data, psk2.TypeError, id)
	return arrived, told, reply, nil
}
