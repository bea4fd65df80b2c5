package connector

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

func TestPutAndRemove(t *testing.T) {
	n := newTestNode(t, nil)
	send := func(from ilpcore.AccountID, to string) string {
		return outcome(n.HandlePrepare(context.Background(), packet(from, to)))
	}
	if err := n.Put(Account{ID: "new", Relation: NonRouting, Segment: "neu", Link: &testLink{name: "new"}}); err != nil {
		t.Fatal(err)
	}
	if got := send("up", "test.gw.neu.x"); got != "by new" {
		t.Errorf("to the new account: %s", got)
	}
	if got := send("new", "test.bob"); got != "by bob" {
		t.Errorf("from the new account: %s", got)
	}
	if err := n.Put(Account{ID: "new", Address: "example.elsewhere", Link: &testLink{name: "moved"}}); err != nil {
		t.Fatal(err)
	}
	if got := send("up", "example.elsewhere.x") + ", " + send("up", "test.gw.neu.x"); got != "by moved, by receiver" {
		t.Errorf("with an address of its own: %s", got)
	}
	if address, ok := n.AddressOf("new"); address != "example.elsewhere" || !ok {
		t.Errorf("its address: %s, %v", address, ok)
	}
	if address, ok := n.AddressOf("kid"); address != "test.gw.kid" || !ok {
		t.Errorf("the child's address: %s, %v", address, ok)
	}
	for _, id := range []ilpcore.AccountID{"bob", "nobody"} {
		if address, ok := n.AddressOf(id); ok {
			t.Errorf("%s has the address %s", id, address)
		}
	}
	if a, ok := n.Account("new"); !ok || a.MaxInFlight != DefaultInFlight || a.RoundTrip != DefaultRoundTrip {
		t.Errorf("%+v, %v", a, ok)
	}
	if err := n.Remove("bob"); err != nil {
		t.Fatal(err)
	}
	if got := send("up", "test.bob") + ", " + send("bob", "test.gw.x"); got != "F02, F00" {
		t.Errorf("after it was removed: %s", got)
	}
	if err := n.Remove("bob"); !errors.Is(err, ErrAccount) {
		t.Errorf("removed twice: %v", err)
	}
	if got := n.StaticRoutes(); !cmp.Equal(got, []Route{{"test.bob.deep", "kid"}, {"test.euro", "euro"}}) {
		t.Errorf("routes left: %v", got)
	}
}

func TestPutChecks(t *testing.T) {
	n := newTestNode(t, nil)
	before := n.Status()
	for name, test := range map[string]struct {
		account Account
		want    error
	}{
		"a second parent":          {Account{ID: "up2", Relation: Parent}, ErrParents},
		"a segment in use":         {Account{ID: "other", Relation: Child, Segment: "kid"}, ErrAccount},
		"a segment of a peer":      {Account{ID: "other", Segment: "x"}, ErrAccount},
		"a segment with a dot":     {Account{ID: "other", Relation: Child, Segment: "a.b"}, ErrAccount},
		"an id that is no segment": {Account{ID: "a.b", Relation: NonRouting}, ErrAccount},
		"an address below peer.":   {Account{ID: "other", Address: "peer.x"}, ErrAccount},
		"not an address":           {Account{ID: "other", Address: "test"}, ErrAccount},
		"a negative round trip":    {Account{ID: "other", RoundTrip: -1}, ErrAccount},
	} {
		if err := n.Put(test.account); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := n.Put(Account{ID: "dotted.id", Relation: NonRouting, Segment: "dotted"}); err != nil {
		t.Error(err)
	}
	if err := n.Remove("dotted.id"); err != nil {
		t.Error(err)
	}
	if after := n.Status(); !cmp.Equal(before, after) {
		t.Errorf("changed by what was refused: %s", cmp.Diff(before, after))
	}
}

// TestLimitsOutliveAChange: what an account has used up stays used up, unless the limit is another one.
func TestLimitsOutliveAChange(t *testing.T) {
	limited := Account{ID: "a", MaxPacketsPerMinute: 3, MaxAmountPerMinute: 25}
	n := newTestNode(t, func(c *Config) { c.Accounts = append(c.Accounts, limited) })
	send := func() string { return outcome(n.HandlePrepare(context.Background(), packet("a", "test.gw.x"))) }
	if got := send() + send(); got != "by receiverby receiver" {
		t.Fatal(got)
	}
	limited.MinBalance = ptr(-100)
	if err := n.Put(limited); err != nil {
		t.Fatal(err)
	}
	if got := send() + ", " + send(); got != "T04, T05" {
		t.Errorf("with the same limits: %s", got)
	}
	limited.MaxPacketsPerMinute, limited.MaxAmountPerMinute = 100, 30
	if err := n.Put(limited); err != nil {
		t.Fatal(err)
	}
	if got := send(); got != "by receiver" {
		t.Errorf("with new limits: %s", got)
	}
}

func TestAmountLimit(t *testing.T) {
	now := noon
	refuse := true
	n := newTestNode(t, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.Receiver = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			if refuse {
				return ilpcore.Reject(ilpcore.F99, "", "", nil)
			}
			return ilpcore.Fulfill(testFulfillment, nil)
		})
		c.Accounts = append(c.Accounts, Account{ID: "a", MaxAmountPerMinute: 60})
	})
	send := func(units amount.Amount) string {
		in := packet("a", "test.gw.x")
		in.Amount, in.ExpiresAt = units, now.Add(time.Minute)
		return outcome(n.HandlePrepare(context.Background(), in))
	}
	for range 10 { // what is rejected does not count
		if got := send(60); got != "F99" {
			t.Fatal(got)
		}
	}
	refuse = false
	for _, step := range []struct {
		units amount.Amount
		pass  time.Duration
		want  string
	}{
		{61, 0, "T04"}, {60, 0, "by "}, {1, 999 * time.Millisecond, "T04"}, {1, time.Millisecond, "by "}, {1, 0, "T04"},
		{2, 1500 * time.Millisecond, "T04"}, {2, 500 * time.Millisecond, "by "}, {0, 0, "by "}, {60, time.Hour, "by "}, {1, -time.Hour, "T04"},
	} {
		now = now.Add(step.pass)
		if got := send(step.units); got != step.want {
			t.Errorf("%d after %v: %s, want %s", step.units, step.pass, got, step.want)
		}
	}
}

