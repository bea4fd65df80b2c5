package payer

// This file is the exchange rate as exact fractions: what a sender demands, and the bounds between which what it has seen lies.

import (
	"fmt"
	"math/bits"

	"github.com/paydoor/paydoor/amount"
)

// Rate is how many base units arrive for those that are sent: Num/Den, exact. The zero value means that no rate is asked for.
type Rate struct {
	Num uint64 // base units of the receiver
	Den uint64 // for so many base units of the sender
}

// String returns the fraction, such as "997/1000".
func (r Rate) String() string { return fmt.Sprintf("%d/%d", r.Num, r.Den) }

// Of returns n at the rate, rounded down, or amount.Max if that does not fit. The zero value gives 0.
func (r Rate) Of(n amount.Amount) amount.Amount {
	if r.Den == 0 {
		return 0
	}
	q, _, ok := n.MulDiv(r.Num, r.Den)
	if !ok {
		return amount.Max
	}
	return q
}

// For returns the least amount that becomes n or more at the rate. The error is amount.ErrRange.
func (r Rate) For(n amount.Amount) (amount.Amount, error) {
	if r.Num == 0 {
		return 0, amount.ErrRange
	}
	return divideUp(n, r.Den, amount.Amount(r.Num))
}

// Below says whether r is a lower rate than other.
func (r Rate) Below(other Rate) bool {
	hi1, lo1 := bits.Mul64(r.Num, other.Den)
	hi2, lo2 := bits.Mul64(other.Num, r.Den)
	return hi1 < hi2 || hi1 == hi2 && lo1 < lo2
}

// million is the unit of a slippage: parts per million.
const million = 1_000_000

// less returns the rate lowered by ppm parts per million. Fractions that are too long for it lose their last bits, downwards.
func (r Rate) less(ppm uint32) Rate {
	const room = 1 << 43 // times a million is below 2^63
	for r.Num >= room || r.Den >= room {
		r.Num, r.Den = r.Num>>1, r.Den>>1+r.Den&1
	}
	return Rate{Num: r.Num * uint64(million-min(ppm, million)), Den: r.Den * million}
}

// bounds is what packets have shown of a rate: every node on the way rounds down, so that arrived units of sent ones mean a rate of
// arrived/sent or more, and of less than (arrived+1)/sent.
type bounds struct {
	low, high Rate // low is included, high is not; zero before the first packet
}

// observe narrows the bounds by one packet. One that contradicts them means that the rate has changed, and replaces them.
func (b *bounds) observe(sent, arrived amount.Amount) {
	if sent == 0 || arrived == 0 || arrived == amount.Max {
		return
	}
	seen := bounds{low: Rate{uint64(arrived), uint64(sent)}, high: Rate{uint64(arrived) + 1, uint64(sent)}}
	if !b.known() || !b.low.Below(seen.high) || !seen.low.Below(b.high) {
		*b = seen
		return
	}
	if b.low.Below(seen.low) {
		b.low = seen.low
	}
	if seen.high.Below(b.high) {
		b.high = seen.high
	}
}

func (b *bounds) known() bool { return b.low.Den != 0 }

// most returns the largest amount that n can become.
func (b *bounds) most(n amount.Amount) amount.Amount {
	q, rest, ok := n.MulDiv(b.high.Num, b.high.Den)
	if !ok {
		return amount.Max
	}
	if rest == 0 && q > 0 {
		q-- // the upper bound itself is out of reach
	}
	return q
}
