package balances

// This file tests what is said to be on disk.

import (
	"math/rand/v2"
	"testing"

	"github.com/paydoor/paydoor/amount"
)

// Durable is the balance on disk while one group is being committed and the next one gathers, whatever the order of changes and syncs;
// with more groups waiting it may lag behind, and never runs ahead.
func TestDurableFollowsTheGroups(t *testing.T) {
	for _, waiting := range []uint64{1, 4} {
		random := rand.New(rand.NewPCG(1, waiting))
		for range 2000 {
			e := entry{}
			at := map[uint64]amount.Amount{0: 0} // the balance after each group
			durable, gathering := uint64(0), uint64(1)
			before := amount.Amount(0)
			for range 40 {
				switch n := random.IntN(3); {
				case n == 0:
					e.enter(gathering, durable)
					e.balance++
				case n == 1 && gathering-durable <= waiting:
					at[gathering] = e.balance
					gathering++
				case n == 2 && durable+1 < gathering:
					durable++
				}
				seen := e // not every change is looked at
				seen.catchUp(durable)
				if seen.durable > at[durable] || seen.durable < before || (waiting == 1 && seen.durable != at[durable]) {
					t.Fatalf("durable is %d after %d, and on disk is %d", seen.durable, before, at[durable])
				}
				before = seen.durable
			}
		}
	}
}
