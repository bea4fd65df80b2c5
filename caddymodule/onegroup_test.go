package caddymodule

import "testing"

// TestAPaymentIsOneGroup: what the sender owes is in the group of the token's credit, and the charge of a request is another one.
func TestAPaymentIsOneGroup(t *testing.T) {
	s := newServer(t)
	s.load()
	s.buys(s.local(), "10")
	store, accounts := s.running().books.store, s.running().books.accounts
	before, _ := accounts.Balance(sandboxAccount)
	groups := store.Durable()
	s.buys(s.local(), "20")
	if got := store.Durable() - groups; got != 1 {
		t.Errorf("%d groups, want 1", got)
	}
	if after, _ := accounts.Balance(sandboxAccount); before.Net()-after.Net() != 10 {
		t.Errorf("the sender had %+v, and has %+v", before, after)
	}
}