func TestRoutesInForce(t *testing.T) {
	n := newTestNode(t, func(c *Config) {
		c.Accounts = append(c.Accounts, Account{ID: "away", Address: "test.euro"})
		c.Routes = []Route{{"", "up"}, {"test.bob", "bob"}, {"test.euro", "bob"}}
	})
	want := []RouteEntry{
		{"", "up", "default"}, {"test.bob", "bob", "static"}, {"test.euro", "away", "account"},
		{"test.gw.kid", "kid", "account"}, {"test.gw.mute", "mute", "account"}, {"test.gw.wallet", "wallet", "account"},
	}
	if got := n.Routes(); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if err := n.SetRoutes([]Route{{"test.new", "nobody"}}); !errors.Is(err, ErrRoute) || len(n.StaticRoutes()) != 3 {
		t.Errorf("%v, %v", err, n.StaticRoutes())
	}
	if err := n.SetRoutes([]Route{{"test.new", "bob"}}); err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{"test.new.x": "by bob", "test.bob": "F02", "test1.x": "F02"} {
		if got := outcome(n.HandlePrepare(t.Context(), packet("kid", to))); got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}

// TestChangesWhilePacketsFlow: every packet meets one whole state or another.
func TestChangesWhilePacketsFlow(t *testing.T) {
	n := newTestNode(t, func(c *Config) {
		c.Accounts[0].Link, c.Accounts[4].Link = answers(ilpcore.Fulfill(testFulfillment, nil)), answers(ilpcore.Fulfill(testFulfillment, nil))
		c.Accounts[0].MaxPacketsPerMinute = 1 << 30
	})
	stop := make(chan struct{})
	var together sync.WaitGroup
	for side := range 2 {
		together.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := outcome(n.HandlePrepare(context.Background(), paying("up", 1, "test.moving.x"))); got != "F02" && got != "F05" && got != "F00" && got != "T00" { // T00: overtaken
					t.Errorf("side %d: %s", side, got)
					return
				}
			}
		})
	}
	for i := range 300 {
		account := Account{ID: "moving", Link: answers(ilpcore.Fulfill(testFulfillment, nil))}
		if err := errors.Join(n.Put(account), n.SetRoutes([]Route{{"test.moving", "moving"}}), n.Put(account), n.Remove("moving")); err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	close(stop)
	together.Wait()
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"up": {}, "moving": {}})
}

func TestStatusShowsBalances(t *testing.T) {
	n := newTestNode(t, nil)
	n.HandlePrepare(t.Context(), packet("up", "test.bob"))
	got := map[ilpcore.AccountID]Balance{}
	for _, a := range n.Status().Accounts {
		if a.Balance != (Balance{}) {
			got[a.ID] = a.Balance
		}
	}
	if want := (map[ilpcore.AccountID]Balance{"up": {-10, 0}, "bob": {10, 0}}); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}
