package nodeapi

// This file settles by time: what the node owes an account for long, and is too little for its threshold, is paid too.

import "github.com/paydoor/paydoor/ilpcore"

// Owed tells that an account is owed more than its SettleTo and less than its threshold, so that it is settled Config.SettleEvery after the
// first such call. It does not block.
func (a *API) Owed(id ilpcore.AccountID) { a.settler.later(id) }

// later has the account settled when its time is up. What is already waited for is not put off.
func (s *settler) later(id ilpcore.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arm(id)
}

// arm is later with the lock held.
func (s *settler) arm(id ilpcore.AccountID) {
	if s.ctx == nil || s.every <= 0 || s.timers[id] != nil {
		return
	}
	s.running.Add(1)
	s.timers[id] = s.after(s.every, func() {
		defer s.running.Done()
		s.timeIsUp(id)
	})
}

// disarm forgets that the account waits. The lock is held.
func (s *settler) disarm(id ilpcore.AccountID) {
	if stop := s.timers[id]; stop != nil && stop() {
		s.running.Done()
	}
	delete(s.timers, id)
}

func (s *settler) timeIsUp(id ilpcore.AccountID) {
	s.mu.Lock()
	if s.timers[id] == nil { // it was disarmed just now
		s.mu.Unlock()
		return
	}
	delete(s.timers, id)
	s.overdue[id] = true
	s.mu.Unlock()
	s.due(id)
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
	s.disarm(id)
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
