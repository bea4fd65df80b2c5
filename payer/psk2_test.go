package payer

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
)

// till counts what it is credited, as the ledger would.
type till struct {
	mu    sync.Mutex
	total amount.Amount
}

func (l *till) Credit(_ context.Context, c receiver.Credit) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total += c.Amount
	return false, nil
}

func (l *till) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

type shop struct{}

func (shop) Address() (ilpcore.Address, ilpcore.Asset, bool) {
	return "test.shop", ilpcore.Asset{Code: "USD", Scale: 9}, true
}

func (shop) Suffix(destination []byte) ([]byte, bool) {
	return ilpcore.Address("test.shop").Suffix(destination)
}

// exchange is a connector between payer and receiver that converts at a rate of num/den and counts what the payer paid.
type exchange struct {
	to       ilpcore.Handler
	num, den uint64
	paid     amount.Amount
	tamper   bool
}

func (x *exchange) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	sent := in.Amount
	in.Amount = amount.Amount(uint64(sent) * x.num / x.den)
	reply := x.to.HandlePrepare(ctx, in)
	if reply.Fulfilled {
		x.paid += sent
		if x.tamper {
			reply.Fulfillment[0] ^= 1
		}
	}
	return reply
}

func TestPSK2Pay(t *testing.T) {
	token := []byte("0123456789abcdef0123456789abcdef")
	tests := []struct {
		name     string
		num, den uint64
		due      amount.Amount
		max      amount.Amount
		memo     []byte
		tamper   bool
		want     Receipt
		err      error
	}{
		{name: "one to one", num: 1, den: 1, due: 100, memo: token, want: Receipt{Sent: 100, Delivered: 100}},
		{name: "cheap unit", num: 1, den: 3, due: 100, memo: token, want: Receipt{Sent: 301, Delivered: 100}},
		{name: "dear unit", num: 1000, den: 1, due: 10, memo: token, want: Receipt{Sent: 1, Delivered: 1000}},
		{name: "spread", num: 99, den: 100, due: 1000, memo: token, want: Receipt{Sent: 1011, Delivered: 1000}},
		{name: "limit", num: 1, den: 3, due: 100, max: 300, memo: token, err: ErrTooExpensive},
		{name: "a thousand are nothing", num: 1, den: 1001, due: 100, memo: token, want: Receipt{Sent: 100_101, Delivered: 100}},
		{name: "a thousand are one, and nearly two", num: 19, den: 10_000, due: 10, memo: token, want: Receipt{Sent: 5264, Delivered: 10}},
		{name: "nothing arrives", num: 0, den: 1, due: 100, memo: token, err: ErrNoRate},
		{name: "another's token", num: 1, den: 1, due: 100, memo: []byte("fedcba9876543210"), err: ErrRejected},
		{name: "lying connector", num: 1, den: 1, due: 100, memo: token, tamper: true, want: Receipt{Unknown: 100}, err: ErrUnverified},
		{name: "beyond 64 bits", num: 1, den: 1000, due: amount.Max, memo: token, err: amount.ErrRange},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ledger := &till{}
			r, err := receiver.New(receiver.Config{Secrets: [][]byte{token}, Addresses: shop{}, Crediter: ledger, Random: rand.Reader, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			quote, err := r.Quote(receiver.QuoteRequest{Token: token, Due: 10})
			if err != nil {
				t.Fatal(err)
			}
			link := &exchange{to: r, num: test.num, den: test.den, tamper: test.tamper}
			sender := PSK2{Link: link, Random: rand.Reader, Now: time.Now, Max: test.max}
			got, err := sender.Pay(context.Background(), Ask{Address: ilpcore.Address(quote.Address), Secret: quote.SharedSecret[:]}, test.due, test.memo)
			if !errors.Is(err, test.err) || got != test.want {
				t.Fatalf("got %+v, %v; want %+v, %v", got, err, test.want, test.err)
			}
			if err == nil && (ledger.total != got.Delivered || link.paid != got.Sent) {
				t.Errorf("the receipt %+v differs from what was credited, %s, and paid, %s", got, ledger.total, link.paid)
			}
			if err != nil && !test.tamper && (ledger.total != 0 || link.paid != 0) {
				t.Errorf("a failed payment moved %s and %s", ledger.total, link.paid)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	down := ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
		return ilpcore.Reject(ilpcore.T01, "test.connector", "the link is down", nil)
	})
	synctest.Test(t, func(t *testing.T) {
		sender, begun := PSK2{Link: down, Random: rand.Reader, Now: time.Now}, time.Now()
		_, err := sender.Pay(t.Context(), Ask{Address: "test.shop.x", Secret: make([]byte, 32)}, 10, nil)
		var reject *RejectError
		if !errors.As(err, &reject) || reject.Code != ilpcore.T01 || reject.TriggeredBy != "test.connector" {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(begun); waited != 63*firstPause {
			t.Errorf("it gave up after %s", waited)
		}
	})
}

func FuzzDivideUp(f *testing.F) {
	f.Add(uint64(10), uint64(1000), uint64(7))
	f.Fuzz(func(t *testing.T, n, m, d uint64) {
		if d == 0 {
			return
		}
		q, err := divideUp(amount.Amount(n), m, amount.Amount(d))
		if err != nil {
			return
		}
		checkDivision(t, n, m, d, uint64(q))
	})
}

// checkDivision checks q = ceil(n*m/d) with big integers.
func checkDivision(t *testing.T, n, m, d, q uint64) {
	t.Helper()
	product := new(big.Int).Mul(new(big.Int).SetUint64(n), new(big.Int).SetUint64(m))
	want := product.Add(product, new(big.Int).SetUint64(d-1))
	want.Div(want, new(big.Int).SetUint64(d))
	if want.Cmp(new(big.Int).SetUint64(q)) != 0 {
		t.Errorf("ceil(%d*%d/%d) = %d, want %s", n, m, d, q, want)
	}
}

// TestPSK2Requests pays amounts above the largest packet in several requests.
func TestPSK2Requests(t *testing.T) {
	stubborn := &ilpcore.AmountTooLarge{Received: 1 << 60, Maximum: 1<<60 - 1}
	tests := []struct {
		name     string
		network  conditions
		due, max amount.Amount
		want     Receipt
		packets  int
		err      error
	}{
		{name: "one is enough", network: conditions{max: 1000}, due: 1000, want: Receipt{Sent: 1000, Delivered: 1000}, packets: 2},
		{name: "three", network: conditions{max: 1000}, due: 2500, want: Receipt{Sent: 2500, Delivered: 2500}, packets: 5},
		{name: "below the probe", network: conditions{max: 300}, due: 900, want: Receipt{Sent: 900, Delivered: 900}, packets: 5},
		{name: "below the probe, unsaid", network: conditions{max: 300, silent: true}, due: 900, want: Receipt{Sent: 900, Delivered: 900}, packets: 7},
		{name: "with a spread", network: conditions{max: 300, rate: Rate{97, 100}}, due: 1000, want: Receipt{Sent: 1031, Delivered: 1000}, packets: 6},
		{name: "each rounded up", network: conditions{max: 250, rate: Rate{99, 100}}, due: 1000, want: Receipt{Sent: 1013, Delivered: 1000}, packets: 7},
		{name: "each rounded up, limit", network: conditions{max: 250, rate: Rate{99, 100}}, due: 1000, max: 1012, err: ErrTooExpensive, packets: 2},
		{name: "above the probe", network: conditions{max: 4000}, due: 2500, want: Receipt{Sent: 2500, Delivered: 2500}, packets: 3},
		{name: "limit", network: conditions{max: 300}, due: 900, max: 899, err: ErrTooExpensive, packets: 2},
		{name: "packets become nothing", network: conditions{max: 300, rate: Rate{1, 1000}}, due: 900, err: ErrNoRate, packets: 2},
		{name: "no end to F08", network: conditions{max: 1, lie: stubborn}, due: 2000, err: ErrRejected, packets: 65},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMarket(t)
			link := &network{to: m, conditions: test.network}
			quote := m.payment(t, 10, false)
			sender := PSK2{Link: link, Random: rand.Reader, Now: time.Now, Max: test.max}
			got, err := sender.Pay(t.Context(), Ask{Address: quote.Address, Secret: quote.Secret}, test.due, []byte("0123456789abcdef"))
			if !errors.Is(err, test.err) || got != test.want || link.packets != test.packets {
				t.Errorf("got %+v, %v, %d packets; want %+v, %v, %d", got, err, link.packets, test.want, test.err, test.packets)
			}
			if link.paid != got.Sent || m.till.sum() != got.Delivered {
				t.Errorf("%+v, but %s were paid and %s credited", got, link.paid, m.till.sum())
			}
		})
	}
}

// TestPSK2HalfWay loses the second request of three.
func TestPSK2HalfWay(t *testing.T) {
	m := newMarket(t)
	link := &network{to: m, conditions: conditions{max: 1000}}
	lossy := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
		if link.paid > 0 {
			return ilpcore.Reject(ilpcore.R00, "", "no answer", nil)
		}
		return link.HandlePrepare(ctx, in)
	})
	quote := m.payment(t, 10, false)
	sender := PSK2{Link: lossy, Random: rand.Reader, Now: time.Now}
	got, err := sender.Pay(t.Context(), Ask{Address: quote.Address, Secret: quote.Secret}, 2500, nil)
	if !errors.Is(err, ErrRejected) || got != (Receipt{Sent: 1000, Delivered: 1000, Unknown: 1000}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// refusing is a ledger that takes nothing, and says why.
type refusing struct {
	*till
	why error
}

func (r refusing) Credit(context.Context, receiver.Credit) (bool, error) { return false, r.why }

// TestPSK2RefusedByTheReceiver: what the receiver itself says, that a credit was too late and is no more, leaves nothing in doubt. By STREAM it does not either.
func TestPSK2RefusedByTheReceiver(t *testing.T) {
	for _, test := range []struct {
		why  error
		code ilpcore.Code
	}{{receiver.ErrTooLate, ilpcore.R00}, {receiver.ErrMaxBalance, ilpcore.F99}} {
		r, err := receiver.New(receiver.Config{
			Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, Addresses: shop{}, Crediter: refusing{&till{}, test.why}, Random: rand.Reader, Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		quote := market{Receiver: r}.payment(t, 10, false)
		sender := PSK2{Link: r, Random: rand.Reader, Now: time.Now}
		got, err := sender.Pay(t.Context(), Ask{Address: quote.Address, Secret: quote.Secret}, 10, nil)
		if reject, ok := errors.AsType[*RejectError](err); !ok || reject.Code != test.code || got != (Receipt{}) {
			t.Errorf("%s: got %+v, %v", test.code, got, err)
		}
	}
}

// TestPSK2OverALossyWay pays in several requests of which some are lost. Whatever comes of it, no more leaves than was approved.
func TestPSK2OverALossyWay(t *testing.T) {
	paid := 0
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			m := newMarket(t)
			link := &network{to: m, conditions: conditions{max: 250, rate: Rate{99, 100}, drop: 10, seed: seed}}
			quote, approved := m.payment(t, 10, false), amount.Amount(0)
			sender := PSK2{Link: link, Random: rand.Reader, Now: time.Now, Approve: func(cost amount.Amount) error {
				approved = cost
				return nil
			}}
			got, err := sender.Pay(t.Context(), Ask{Address: quote.Address, Secret: quote.Secret}, 1000, nil)
			if got.Sent != link.paid || got.Sent+got.Unknown > approved || m.till.sum() < got.Delivered {
				t.Errorf("seed %d: %+v, %v; %s were paid of %s, and %s credited", seed, got, err, link.paid, approved, m.till.sum())
			}
			if err == nil && got.Delivered < 1000 || err != nil && !errors.Is(err, ErrRejected) {
				t.Errorf("seed %d: %+v, %v", seed, got, err)
			}
			if err == nil {
				paid++
			}
		})
	}
	if paid < 30 { // of ten packets one is lost, and of the lost two in three end the payment
		t.Errorf("%d of 100 payments came to their end", paid)
	}
}

