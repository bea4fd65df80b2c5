package nodeapi

// This file settles by time: what the node owes an account for long, and is too little for its threshold, is paid too.

import (
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// Owed tells that an account is owed more than its SettleTo and less than its threshold, so that it is settled Config.SettleEvery after the
// first such call. It does not block.
func (a *API) Owed(id ilpcore.AccountID) { a.settler.later(id) }

// later has the account settled when its time is up. What is already waited for is not put off.
func (s *settler) later(id ilpcore.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armTime(id)
}

// armTime is later with the lock held.
func (s *settler) armTime(id ilpcore.AccountID) {
	if s.every > 0 && s.times[id] == nil {
		s.arm(s.times, id, s.every, func() { s.overdue[id] = true })
	}
}

// waits are those of accounts for one reason.
type waits map[ilpcore.AccountID]*wait

// wait is one timer. One that ends too late to be stopped finds another in its place, or none, and does nothing.
type wait struct{ stop func() bool }

// arm has the account looked after once d has passed; note is called before, with the lock held, as it is now.
func (s *settler) arm(all waits, id ilpcore.AccountID, d time.Duration, note func()) {
	if s.ctx == nil {
		return
	}
	w := new(wait)
	all[id] = w
	s.running.Add(1)
	w.stop = s.after(d, func() {
		defer s.running.Done()
		s.mu.Lock()
		current := all[id] == w
		if current {
			delete(all, id)
			note()
		}
		s.mu.Unlock()
		if current {
			s.due(id)
		}
	})
}

// disarm forgets that the account waits. The lock is held.
func (s *settler) disarm(all waits, id ilpcore.AccountID) {
	if w := all[id]; w != nil && w.stop() {
		s.running.Done()
	}
	delete(all, id)
}

// isOverdue says whether the account is to be settled whatever its threshold.
func (s *settler) isOverdue(id ilpcore.AccountID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.overdue[id]
}

// paidOut notes that a settlement was taken from the account's balance: its time begins anew.
func (s *settler) paidOut(id ilpcore.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.overdue, id)
	s.disarm(s.times, id)
}

// rest looks once more at an account whose worker has left: what it is owed now is settled later.
func (s *settler) rest(id ilpcore.AccountID) {
	if s.every <= 0 {
		return
	}
	account, err := s.api.find(id)
	if err != nil || account.SettleThreshold == nil || s.api.EngineOf(account).URL == "" {
		return
	}
	if balance, _ := s.api.books.Balance(id); balance.Clearing > account.settleTo() {
		s.later(id)
	}
}
