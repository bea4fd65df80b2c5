package payer

// This file finds the largest packet that the way to the receiver takes, from what F08 says and from what passes.

import (
	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// sizes is what packets have shown of the largest amount that passes. Amounts are base units of the sender.
type sizes struct {
	good amount.Amount // the largest that passed; 0: none
	bad  amount.Amount // the smallest that was too large; 0: none
	hint amount.Amount // what an F08 claimed, between the two; 0: nothing
	part amount.Amount // the size to use while the way lacks liquidity; 0: the whole

	scarce amount.Amount // the smallest for which the liquidity did not suffice lately; 0: none
	calm   int           // packets since then that would have grown but for it

	hints int  // that were taken: whoever lies is asked no more
	exact bool // search to the last unit, because so little arrives that each counts
}

// mostHints is how often an F08's own word is tried out.
const mostHints = 8

// passed notes an amount that reached the receiver.
func (s *sizes) passed(n amount.Amount) {
	s.good = max(s.good, n)
	if s.bad != 0 && s.bad <= s.good {
		s.bad = 0 // the limit was raised
	}
	if s.hint <= s.good {
		s.hint = 0
	}
	if n >= s.scarce {
		s.scarce = 0
	}
}

// tooLarge notes an F08. What its data claims is a hint and no more: a claim that is no lower than what was sent, is nothing, or
// is disproved by what passed is ignored.
func (s *sizes) tooLarge(n amount.Amount, data []byte) {
	if s.bad == 0 || n < s.bad {
		s.bad = n
	}
	if s.good >= s.bad {
		s.good = 0 // the limit was lowered
	}
	if s.hint >= s.bad {
		s.hint = 0
	}
	if s.hints == mostHints {
		return
	}
	if claim, err := ilpcore.DecodeAmountTooLarge(data); err == nil {
		// The amounts count units of another link, so only their quotient means anything here.
		if m, _, ok := n.MulDiv(uint64(claim.Maximum), uint64(claim.Received)); ok && m > s.good && m < s.bad && m != s.hint {
			s.hint = m
			s.hints++
		}
	}
}

// lacking notes that there was no liquidity for n.
func (s *sizes) lacking(n amount.Amount) {
	if n > s.good && (s.scarce == 0 || n < s.scarce) {
		s.scarce, s.calm = n, 0
	}
}

// short halves the packets for lack of liquidity; fulfilled doubles them again.
func (s *sizes) short(n amount.Amount) {
	s.part = max(1, n/2)
	s.scarce, s.calm = n, 0
}

// patience is how many packets pass before one of a size that met a lack of liquidity is tried again.
const patience = 32

func (s *sizes) fulfilled(n amount.Amount) {
	if s.part == 0 || n < s.part {
		return
	}
	doubled, ok := s.part.Mul(2)
	if s.scarce != 0 && (!ok || doubled >= s.scarce) {
		if s.calm++; s.calm < patience {
			return
		}
		s.scarce = 0
	}
	if s.part = doubled; !ok || doubled >= s.next() {
		s.part = 0
	}
}

// settled says whether the limit is known closely enough.
func (s *sizes) settled() bool {
	top := s.top()
	return top != 0 && s.good != 0 && top > s.good && top-s.good <= s.near(s.good)
}

// top returns the smallest amount that is known to be too much; 0: none.
func (s *sizes) top() amount.Amount {
	if s.bad == 0 || s.scarce != 0 && s.scarce < s.bad {
		return s.scarce
	}
	return s.bad
}

// near returns how much n may be off: 1/512, or nothing.
func (s *sizes) near(n amount.Amount) amount.Amount {
	if s.exact {
		return 1
	}
	return max(1, n/512)
}

// next returns the size of the next packet: what passed, or between that and what did not. 0 means that not even 1 passes.
func (s *sizes) next() amount.Amount {
	switch {
	case s.bad == 0:
		return amount.Max
	case s.settled():
		return s.good
	case s.hint != 0:
		return s.hint
	}
	return s.good + (s.bad-s.good)/2
}

// now returns the size to send with.
func (s *sizes) now() amount.Amount {
	if s.part != 0 {
		return min(s.part, s.next())
	}
	return s.next()
}

// trials returns up to width amounts, none above limit, that narrow down the largest packet when sent as probes.
func (s *sizes) trials(limit amount.Amount, width int) (trials []amount.Amount) {
	if s.hint != 0 && s.hint <= limit {
		trials = append(trials, s.hint)
		// If the claim is true, the first passes and the second does not.
		if above := s.hint + s.near(s.hint); above <= limit && above < s.bad && width > 1 {
			trials = append(trials, above)
		}
		return trials
	}
	parts := amount.Amount(width)
	top := limit
	if known := s.top(); known != 0 && known <= limit {
		top, parts = known, parts+1 // top itself is known to be too much
	}
	if top <= s.good {
		return nil
	}
	step := max(1, (top-s.good)/parts)
	for n := s.good + step; len(trials) < width-1 && n < top; n += step {
		trials = append(trials, n)
	}
	switch {
	case parts == amount.Amount(width):
		trials = append(trials, top)
	case s.good+step*amount.Amount(width) < top:
		trials = append(trials, s.good+step*amount.Amount(width))
	}
	return trials
}
