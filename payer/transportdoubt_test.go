package payer

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/paywall"
)

// noting is a wallet that notes in which order it is told what became of payments.
type noting struct {
	*Wallet
	told []string
}

func (n *noting) Settle(host string, reserved, spent amount.Amount) {
	n.told = append(n.told, "settle")
	n.Wallet.Settle(host, reserved, spent)
}

func (n *noting) Doubt(host string, until time.Time) {
	n.told = append(n.told, "doubt")
	n.Wallet.Doubt(host, until)
}

// TestDoubtBeforeTheEnd loses the answer to a payment. A program that is killed between the two entries must leave the doubt: the other order would let
// the next one pay again.
func TestDoubtBeforeTheEnd(t *testing.T) {
	for _, method := range []string{MethodStream, MethodPSK2} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, paywall.Rule{Price: 10})
			link := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
				if reply := s.receiver.HandlePrepare(ctx, in); !reply.Fulfilled || in.Amount == 0 {
					return reply
				}
				return ilpcore.Reject(ilpcore.R00, "test.connector", "too late", nil)
			})
			n := &noting{Wallet: openWallet(t, t.TempDir(), Limits{})}
			defer n.Wallet.Close()
			c, transport := client(s, link, n)
			transport.Method = method
			response, err := c.Get("https://shop.example/")
			if err != nil {
				t.Fatal(err)
			}
			if discard(response); response.StatusCode != 200 {
				t.Errorf("%s: status %d", method, response.StatusCode)
			}
			if diff := cmp.Diff("doubt settle", strings.Join(n.told, " ")); diff != "" {
				t.Errorf("%s: %s", method, diff)
			}
		})
	}
}
