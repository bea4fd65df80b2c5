package payer

import (
	"context"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// BenchmarkStream counts what a packet costs, with a receiver in the same process and its credits in memory.
func BenchmarkStream(b *testing.B) {
	m := newMarket(b)
	limited := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
		if in.Amount > 10 {
			return ilpcore.Reject(ilpcore.F08, "test.connector", "too large", ilpcore.AmountTooLarge{Received: in.Amount, Maximum: 10}.Append(nil))
		}
		return m.HandlePrepare(ctx, in)
	})
	payment := m.payment(b, 10, false)
	payment.Send = 10 * amount.Amount(b.N)
	b.ReportAllocs()
	got, err := streamOver(limited).Pay(b.Context(), payment)
	if err != nil || got.Delivered != m.till.sum() || got.Delivered != payment.Send {
		b.Errorf("got %+v, %v, and %s were credited", got, err, m.till.sum())
	}
}
