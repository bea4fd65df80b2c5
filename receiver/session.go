package receiver

// This file keeps what a capped quote has received: state in memory that exists only once money passed every check (D4).

import (
	"math/bits"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// Sessions remembers the capped quotes that are being paid. It outlives a Receiver, so that a config reload does not lose it;
// losing it is harmless: what arrives beyond the due amount is then credited, never rejected.
type Sessions struct {
	byQuote *generations[*session]
}

// NewSessions returns an empty memory for at most 100,000 quotes, each kept for ten minutes after its last packet.
func NewSessions() *Sessions {
	return &Sessions{byQuote: newGenerations[*session](100_000, 10*time.Minute)}
}

// Len returns how many quotes are remembered.
func (s *Sessions) Len() int { return s.byQuote.len() }

// maxGoAheads is how many different packets may carry the go-ahead.
const maxGoAheads = 3

// session is what one capped quote has received, and what is being credited for it. The cap holds for both together; senders are
// told of the first alone, because what is under way may still fail.
type session struct {
	mu       sync.Mutex
	received amount.Amount         // credited
	underway amount.Amount         // being credited
	pending  map[[32]byte]struct{} // the conditions of what is under way
	goAhead  [32]byte              // the condition of the packet that completed the due amount
	told     int                   // how many packets have carried it
}

// begin counts the payment as under way if the cap lets it. A retry of a packet that was credited, or is being credited, passes
// uncounted: the ledger adds nothing for it.
func (s *session) begin(p *payment, shares uint64) (counted, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, underway := s.pending[p.Condition]; underway || p.known {
		return false, true
	}
	if !fits(s.received.Saturate(s.underway), p, shares) {
		return false, false
	}
	s.underway += p.Amount
	if s.pending == nil {
		s.pending = map[[32]byte]struct{}{}
	}
	s.pending[p.Condition] = struct{}{}
	return true, true
}

// end sets the totals right once the ledger has answered.
func (s *session) end(p *payment, counted, credited bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if counted {
		delete(s.pending, p.Condition)
		s.underway -= p.Amount
	}
	switch {
	case credited:
		s.received = s.received.Saturate(p.Amount)
	case p.known && s.received == 0:
		// The session was lost and this packet is what is left to know of it.
		s.received = p.Amount
	}
}

// fits says whether the payment may come on top of before. A sender whose smallest unit is worth more than ours cannot hit due
// exactly: it rounds up and puts its own amount into the shares, so an overshoot below one of its units passes.
func fits(before amount.Amount, p *payment, shares uint64) bool {
	total, ok := before.Add(p.Amount)
	return ok && (total <= p.quote.due || belowOneUnit(total-p.quote.due, shares, p.Amount))
}

// belowOneUnit says whether overshoot is worth less than one of the shares that make up n: overshoot*shares < n.
func belowOneUnit(overshoot amount.Amount, shares uint64, n amount.Amount) bool {
	if shares == 0 {
		return false
	}
	hi, lo := bits.Mul64(uint64(overshoot), shares)
	return hi == 0 && lo < uint64(n)
}

// total returns what was credited so far.
func (s *session) total() amount.Amount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received
}

// mayGo says whether the reply to the packet with this condition carries the go-ahead: it goes with the packet that completes
// due, with a retry of that very packet, and, should the sender not have got it, with its next two. More would make senders spin.
func (s *session) mayGo(condition [32]byte, due amount.Amount) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.received < due {
		return false
	}
	if s.told > 0 && s.goAhead == condition {
		return true
	}
	if s.told == maxGoAheads {
		return false
	}
	if s.told == 0 {
		s.goAhead = condition
	}
	s.told++
	return true
}
