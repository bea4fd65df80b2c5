package connector

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
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

// TestNoMoneyInAnotherAsset changes what accounts count while a packet of or to them has found its way, but holds nothing yet.
func TestNoMoneyInAnotherAsset(t *testing.T) {
	inBothWays(t, func(t *testing.T, send way) {
		for _, changed := range []ilpcore.AccountID{"carol", "bob"} {
			b := openTestBooks(t, openTestStore(t, filepath.Join(t.TempDir(), "store")))
			var once func()
			n := receivingNode(t, b, &cashier{}, func() time.Time { // asked after the accounts were found, and before anything is held
				if once != nil {
					once()
				}
				return noon
			})
			once = func() {
				once = nil
				resume, err := b.Pause(changed)
				if err != nil {
					t.Fatal(err)
				}
				defer resume()
				a, _ := n.Account(changed)
				a.Asset.Scale = 4
				if err := n.Put(a); err != nil {
					t.Fatal(err)
				}
			}
			in := packet("carol", "test.gw.bob.x")
			if changed == "bob" {
				n.accounts = &cashier{asked: once}
				once = nil
			}
			if got := send(n, context.Background(), in); got.Fulfilled || got.Code != ilpcore.T00 {
				t.Errorf("%s: %s", changed, outcome(got))
			}
			balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": 0, "carol": 0})
			if got := send(n, context.Background(), in); !got.Fulfilled && got.Code != ilpcore.R01 { // 10 of scale 4 are less than one of scale 2
				t.Errorf("%s: %s", changed, outcome(got))
			}
		}
	})
}

func TestPause(t *testing.T) {
	b := openTestBooks(t, openTestStore(t, filepath.Join(t.TempDir(), "store")))
	n := receivingNode(t, b, &cashier{}, func() time.Time { return noon })
	pause := func(id ilpcore.AccountID) func() {
		t.Helper()
		resume, err := b.Pause(id)
		if err != nil {
			t.Fatal(err)
		}
		return resume
	}
	sent := packet("carol", "test.gw.bob.x")
	for _, id := range []ilpcore.AccountID{"carol", "bob"} {
		first, second := pause(id), pause(id)
		for range 2 {
			if got := n.HandlePrepare(t.Context(), sent); got.Code != ilpcore.T00 {
				t.Errorf("%s is paused: %s", id, outcome(got))
			}
			first()
			first = func() {}
		}
		second()
	}
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": 0, "carol": 0})
	h, err := b.take("carol", 1, nil)
	if err == nil {
		err = b.expect(&h, "bob", 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	busy := func(when string) {
		t.Helper()
		for _, id := range []ilpcore.AccountID{"carol", "bob"} {
			if _, err := b.Pause(id); !errors.Is(err, ErrBalance) {
				t.Errorf("%s %s: %v", id, when, err)
			}
		}
	}
	busy("has a packet under way")
	b.release(&h)
	if got := n.HandlePrepare(t.Context(), sent); !got.Fulfilled {
		t.Errorf("not paused any more: %s", outcome(got))
	}
	busy("has a balance")
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": 10, "carol": -10})
}

// TestALocalPartyIsOfOneAccount: whoever sends in the name of an account does not go on in that of another one with its name, nor in another asset.
func TestALocalPartyIsOfOneAccount(t *testing.T) {
	for want, changes := range map[string][]func(a *Account){
		"F00":    {func(a *Account) { a.UUID = "another" }, func(a *Account) { a.Asset = eur2 }},
		"by kid": {func(a *Account) { a.MaxInFlight = 8 }},
	} {
		for _, change := range changes {
			n := newTestNode(t, nil)
			local, err := n.Local("wallet")
			if err != nil {
				t.Fatal(err)
			}
			a, _ := n.Account("wallet")
			change(&a)
			if err := n.Put(a); err != nil {
				t.Fatal(err)
			}
			if got := outcome(local.HandlePrepare(t.Context(), packet("", "test.gw.kid.x"))); !strings.HasPrefix(got, want) {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
}
