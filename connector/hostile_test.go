package connector

// This file floods and misleads the node: one account's packets cost the others nothing, and no number in a packet leads astray.

import (
	"context"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// TestExtremePackets: the largest amounts, the farthest expiries and the longest addresses.
func TestExtremePackets(t *testing.T) {
	end := time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC)
	for name, test := range map[string]struct {
		from        ilpcore.AccountID
		destination string
		amount      amount.Amount
		expires     time.Time
		want        string
	}{
		"the year 9999, for the receiver":      {"up", "test.gw.x", 10, end, "by receiver"},
		"the year 9999, forwarded":             {"up", "test.bob.x", 10, end, "by bob"},
		"the year 0":                           {"up", "test.gw.x", 10, time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), "R02"},
		"a millisecond ago":                    {"up", "test.gw.x", 10, noon.Add(-time.Millisecond), "R02"},
		"amount 0":                             {"up", "test.gw.x", 0, end, "by receiver"},
		"amount 2^64-1":                        {"up", "test.gw.x", amount.Max, end, "T04"}, // no balance can hold it
		"amount 2^64-1, forwarded":             {"up", "test.bob", amount.Max, end, "T04"},
		"amount 2^63-1":                        {"carl", "test.gw.x", math.MaxInt64, end, "by receiver"},
		"amount 2^63-1, forwarded":             {"dora", "test.bob", math.MaxInt64, end, "by bob"},
		"amount 2^64-1 from a limited account": {"small", "test.gw.x", amount.Max, end, "F08"},
		"amount 0 from a limited account":      {"small", "test.gw.x", 0, end, "by receiver"},
		"the longest address, ours":            {"up", "test.gw." + strings.Repeat("x", 1023-8), 10, end, "by receiver"},
		"the longest address, bob's":           {"up", "test.bob." + strings.Repeat("x", 1023-9), 10, end, "by bob"},
		"many segments":                        {"up", "test.gw" + strings.Repeat(".x", 508), 10, end, "by receiver"},
		"many segments of nowhere":             {"up", "g" + strings.Repeat(".x", 511), 10, end, "F02"},
		"a peer service with many segments":    {"up", "peer" + strings.Repeat(".x", 509), 10, end, "F02"},
	} {
		t.Run(name, func(t *testing.T) {
			bob := &testLink{name: "bob"}
			n := newTestNode(t, func(c *Config) {
				c.Accounts[4].Link = bob
				c.Accounts = append(c.Accounts, Account{ID: "carl"}, Account{ID: "dora"})
			})
			in := packet(test.from, test.destination)
			in.Amount, in.ExpiresAt = test.amount, test.expires
			reply := n.HandlePrepare(t.Context(), in)
			if got := outcome(reply); got != test.want {
				t.Fatalf("got %s %q, want %s", got, reply.Message, test.want)
			}
			if test.want == "by bob" && (bob.last.Amount != test.amount || !bob.last.ExpiresAt.Equal(noon.Add(maxHold))) {
				t.Errorf("bob got %s until %v", bob.last.Amount, bob.last.ExpiresAt)
			}
			if test.want == "F08" {
				if got, err := ilpcore.DecodeAmountTooLarge(reply.Data); err != nil || got.Received != amount.Max || got.Maximum != 9 {
					t.Errorf("the data says %+v, %v", got, err)
				}
			}
		})
	}
}

// TestAFloodIsItsAccountsOwn: an account that sends far more than it may reaches the receiver exactly as often as it may, and the
// others as often as they like.
func TestAFloodIsItsAccountsOwn(t *testing.T) {
	const flood, allowed, others = 100_000, 500, 1000
	var mu sync.Mutex
	arrived := map[ilpcore.AccountID]int{}
	n := newTestNode(t, func(c *Config) {
		c.Accounts[0].MaxPacketsPerMinute = allowed
		c.Receiver = ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
			mu.Lock()
			defer mu.Unlock()
			arrived[in.From]++
			return ilpcore.Fulfill(testFulfillment, nil)
		})
	})
	n.HandlePrepare(t.Context(), packet("kid", "test.gw.x"))
	before := inUse()
	var together sync.WaitGroup
	for side, part := range []struct {
		from  ilpcore.AccountID
		count int
	}{{"up", flood / 2}, {"up", flood / 2}, {"kid", others - 1}, {"bob", others}} {
		together.Go(func() {
			for range part.count {
				in := packet(part.from, "test.gw.x")
				in.Condition[0] = byte(side) // what is under way may not come again
				if got := outcome(n.HandlePrepare(context.Background(), in)); got != "by " && (got != "T05" || part.from != "up") {
					t.Errorf("%s: %s", part.from, got)
					return
				}
			}
		})
	}
	together.Wait()
	if arrived["up"] != allowed || arrived["kid"] != others || arrived["bob"] != others {
		t.Errorf("arrived: %v", arrived)
	}
	if grown := inUse() - before; grown > 64<<10 {
		t.Errorf("%d bytes more are in use", grown)
	}
	for _, a := range n.Status().Accounts {
		if a.InFlight != 0 {
			t.Errorf("%s still has %d in flight", a.ID, a.InFlight)
		}
	}
}

// inUse is what is in use once everything unreachable is gone, in bytes.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
