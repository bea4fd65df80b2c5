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
	byQuote  *generations[*session]
	receipts *generations[*totals]
}

// NewSessions returns an empty memory for at most 100,000 quotes, each kept for ten minutes after its last packet.
func NewSessions() *Sessions {
	return &Sessions{byQuote: newGenerations[*session](100_000, 10*time.Minute), receipts: newGenerations[*totals](100_000, 10*time.Minute)}
}

// Len returns how many quotes are remembered.
func (s *Sessions) Len() int { return s.byQuote.len() }

// goAheadPause is how long a packet without money waits for a go-ahead after the last one. Senders that nobody reads answer each copy
// with such a packet at once, so that without the pause both sides would send for ever.
const goAheadPause = time.Second

// session is what one capped quote has received, and what is being credited for it. The cap holds for both together; senders are
// told of the first alone, because what is under way may still fail.
type session struct {
	mu       sync.Mutex
	received amount.Amount         // credited
	underway amount.Amount         // being credited
	pending  map[[32]byte]struct{} // the conditions of what is under way
	toldAt   time.Time             // when the last go-ahead was sent; zero: never
	window   uint64                // what the sender granted in the packet that got the first one; 0: nothing
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

// fits says whether the payment may come on top of before. Senders cannot always hit due exactly. One whose smallest unit is worth more than
// ours rounds up and puts its own amount into the shares, so an overshoot below one of its units passes. One that measured the rate with small
// packets knows three digits of it, and sends again at once, for ever, what is refused; so a hundredth more than is missing passes, as
// JavaScript receivers have it.
func fits(before amount.Amount, p *payment, shares uint64) bool {
	if _, ok := before.Add(p.Amount); !ok {
		return false
	}
	missing, _ := p.quote.due.Sub(before)
	over, reached := p.Amount.Sub(missing)
	return !reached || over <= hundredth(missing) || belowOneUnit(over, shares, p.Amount)
}

// hundredth returns 1 % of n, rounded up.
func hundredth(n amount.Amount) amount.Amount { return n/100 + min(n%100, 1) }

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

// mayGo says whether the reply to a packet carries the go-ahead. Money that comes once due is paid is from a sender that got none of
// the replies since, whose totals would have stopped it, so its packets carry it however many were lost before. One that sends no
// money may know the totals, and is reminded at a pause. A sender whose window has grown has read it.
func (s *session) mayGo(p *payment, window uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.received < p.quote.due:
		return false
	case s.toldAt.IsZero():
		s.window = window
	case s.window > 0 && window > s.window:
		return false
	case p.Amount == 0 && p.now.Sub(s.toldAt) < goAheadPause:
		return false
	}
	s.toldAt = p.now
	return true
}
