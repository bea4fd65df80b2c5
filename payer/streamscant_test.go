package payer

// This file pays over a way on which the balance runs out in the middle.

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// credit is a connector that lets so much pass, and says T04 to what is above it.
type credit struct {
	to ilpcore.Handler

	mu   sync.Mutex
	left amount.Amount
}

func (c *credit) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	c.mu.Lock()
	if in.Amount > c.left {
		c.mu.Unlock()
		return ilpcore.Reject(ilpcore.T04, "test.connector", "the balance is used up", nil)
	}
	c.left -= in.Amount
	c.mu.Unlock()
	reply := c.to.HandlePrepare(ctx, in)
	if !reply.Fulfilled {
		c.mu.Lock()
		c.left += in.Amount
		c.mu.Unlock()
	}
	return reply
}

// TestStreamSaysThatTheBalanceRanOut pays more than the sender's account has. However small the packets become, such a payment is not all of it, and
// the error says what was in the way: not the rate, which packets that have become too small for it no longer reach.
func TestStreamSaysThatTheBalanceRanOut(t *testing.T) {
	for _, test := range []struct {
		name     string
		rate     Rate
		coarse   amount.Amount // a node on the way counts in so many units of the sender
		has      amount.Amount
		send     amount.Amount
		deliver  amount.Amount
		slippage uint32
	}{
		{name: "at the same scale", rate: Rate{1, 1}, has: 500_123, send: 1_000_000},
		{name: "packets become nothing", rate: Rate{1, 1000}, has: 500_123, send: 1_000_000},
		{name: "a delivery becomes nothing", rate: Rate{1, 1000}, has: 500_123, deliver: 1_000},
		{name: "on a coarse way", rate: Rate{1, 1}, coarse: 1000, has: 500_123, send: 1_000_000, slippage: 15_000},
		{name: "with nothing", rate: Rate{1, 1000}, has: 999, send: 1_000_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t)
				way := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
					time.Sleep(time.Millisecond)
					if test.coarse != 0 {
						in.Amount -= in.Amount % test.coarse
					}
					return m.HandlePrepare(ctx, ilpcore.Incoming{From: in.From, Prepare: ilpcore.Prepare{
						Amount: test.rate.Of(in.Amount), ExpiresAt: in.ExpiresAt, Condition: in.Condition, Destination: in.Destination, Data: in.Data,
					}})
				})
				link := &credit{to: way, left: test.has}
				payment := m.payment(t, 10, false)
				payment.Send, payment.Deliver, payment.Slippage = test.send, test.deliver, test.slippage
				got, err := streamOver(link).Pay(t.Context(), payment)
				if got.Sent != test.has-link.left || got.Delivered != m.till.sum() {
					t.Errorf("got %+v; %s were paid, %s credited", got, test.has-link.left, m.till.sum())
				}
				if err == nil {
					t.Fatalf("%s of %s are said to be all", got.Sent, max(test.send, test.deliver))
				}
				rejected, ok := errors.AsType[*RejectError](err)
				if !ok || rejected.Code != ilpcore.T04 || !strings.Contains(err.Error(), "T04") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
