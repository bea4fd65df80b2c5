package payer

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/paywall"
)

// TestTransportAsksAfterAFailure has a node call a packet rejected that the receiver has taken: the money is on the balance, and the request is paid.
func TestTransportAsksAfterAFailure(t *testing.T) {
	for method, left := range map[string]string{MethodStream: "0", MethodPSK2: "10"} { // PSK2 has no way to learn what arrived, and sends once more
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, paywall.Rule{Price: 10})
			link := &network{to: s.receiver}
			lied := false
			c, transport := client(s, ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
				if lied || in.Amount != 10 { // the only packet of 10 is the payment
					return link.HandlePrepare(ctx, in)
				}
				lied = true
				s.receiver.HandlePrepare(ctx, in)
				return ilpcore.Reject(ilpcore.T00, "test.connector", "lost on the way back", nil)
			}), &Caps{PerRequest: 10, Now: time.Now})
			transport.Method = method
			response, err := c.Get("https://shop.example/")
			if err != nil {
				t.Fatalf("%s: %v", method, err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK || s.left().String() != left || link.paid != s.left() {
				t.Errorf("%s: status %d, %s paid, %s left", method, response.StatusCode, link.paid, s.left())
			}
		})
	}
}
