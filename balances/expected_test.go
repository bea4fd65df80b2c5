package balances

// This file tests that the store is told of open reservations, and of their end: groups would wait for charges that never come.

import "testing"

func TestReservationsAreExpected(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	for name, end := range map[string]func(r *Reservation){
		"settled":            func(r *Reservation) { _, _ = r.Settle(ctx, 1) },
		"settled at nothing": func(r *Reservation) { _, _ = r.Settle(ctx, 0) },
		"released":           func(r *Reservation) { r.Release() },
		"ended twice":        func(r *Reservation) { _, _ = r.Settle(ctx, 1); r.Release() },
		"asked for too much": func(r *Reservation) { _, _ = r.Settle(ctx, 3); r.Release() },
	} {
		r, free := b.reserve(a, 2), b.reserve(a, 0)
		if got := b.store.Expect(0); got != 1 {
			t.Errorf("%s: %d changes are expected beside one reservation", name, got)
		}
		end(r)
		end(free)
		if _, err := b.Reserve(ctx, a, 1000); err == nil {
			t.Fatal("1000 were reserved")
		}
		if got := b.store.Expect(0); got != 0 {
			t.Errorf("%s: %d changes are expected", name, got)
		}
	}
}
