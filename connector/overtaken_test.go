package connector

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// TestNoMoneyForASuccessor has accounts deleted and made anew under their names while a packet to them has found its way, but holds nothing yet: the
// new ones get nothing, and the sender keeps all.
func TestNoMoneyForASuccessor(t *testing.T) {
	inBothWays(t, func(t *testing.T, send way) {
		for destination, to := range map[string]ilpcore.AccountID{"test.gw.alice.pay": "alice", "test.gw.bob.x": "bob"} {
			for _, again := range []bool{true, false} {
				b := openTestBooks(t, openTestStore(t, filepath.Join(t.TempDir(), "store")))
				c := &cashier{deadline: noon.Add(time.Second)}
				n := receivingNode(t, b, c, func() time.Time { return noon })
				link := &testLink{name: "bob"}
				put := func(uuid string) {
					t.Helper()
					relation := map[ilpcore.AccountID]Relation{"alice": NonRouting, "bob": Child}[to]
					if err := n.Put(Account{ID: to, UUID: uuid, Relation: relation, Asset: ilpcore.Asset{Code: "USD", Scale: 2}, Link: link}); err != nil {
						t.Fatal(err)
					}
				}
				put("first")
				c.asked = func() {
					c.asked = nil
					if err := n.Remove(to); err != nil {
						t.Fatal(err)
					}
					if err := b.Forget(to); err != nil {
						t.Fatal(err)
					}
					if again {
						put("second")
					}
				}
				in, send := packet("carol", destination), send
				if to == "alice" {
					send = (*Node).HandlePrepare // asked before it is known that somebody has to wait, begin would ask twice
				}
				if got := send(n, context.Background(), in); got.Fulfilled || got.Code != ilpcore.T00 {
					t.Errorf("%s: %s", destination, outcome(got))
				}
				balancesAre(t, b, map[ilpcore.AccountID]int64{to: 0, "carol": 0})
				if !again {
					continue
				}
				if got := send(n, context.Background(), in); !got.Fulfilled { // a new packet sees the new account
					t.Errorf("%s: %s", destination, outcome(got))
				}
				balancesAre(t, b, map[ilpcore.AccountID]int64{to: 10, "carol": -10})
			}
		}
	})
}