// TestPSK2Cancelled cancels a payment while its money is under way: the answer is awaited for a while. Nothing leaves afterwards.
func TestPSK2Cancelled(t *testing.T) {
	tests := []struct {
		name    string
		cancels int           // with which packet: the second has money
		answers time.Duration // after which
		want    Receipt
		err     error
		packets int
		longest time.Duration
	}{
		{name: "before", cancels: 1, answers: 0, err: context.Canceled, packets: 1},
		{name: "answered at last", cancels: 2, answers: time.Second, want: Receipt{Sent: 500, Delivered: 500}, err: context.Canceled, packets: 2, longest: time.Second},
		{name: "never answered", cancels: 2, answers: time.Hour, want: Receipt{Unknown: 500}, err: ErrRejected, packets: 2, longest: drainTime},
		{name: "all was paid", cancels: 3, answers: time.Second, want: Receipt{Sent: 1000, Delivered: 1000}, packets: 3, longest: time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, packets := newMarket(t), 0
				ctx, cancel := context.WithCancel(t.Context())
				way := &network{to: m, conditions: conditions{max: 500}}
				link := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
					if in.Amount <= 500 {
						packets++
					}
					if packets == test.cancels {
						cancel()
						if test.answers > 0 { // as links do, which tell at once that they wait no longer
							select {
							case <-ctx.Done():
								return ilpcore.Reject(ilpcore.R00, "", "cancelled", nil)
							case <-time.After(test.answers):
							}
						}
					}
					return way.HandlePrepare(ctx, in)
				})
				quote := m.payment(t, 10, false)
				begun := time.Now()
				got, err := PSK2{Link: link, Random: rand.Reader, Now: time.Now}.Pay(ctx, Ask{Address: quote.Address, Secret: quote.Secret}, 1000, nil)
				if !errors.Is(err, test.err) || got != test.want || packets != test.packets {
					t.Errorf("got %+v, %v, %d packets", got, err, packets)
				}
				if took := time.Since(begun); took > test.longest {
					t.Errorf("it took %s", took)
				}
				if way.paid != got.Sent {
					t.Errorf("%s were paid", way.paid)
				}
			})
		})
	}
}
