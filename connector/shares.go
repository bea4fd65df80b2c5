package connector

// This file shares out the room for conditions, so that who sends a flood of payments takes it from himself.
//
// Nobody may have more than is still free: one who floods gets half, the next one half of the rest, and something is left for whoever comes then. Of what
// is left to a sender, which may be a neighbour with many behind it, each account that he pays has a share by the same rule.

import "github.com/paydoor/paydoor/ilpcore"

// shares counts conditions. It has no lock of its own.
type shares struct {
	room    int // for conditions in all
	used    int
	senders map[ilpcore.AccountID]int
	pairs   map[pair]int
}

// pair is the accounts that a packet goes between.
type pair struct{ from, to ilpcore.AccountID }

func newShares(room int) shares {
	return shares{room: room, senders: map[ilpcore.AccountID]int{}, pairs: map[pair]int{}}
}

// allows says whether one more condition may come.
func (s *shares) allows(p pair) bool {
	left := s.room - s.used - s.senders[p.from]
	return left > 0 && s.pairs[p] < left
}

func (s *shares) add(p pair) {
	s.used++
	s.senders[p.from]++
	s.pairs[p]++
}

func (s *shares) drop(p pair) {
	s.used--
	if s.senders[p.from]--; s.senders[p.from] == 0 {
		delete(s.senders, p.from)
	}
	if s.pairs[p]--; s.pairs[p] == 0 {
		delete(s.pairs, p)
	}
}
