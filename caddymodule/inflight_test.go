package caddymodule

// This file lets an account have more packets under way than the links would let through by themselves.

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilphttp"
)

// TestMaxInFlightAboveTheDefault: the node takes as many packets of an account as its max_in_flight says, over BTP and HTTP, and no more.
func TestMaxInFlightAboveTheDefault(t *testing.T) {
	const most = ilphttp.DefaultInFlight + 100
	s := newServer(t)
	s.options += fmt.Sprintf("\naccount kid {\n relation child\n max_in_flight %d\n btp listen %s\n}", most, strings.Repeat("kid", 12)) +
		"\naccount bob {\n relation child\n btp listen " + strings.Repeat("bob", 12) + "\n}"
	s.load()
	var arrived atomic.Int64
	answer := make(chan struct{})
	release := sync.OnceFunc(func() { close(answer) })
	slow := ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
		if len(in.Data) != 32 {
			return ilpcore.Reject(ilpcore.F00, "", "", nil)
		}
		arrived.Add(1)
		<-answer
		return ilpcore.Fulfill([32]byte(in.Data), nil)
	})
	receiver, err := btp.Dial(btp.Config{
		Account: "node", URL: btp.URL{Endpoint: "ws://" + s.node + "/accounts/bob/ilp/btp", Token: strings.Repeat("bob", 12)}, Handler: slow, MaxInFlight: 10 * most,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = receiver.Close() }()
	defer release()
	kid := s.neighbour("/accounts/kid/ilp/btp", "kid", strings.Repeat("kid", 12), nil)
	eventually(t, "both connect", func() bool { return receiver.Up() && kid.Up() })
	var sending sync.WaitGroup
	var fulfilled, busy atomic.Int64
	for i := range most + 50 {
		sending.Go(func() {
			fulfillment := [32]byte{byte(i), byte(i >> 8)}
			reply := kid.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: ilpcore.Prepare{
				Amount: 1, ExpiresAt: time.Now().Add(time.Minute), Destination: []byte("test.paydoor.bob.x"),
				Condition: ilpcore.ConditionOf(fulfillment), Data: fulfillment[:],
			}})
			switch {
			case reply.Fulfilled:
				fulfilled.Add(1)
			case reply.Code == ilpcore.T03:
				busy.Add(1)
			default:
				t.Errorf("%s %s", reply.Code, reply.Message)
			}
		})
	}
	eventually(t, "all are there", func() bool { return arrived.Load()+busy.Load() == most+50 })
	release()
	sending.Wait()
	if fulfilled.Load() != most || busy.Load() != 50 {
		t.Errorf("%d were fulfilled and %d too many", fulfilled.Load(), busy.Load())
	}
	if n := s.running().settings.mostInFlight(); n != most {
		t.Errorf("over HTTP %d may be under way", n)
	}
}
