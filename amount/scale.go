package amount

// This file converts Amounts exactly: between the scales of two accounts, and by a ratio. What division leaves over is returned, never lost.

import "math/bits"

// maxPower is 10^19, the largest power of ten that fits 64 bits.
const maxPower = 10_000_000_000_000_000_000

// Rescale converts a from base units of 10^-from to base units of 10^-to. Towards a finer scale it multiplies; ok is false, and the
// rest 0, when the result would exceed Max. Towards a coarser scale it rounds down, and remainder is what was cut off, in units of
// the old scale: the caller keeps it and carries it into the next conversion. In every case that is ok,
// a = converted back to the old scale + remainder.
func (a Amount) Rescale(from, to uint8) (converted, remainder Amount, ok bool) {
	if from <= to {
		factor, fits := power(to - from)
		if !fits {
			return 0, 0, a == 0
		}
		converted, ok = a.Mul(factor)
		return converted, 0, ok
	}
	divisor, fits := power(from - to)
	if !fits {
		return 0, a, true // the divisor is larger than any Amount
	}
	return a / Amount(divisor), a % Amount(divisor), true
}

// MulDiv returns a*numerator/denominator rounded down, and the remainder of that division, with a product of 128 bits in between.
// ok is false, and the rest 0, when the denominator is 0 or the quotient would exceed Max.
func (a Amount) MulDiv(numerator, denominator uint64) (quotient Amount, remainder uint64, ok bool) {
	hi, lo := bits.Mul64(uint64(a), numerator)
	if hi >= denominator { // also when the denominator is 0
		return 0, 0, false
	}
	q, r := bits.Div64(hi, lo, denominator)
	return Amount(q), r, true
}

// power returns 10^n; ok is false when it does not fit 64 bits.
func power(n uint8) (p uint64, ok bool) {
	if n > 19 {
		return 0, false
	}
	p = 1
	for range n {
		p *= 10
	}
	return p, true
}
