package payer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

func TestStreamPay(t *testing.T) {
	tests := []struct {
		name    string
		network conditions
		payment Payment
		want    Result // Sent, Delivered and Fulfilled; the others are not compared
		err     error
	}{
		{name: "send one to one", payment: Payment{Send: 100}, want: Result{Sent: 100, Delivered: 100, Fulfilled: 1}},
		{name: "deliver one to one", payment: Payment{Deliver: 100}, want: Result{Sent: 100, Delivered: 100, Fulfilled: 1}},
		{name: "one unit", payment: Payment{Send: 1}, want: Result{Sent: 1, Delivered: 1, Fulfilled: 1}},
		{name: "cheap unit", network: conditions{rate: Rate{1, 3}}, payment: Payment{Deliver: 100}, want: Result{Sent: 301, Delivered: 100, Fulfilled: 1}},
		{name: "dear unit", network: conditions{rate: Rate{1000, 1}}, payment: Payment{Deliver: 10}, want: Result{Sent: 1, Delivered: 1000, Fulfilled: 1}},
		{name: "scales 9 to 6", network: conditions{rate: Rate{1, 1000}}, payment: Payment{Deliver: 7}, want: Result{Sent: 7000, Delivered: 7, Fulfilled: 1}},
		{name: "scales 6 to 9", network: conditions{rate: Rate{1000, 1}}, payment: Payment{Deliver: 7000}, want: Result{Sent: 7, Delivered: 7000, Fulfilled: 1}},
		{name: "spread", network: conditions{rate: Rate{99, 100}}, payment: Payment{Deliver: 1000}, want: Result{Sent: 1011, Delivered: 1000, Fulfilled: 1}},
		{name: "largest packet", network: conditions{max: 300}, payment: Payment{Send: 900}, want: Result{Sent: 900, Delivered: 900, Fulfilled: 3}},
		{name: "largest packet, delivery", network: conditions{max: 300}, payment: Payment{Deliver: 900}, want: Result{Sent: 900, Delivered: 900, Fulfilled: 3}},
		{name: "largest packet unsaid", network: conditions{max: 300, silent: true}, payment: Payment{Deliver: 900}, want: Result{Sent: 900, Delivered: 900, Fulfilled: 3}},
		{name: "a rest is shared out", network: conditions{max: 300}, payment: Payment{Send: 301}, want: Result{Sent: 301, Delivered: 301, Fulfilled: 2}},
		{name: "dust stays", network: conditions{max: 1500, rate: Rate{1, 1000}}, payment: Payment{Send: 1600}, want: Result{Sent: 1500, Delivered: 1, Fulfilled: 1}},
		{name: "limit", network: conditions{rate: Rate{1, 3}}, payment: Payment{Deliver: 100, MaxSend: 299}, err: ErrTooExpensive},
		{name: "limit below the amount", payment: Payment{Send: 100, MaxSend: 99}, err: ErrMaxSend},
		{name: "nothing arrives", network: conditions{rate: Rate{1, 1001}}, payment: Payment{Send: 1000}, err: ErrNoRate},
		{name: "nothing ever arrives", network: conditions{rate: Rate{0, 1}}, payment: Payment{Deliver: 1}, err: ErrNoRate},
		{name: "rate below the least", network: conditions{rate: Rate{99, 100}}, payment: Payment{Send: 1000, MinRate: Rate{1, 1}}, err: ErrRate},
		{name: "rate at the least", network: conditions{rate: Rate{99, 100}}, payment: Payment{Send: 1000, MinRate: Rate{99, 100}}, want: Result{Sent: 1000, Delivered: 990, Fulfilled: 1}},
		{name: "no packet is small enough", network: conditions{max: 300, lie: &ilpcore.AmountTooLarge{Received: 1, Maximum: 0}}, payment: Payment{Send: 900}, want: Result{Sent: 900, Delivered: 900, Fulfilled: 3}},
		{name: "lying connector", network: conditions{tamper: true}, payment: Payment{Send: 100}, err: ErrUnverified},
		{name: "beyond 64 bits", network: conditions{rate: Rate{1, 1000}}, payment: Payment{Deliver: amount.Max}, err: ErrTooExpensive},
		{name: "everything there is", payment: Payment{Send: amount.Max}, want: Result{Sent: amount.Max, Delivered: amount.Max, Fulfilled: 1}},
		{name: "neither amount", err: ErrPayment},
		{name: "both amounts", payment: Payment{Send: 1, Deliver: 1}, err: ErrPayment},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t)
				link := &network{to: m, conditions: test.network}
				quote := m.payment(t, 10, false)
				test.payment.Address, test.payment.Secret = quote.Address, quote.Secret
				got, err := streamOver(link).Pay(t.Context(), test.payment)
				if !errors.Is(err, test.err) || got.Sent != test.want.Sent || got.Delivered != test.want.Delivered || got.Fulfilled != test.want.Fulfilled {
					t.Fatalf("got %+v, %v; want %+v, %v", got, err, test.want, test.err)
				}
				if m.till.sum() != got.Delivered && !test.network.tamper {
					t.Errorf("%s were credited, and %+v says otherwise", m.till.sum(), got)
				}
				if test.err == nil && (got.DestinationAsset == nil || *got.DestinationAsset != ilpcore.Asset{Code: "USD", Scale: 9}) {
					t.Errorf("the receiver's asset is said to be %v", got.DestinationAsset)
				}
			})
		})
	}
}

