package payer

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"pgregory.net/rapid"
)

// drawConditions draws a network with any mixture of what can go wrong.
func drawConditions(t *rapid.T) conditions {
	c := conditions{
		delay: time.Duration(rapid.IntRange(0, 300).Draw(t, "delay")) * time.Millisecond,
		seed:  rapid.Uint64().Draw(t, "seed"),
		busy:  rapid.SampledFrom([]int{0, 0, 1, 2, 5, 10}).Draw(t, "busy"),
		drop:  rapid.SampledFrom([]int{0, 0, 10}).Draw(t, "drop"),
	}
	c.certain = rapid.Bool().Draw(t, "certain")
	c.rate = rapid.SampledFrom([]Rate{{1, 1}, {99, 100}, {1, 1000}, {1000, 1}, {997, 1000}, {3, 7}, {7, 3}, {123456, 1000}}).Draw(t, "rate")
	if rapid.Bool().Draw(t, "limited") {
		c.max = amount.Amount(rapid.SampledFrom([]uint64{300, 5000, 1_000_003}).Draw(t, "max"))
		c.silent = rapid.Bool().Draw(t, "silent")
	}
	return c
}

// TestStreamConserves adds up the money on random networks: what the result says against what the receiver credited and what
// the link saw fulfilled.
func TestStreamConserves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawConditions(rt)
		n := amount.Amount(rapid.Uint64Range(1, 100_000).Draw(rt, "amount"))
		payment := Payment{Send: n}
		if rapid.Bool().Draw(rt, "delivery") {
			payment = Payment{Deliver: n}
		}
		capped := rapid.Bool().Draw(rt, "capped")
		slack := amount.Amount(rapid.Uint64Range(0, 20_000).Draw(rt, "slack"))
		var wrong error
		synctest.Test(t, func(t *testing.T) {
			m := newMarket(t)
			link := &network{to: m, conditions: c}
			due, _ := n.Add(slack)
			quote := m.payment(t, due, capped)
			payment.Address, payment.Secret = quote.Address, quote.Secret
			if payment.Deliver != 0 {
				payment.MaxSend, _ = c.rate.For(n)
				payment.MaxSend += slack
			}
			got, err := streamOver(link).Pay(t.Context(), payment)
			wrong = accountFor(link, m.till.sum(), payment, capped, got, err)
		})
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

// accountFor compares a result with what link and till saw.
func accountFor(link *network, credited amount.Amount, p Payment, capped bool, got Result, err error) error {
	spent := link.paid + link.lost
	switch {
	case got.Sent != link.paid:
		return fmt.Errorf("%+v, but %s were paid", got, link.paid)
	case link.lost > got.Unknown:
		return fmt.Errorf("%+v, but %s were paid without an answer", got, link.lost)
	case spent > p.limit() || got.Sent+got.Unknown > p.limit():
		return fmt.Errorf("%+v, %s were spent, and the limit is %s", got, spent, p.limit())
	case got.Delivered > credited || link.lost == 0 && got.Delivered != credited:
		return fmt.Errorf("%+v, but %s were credited", got, credited)
	case link.underway != 0:
		return fmt.Errorf("%s are still under way", link.underway)
	case err != nil:
		return excused(link, p, capped, got, err)
	}
	if p.Send != 0 {
		if rest := p.Send - got.Sent - got.Unknown; rest > 0 && link.rate.Of(rest) > 1 {
			return fmt.Errorf("%+v leaves %s", got, rest)
		}
		return nil
	}
	unit := max(1, link.rate.Of(1))
	if got.Delivered < p.Deliver || link.lost == 0 && got.Delivered > p.Deliver+unit {
		return fmt.Errorf("%+v is not the delivery of %s", got, p.Deliver)
	}
	return nil
}

// excused says whether a payment may fail with err under the conditions of the link.
func excused(link *network, p Payment, capped bool, got Result, err error) error {
	lossy := link.drop > 0 && !link.certain
	ideal, _ := link.rate.For(p.Deliver)
	tight := p.MaxSend < ideal+ideal/50+link.max/10+2
	switch {
	case errors.Is(err, ErrNoRate) && (link.rate.Of(p.limit()) == 0 || link.max != 0 && link.rate.Of(link.max) == 0),
		errors.Is(err, ErrReceiveMax) && capped && p.Send != 0,
		errors.Is(err, ErrTooExpensive) && tight,
		errors.Is(err, ErrMaxSend) && (tight || lossy),
		errors.Is(err, ErrUnknown) && lossy && got.Unknown > 0,
		errors.Is(err, ErrStalled) && (link.drop > 0 || link.busy == 1):
		return nil
	}
	return fmt.Errorf("%+v failed: %w", got, err)
}
