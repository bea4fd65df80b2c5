package connector

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// noted is a record that is kept along with a balance.
type noted struct {
	key   string
	units int64
	calls int
}

func (n *noted) along(g *store.Group, units int64) {
	n.units, n.calls = n.units+units, n.calls+1
	g.Put([]byte(n.key), []byte{byte(n.units)})
}

// noting is a cashier that has what alice gets noted.
type noting struct {
	*cashier
	got noted
}

func (c *noting) Receive(ctx context.Context, a *Arrival) ilpcore.Reply {
	a.Along = c.got.along
	return c.cashier.Receive(ctx, a)
}

// TestRecordsAreKeptAlong has records of what an account sends and of what one receives: they are those of the balances, also when money is
// moved back, and none is kept of what is rejected or comes again.
func TestRecordsAreKeptAlong(t *testing.T) {
	s := openTestStore(t, filepath.Join(t.TempDir(), "store"))
	b := openTestBooks(t, s)
	c := &noting{cashier: &cashier{deadline: noon.Add(time.Second)}, got: noted{key: "got"}}
	late, sent := false, noted{key: "sent"}
	n, err := NewNode(Config{
		Address: "test.gw", Asset: usd9, Books: b, Holders: c, Now: func() time.Time {
			if late && sent.calls == 2 { // once what came is recorded
				return noon.Add(2 * time.Second)
			}
			return noon
		},
		Accounts: []Account{
			{ID: "alice", Relation: NonRouting, Asset: ilpcore.Asset{Code: "USD", Scale: 10}}, {ID: "bob", Relation: NonRouting, Asset: usd9},
			{ID: "carol", Relation: NonRouting, Asset: usd9, Link: linkFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
				if along, _ := takeAlong(ctx); along != nil {
					t.Error("what is kept of bob's balance is known behind the link")
				}
				return fulfilled(in)
			})},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	ctx := WithAlong(t.Context(), sent.along)
	for _, step := range []struct {
		what      string
		late      bool
		in        ilpcore.Incoming
		fulfilled bool
		sent, got int64
	}{
		{"a payment", false, payment("bob", 1), true, 10, 100},
		{"the same again", false, payment("bob", 1), true, 10, 100},
		{"one that comes too late", true, payment("bob", 2), false, 10, 100},
		{"one to somebody else", false, paying("bob", 7, "test.gw.carol"), true, 17, 100},
		{"one to nobody", false, paying("bob", 5, "test.gw.nobody"), false, 17, 100},
	} {
		late = step.late
		if got := n.HandlePrepare(ctx, step.in); got.Fulfilled != step.fulfilled {
			t.Errorf("%s: %s", step.what, outcome(got))
		}
		if sent.units != step.sent || c.got.units != step.got {
			t.Errorf("%s: %d are noted as sent, %d as received", step.what, sent.units, c.got.units)
		}
		balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": -step.sent, "alice": step.got})
		for key, want := range map[string]int64{"sent": step.sent, "got": step.got} {
			if kept, err := s.Get([]byte(key)); err != nil || int64(kept[0]) != want {
				t.Errorf("%s: %s is %v, %v", step.what, key, kept, err)
			}
		}
	}
	if sent.calls != 4 || c.got.calls != 3 {
		t.Errorf("%d and %d changes were noted, want 4 and 3", sent.calls, c.got.calls)
	}
}