// TestStreamEfficiency is the yardstick: ten million units in at most one per cent more packets than their largest size needs.
func TestStreamEfficiency(t *testing.T) {
	tests := []struct {
		name    string
		network conditions
		payment Payment
	}{
		{"send", conditions{max: 300}, Payment{Send: 10_000_000}},
		{"send, unsaid", conditions{max: 300, silent: true}, Payment{Send: 10_000_000}},
		{"send, large packets", conditions{max: 12_345, silent: true}, Payment{Send: 10_000_000}},
		{"deliver with a spread", conditions{max: 3000, rate: Rate{99, 100}}, Payment{Deliver: 9_900_000}},
		{"send, throttled", conditions{max: 3000, busy: 8}, Payment{Send: 10_000_000}},
		{"a claim that is too low", conditions{max: 3000, lie: &ilpcore.AmountTooLarge{Received: 1000, Maximum: 1}}, Payment{Send: 10_000_000}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t)
				link := &network{to: m, conditions: test.network}
				link.delay = 20 * time.Millisecond
				quote := m.payment(t, 10, false)
				test.payment.Address, test.payment.Secret = quote.Address, quote.Secret
				begun := time.Now()
				got, err := streamOver(link).Pay(t.Context(), test.payment)
				if err != nil {
					t.Fatalf("%+v, %v", got, err)
				}
				fewest := int((10_000_000 + uint64(test.network.max) - 1) / uint64(test.network.max))
				if got.Fulfilled > fewest+fewest/100 {
					t.Errorf("%d packets were fulfilled, and %d would do", got.Fulfilled, fewest)
				}
				if got.Delivered != m.till.sum() || got.Sent != link.paid {
					t.Errorf("%+v, but %s were credited and %s paid", got, m.till.sum(), link.paid)
				}
				t.Logf("%d packets of at least %d, %d rejected, %d probes, %d in flight, %s", got.Fulfilled, fewest, got.Rejected, got.Probes, link.most, time.Since(begun))
			})
		})
	}
}

// TestStreamCapped pays quotes that take no more than is due, as a 402 makes them.
func TestStreamCapped(t *testing.T) {
	tests := []struct {
		name    string
		network conditions
		payment Payment
		due     amount.Amount
		want    amount.Amount // delivered
		err     error
	}{
		{name: "exactly", payment: Payment{Deliver: 1000}, due: 1000, want: 1000},
		{name: "in several packets", network: conditions{max: 300, delay: time.Millisecond}, payment: Payment{Deliver: 1000}, due: 1000, want: 1000},
		{name: "with a spread", network: conditions{max: 300, rate: Rate{97, 100}}, payment: Payment{Deliver: 1000}, due: 1000, want: 1000},
		{name: "a part", payment: Payment{Deliver: 400}, due: 1000, want: 400},
		{name: "more than is due", payment: Payment{Deliver: 1001}, due: 1000, err: ErrReceiveMax},
		{name: "sending all that is taken", payment: Payment{Send: 5000}, due: 1000, want: 1000, err: ErrReceiveMax},
		{name: "dear units", network: conditions{rate: Rate{1000, 1}}, payment: Payment{Deliver: 10}, due: 10, want: 1000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t)
				link := &network{to: m, conditions: test.network}
				quote := m.payment(t, test.due, true)
				test.payment.Address, test.payment.Secret = quote.Address, quote.Secret
				got, err := streamOver(link).Pay(t.Context(), test.payment)
				if !errors.Is(err, test.err) || got.Delivered != test.want || m.till.sum() != test.want {
					t.Errorf("got %+v, %v, and %s were credited; want %s, %v", got, err, m.till.sum(), test.want, test.err)
				}
			})
		})
	}
}

// TestStreamFailures ends payments early, and looks at how they end and how long that takes.
func TestStreamFailures(t *testing.T) {
	answer := func(reply ilpcore.Reply) ilpcore.Handler {
		return ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			time.Sleep(time.Millisecond)
			return reply
		})
	}
	tests := []struct {
		name    string
		link    ilpcore.Handler
		err     error
		code    ilpcore.Code
		longest time.Duration
	}{
		{"no route", answer(ilpcore.Reject(ilpcore.F02, "test.connector", "no route", nil)), ErrRejected, ilpcore.F02, time.Second},
		{"always too large", answer(ilpcore.Reject(ilpcore.F08, "test.connector", "too large", nil)), ErrRejected, ilpcore.F08, time.Second},
		{"always busy", answer(ilpcore.Reject(ilpcore.T03, "test.connector", "busy", nil)), ErrStalled, ilpcore.T03, time.Minute},
		{"probes are fulfilled", answer(ilpcore.Fulfill([32]byte{}, nil)), ErrUnverified, ilpcore.Code{}, time.Second},
		{"application error of a stranger", answer(ilpcore.Reject(ilpcore.F99, "test.connector", "", []byte("no STREAM"))), ErrRejected, ilpcore.F99, time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				got, err := streamOver(test.link).Pay(t.Context(), Payment{Address: "test.shop.x", Secret: make([]byte, 32), Send: 100})
				var reject *RejectError
				if errors.As(err, &reject) && reject.Code != test.code {
					t.Errorf("got code %s", reject.Code)
				}
				if !errors.Is(err, test.err) || got.Sent != 0 || got.Unknown != 0 {
					t.Errorf("got %+v, %v", got, err)
				}
				if took := time.Since(begun); took > test.longest {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// TestStreamGivesUp stops the way in the middle of a payment.
func TestStreamGivesUp(t *testing.T) {
	tests := []struct {
		name   string
		reject ilpcore.Reply
		err    error
		took   time.Duration
	}{
		{"no liquidity", ilpcore.Reject(ilpcore.T04, "test.connector", "", nil), ErrStalled, 31 * time.Second},
		{"the receiver is gone", ilpcore.Reject(ilpcore.F02, "test.connector", "", nil), ErrRejected, 2 * time.Second},
		{"too little time", ilpcore.Reject(ilpcore.R02, "test.connector", "", nil), ErrRejected, 10 * time.Second},
		{"nothing is small enough any more", ilpcore.Reject(ilpcore.F08, "test.connector", "", nil), ErrRejected, 2 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t)
				link := &network{to: m, conditions: conditions{max: 10, delay: 10 * time.Millisecond}}
				gate := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
					if m.till.sum() > 500 {
						time.Sleep(time.Millisecond)
						return test.reject
					}
					return link.HandlePrepare(ctx, in)
				})
				payment := m.payment(t, 10, false)
				payment.Send = 10_000 // many more packets than may be in flight
				begun := time.Now()
				got, err := streamOver(gate).Pay(t.Context(), payment)
				if !errors.Is(err, test.err) || got.Sent != link.paid || got.Delivered != m.till.sum() || got.Sent <= 500 {
					t.Errorf("got %+v, %v; %s were paid, %s credited", got, err, link.paid, m.till.sum())
				}
				if took := time.Since(begun); took > test.took {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// TestStreamCancelled cancels a payment whose packets are answered, one whose packets are not, and one that has stopped before, of which some are not.
func TestStreamCancelled(t *testing.T) {
	tests := []struct {
		name          string
		slow, refused bool
		err           error
	}{
		{name: "answered", err: context.Canceled},
		{name: "not answered", slow: true, err: context.Canceled},
		{name: "stopped before", slow: true, refused: true, err: ErrRejected},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t)
				link := &network{to: m, conditions: conditions{max: 10, delay: time.Second}}
				ctx, cancel := context.WithCancel(t.Context())
				var unanswered atomic.Int32
				hole := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
					switch {
					case !test.slow || m.till.sum() <= 100:
						return link.HandlePrepare(ctx, in)
					case test.refused && unanswered.Add(1) == 3:
						time.AfterFunc(time.Second, cancel)
						return ilpcore.Reject(ilpcore.F02, "test.connector", "no route any more", nil)
					}
					return timeout(ctx, in)
				})
				payment := m.payment(t, 10, false)
				payment.Send = 1_000_000
				payment.Progress = func(r Result) {
					if !test.refused && (r.Sent >= 200 || test.slow && r.Sent > 100) {
						cancel()
					}
				}
				var cancelled time.Time
				context.AfterFunc(ctx, func() { cancelled = time.Now() })
				got, err := streamOver(hole).Pay(ctx, payment)
				if !errors.Is(err, test.err) || got.Delivered != m.till.sum() || got.Sent != link.paid || test.slow != (got.Unknown > 0) || ctx.Err() == nil {
					t.Errorf("got %+v, %v; %s were paid, %s credited", got, err, link.paid, m.till.sum())
				}
				synctest.Wait()
				if took := time.Since(cancelled); took > 8*time.Second {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}
