package payer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// stranger is a receiver that says what it likes. It fulfills whatever can be fulfilled, unless refuse says otherwise.
type stranger struct {
	mu       sync.Mutex
	received amount.Amount // truly
	packets  int           // with money
	closed   int

	claim  func(arrived amount.Amount) amount.Amount              // what it says has arrived; nil: the truth
	say    func(s *stranger, b *stream.Builder)                   // more frames
	refuse func(s *stranger, arrived amount.Amount) *ilpcore.Code // nil: fulfill
	silent bool                                                   // fulfillments have no data
	lose   func(s *stranger) bool                                 // the reply, after the money was taken
}

var strangerKeys = stream.Keys(make([]byte, 32))

func (s *stranger) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain, err := strangerKeys.Open(nil, in.Data)
	if err != nil {
		return ilpcore.Reject(ilpcore.F06, "test.stranger", "", nil)
	}
	request, err := stream.DecodeRequest(plain)
	if err != nil {
		return ilpcore.Reject(ilpcore.F06, "test.stranger", "", nil)
	}
	for frame := range request.Frames() {
		if frame.Type == stream.FrameConnectionClose {
			s.closed++
		}
	}
	code := &ilpcore.F99
	if fulfillment := strangerKeys.Fulfillment(in.Data); ilpcore.ConditionOf(fulfillment) == in.Condition {
		if code = nil; s.refuse != nil {
			code = s.refuse(s, in.Amount)
		}
		if code == nil {
			s.received += in.Amount
			s.packets++
			if s.lose != nil && s.lose(s) {
				s.mu.Unlock()
				defer s.mu.Lock()
				return timeout(ctx, in)
			}
			if s.silent {
				return ilpcore.Fulfill(fulfillment, nil)
			}
			return ilpcore.Fulfill(fulfillment, s.answer(ilpcore.TypeFulfill, request, in.Amount))
		}
	}
	return ilpcore.Reject(*code, "test.stranger", "", s.answer(ilpcore.TypeReject, request, in.Amount))
}

func (s *stranger) answer(kind uint8, request stream.Packet, arrived amount.Amount) []byte {
	if s.claim != nil {
		arrived = s.claim(arrived)
	}
	b := stream.Begin(nil, kind, request.Sequence, arrived)
	if s.say != nil {
		s.say(s, &b)
	}
	plain, err := b.Finish()
	if err != nil {
		panic(err)
	}
	data, err := strangerKeys.Seal(nil, plain, rand.Reader)
	if err != nil {
		panic(err)
	}
	return data
}

func (s *stranger) payment(send amount.Amount) Payment {
	return Payment{Address: "test.stranger.x", Secret: make([]byte, 32), Send: send}
}

// maxMoney says that stream 1 takes limit.
func maxMoney(limit amount.Amount) func(*stranger, *stream.Builder) {
	return func(s *stranger, b *stream.Builder) {
		b.StreamMaxMoney(stream.StreamMaxMoney{StreamID: 1, ReceiveMax: limit, TotalReceived: s.received})
	}
}

func TestStreamStrangers(t *testing.T) {
	f99 := &ilpcore.F99
	paying := func(s *stranger) bool { return s.packets > 0 }
	tests := []struct {
		name     string
		stranger *stranger
		payment  func(*Payment)
		want     amount.Amount // delivered, by the receiver's word
		err      error
		mostSent amount.Amount
	}{
		{name: "honest", want: 1000, mostSent: 1000},
		{name: "says nothing with its fulfillments", stranger: &stranger{silent: true}, want: 990, mostSent: 1000}, // the least that each proves
		{name: "claims that less arrives than was measured", stranger: &stranger{claim: func() func(amount.Amount) amount.Amount {
			probes := 0
			return func(n amount.Amount) amount.Amount {
				if probes++; probes > 2 {
					return n / 2
				}
				return n
			}
		}()}, payment: func(p *Payment) { p.Send = 1000 }, want: 50, err: ErrUnderpaid, mostSent: 400},
		{name: "claims that more arrives", stranger: &stranger{claim: func(n amount.Amount) amount.Amount { return n * 5 }},
			payment: func(p *Payment) { p.Send, p.Deliver = 0, 1000 }, want: 1000, mostSent: 200},
		{name: "claims impossible amounts", stranger: &stranger{claim: func(amount.Amount) amount.Amount { return amount.Max }}, err: ErrNoRate},
		{name: "has not decided yet", stranger: &stranger{
			say: func(s *stranger, b *stream.Builder) {
				if s.packets++; s.packets > 10 {
					maxMoney(5000)(s, b)
				} else {
					maxMoney(0)(s, b)
				}
			},
			refuse: func(s *stranger, _ amount.Amount) *ilpcore.Code {
				if s.packets <= 10 {
					return f99
				}
				return nil
			}}, want: 1000, mostSent: 1000},
		{name: "never decides", stranger: &stranger{say: maxMoney(0), refuse: func(*stranger, amount.Amount) *ilpcore.Code { return f99 }}, err: ErrReceiveMax},
		{name: "takes a part", stranger: &stranger{say: maxMoney(500)}, want: 500, err: ErrReceiveMax, mostSent: 500},
		{name: "refuses without a reason", stranger: &stranger{refuse: func(*stranger, amount.Amount) *ilpcore.Code { return f99 }}, err: ErrRejected},
		{name: "closes the connection", stranger: &stranger{say: func(s *stranger, b *stream.Builder) {
			if paying(s) {
				b.ConnectionClose(stream.ConnectionClose{Code: stream.ApplicationError, Message: []byte("enough")})
			}
		}}, want: 400, err: ErrClosed, mostSent: 400},
		{name: "closes the stream", stranger: &stranger{say: func(s *stranger, b *stream.Builder) {
			b.StreamClose(stream.StreamClose{StreamID: 1, Code: stream.NoError})
		}}, err: ErrClosed},
		{name: "tells totals of lost packets", stranger: &stranger{say: maxMoney(5000), lose: func(s *stranger) bool { return s.packets%3 == 0 }},
			payment: func(p *Payment) { p.Send, p.Deliver = 0, 1000 }, want: 1000, mostSent: 1000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := test.stranger
				if s == nil {
					s = &stranger{}
				}
				payment := s.payment(1000)
				if test.payment != nil {
					test.payment(&payment)
				}
				link := &network{to: s, conditions: conditions{max: 100, delay: 10 * time.Millisecond}}
				got, err := streamOver(link).Pay(t.Context(), payment)
				if !errors.Is(err, test.err) || got.Sent+got.Unknown > test.mostSent || got.Sent != link.paid {
					t.Errorf("got %+v, %v; %s were paid", got, err, link.paid)
				}
				if test.err == nil && got.Delivered != test.want || test.err != nil && got.Delivered < test.want {
					t.Errorf("got %+v; want %s", got, test.want)
				}
				if closes := map[bool]int{true: 0, false: 1}[errors.Is(err, ErrClosed)]; s.closed != closes {
					t.Errorf("the connection was closed %d times", s.closed)
				}
			})
		})
	}
}

func TestStreamReceipts(t *testing.T) {
	nonce, secret := [16]byte{1, 2, 3}, bytes.Repeat([]byte{7}, 32)
	give := func(r stream.Receipt, secret []byte) func(*stranger, *stream.Builder) {
		return func(s *stranger, b *stream.Builder) {
			r.TotalReceived = s.received
			b.StreamReceipt(stream.StreamReceipt{StreamID: 1, Receipt: r.Append(nil, secret)})
		}
	}
	tests := []struct {
		name  string
		say   func(*stranger, *stream.Builder)
		terms *ReceiptTerms
		err   error
		total amount.Amount // of the receipt; 0: none
	}{
		{"good", give(stream.Receipt{Nonce: nonce, StreamID: 1}, secret), &ReceiptTerms{Nonce: nonce, Secret: secret}, nil, 1000},
		{"secret unknown here", give(stream.Receipt{Nonce: nonce, StreamID: 1}, secret), &ReceiptTerms{Nonce: nonce}, nil, 1000},
		{"not asked for", give(stream.Receipt{Nonce: nonce, StreamID: 1}, secret), nil, nil, 1000},
		{"none", nil, &ReceiptTerms{Nonce: nonce, Secret: secret}, ErrReceipt, 0},
		{"another secret", give(stream.Receipt{Nonce: nonce, StreamID: 1}, secret[1:]), &ReceiptTerms{Nonce: nonce, Secret: secret}, ErrReceipt, 0},
		{"another nonce", give(stream.Receipt{StreamID: 1}, secret), &ReceiptTerms{Nonce: nonce}, ErrReceipt, 0},
		{"another stream", give(stream.Receipt{Nonce: nonce, StreamID: 3}, secret), &ReceiptTerms{Nonce: nonce, Secret: secret}, ErrReceipt, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stranger{say: test.say}
				payment := s.payment(1000)
				payment.Receipts = test.terms
				link := &network{to: s, conditions: conditions{max: 100, delay: time.Second}}
				got, err := streamOver(link).Pay(t.Context(), payment)
				if !errors.Is(err, test.err) || got.Sent != s.received || err != nil && got.Sent > firstWindow*100 {
					t.Fatalf("got %+v, %v; %s were received", got, err, s.received)
				}
				if test.total == 0 {
					if got.Receipt != nil {
						t.Errorf("the receipt %x was taken", got.Receipt)
					}
					return
				}
				if r, err := stream.VerifyReceipt(got.Receipt, secret); err != nil || r.TotalReceived != test.total {
					t.Errorf("the receipt says %+v, %v", r, err)
				}
			})
		})
	}
}

// TestStreamRateMoves lets the rate change while packets flow: within the slippage it is paid, below it is not.
func TestStreamRateMoves(t *testing.T) {
	tests := []struct {
		name     string
		after    Rate
		slippage uint32
		err      error
		least    Rate
	}{
		{"a little lower", Rate{995, 1000}, 0, nil, Rate{}},
		{"much lower", Rate{98, 100}, 0, ErrRate, Rate{}},
		{"a little lower than none", Rate{999, 1000}, NoSlippage, ErrRate, Rate{}},
		{"much lower, and allowed", Rate{91, 100}, 100_000, nil, Rate{}},
		{"below the least of the payment", Rate{91, 100}, 100_000, ErrRate, Rate{95, 100}},
		{"at the least of the payment", Rate{95, 100}, 100_000, nil, Rate{95, 100}},
		{"higher", Rate{3, 2}, 0, nil, Rate{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t)
				link := &network{to: m, conditions: conditions{rate: Rate{1, 1}, max: 10_000, delay: 10 * time.Millisecond}}
				link.moveRate = func(packets int, now Rate) Rate {
					if packets > 50 {
						return test.after
					}
					return now
				}
				payment := m.payment(t, 10, false)
				payment.Send, payment.Slippage, payment.MinRate = 1_000_000, test.slippage, test.least
				got, err := streamOver(link).Pay(t.Context(), payment)
				if !errors.Is(err, test.err) || got.Sent != link.paid || got.Delivered != m.till.sum() {
					t.Errorf("got %+v, %v; %s were paid, %s credited", got, err, link.paid, m.till.sum())
				}
				if err == nil && got.Sent != payment.Send {
					t.Errorf("got %+v", got)
				}
				slippage := map[uint32]uint32{0: 10_000, NoSlippage: 0}
				allowed, listed := slippage[test.slippage]
				if !listed {
					allowed = test.slippage
				}
				least := Rate{1, 1}.less(allowed).Of(got.Sent)
				if got.Delivered+amount.Amount(got.Fulfilled) < least {
					t.Errorf("%+v is below the least, %s", got, least)
				}
			})
		})
	}
}

// FuzzStreamReply gives the sender replies of any content, sealed by the receiver or not: it never sends above its limit, and ends.
func FuzzStreamReply(f *testing.F) {
	b := stream.Begin(nil, ilpcore.TypeReject, 1, 1000)
	maxMoney(500)(&stranger{}, &b)
	plain, err := b.Finish()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain, []byte("F99"), true, true)
	f.Add(ilpcore.AmountTooLarge{Received: 1000, Maximum: 10}.Append(nil), []byte("F08"), false, false)
	f.Add([]byte{}, []byte("T00"), false, true)
	f.Fuzz(func(t *testing.T, content, code []byte, sealed, fulfilled bool) {
		synctest.Test(t, func(t *testing.T) {
			reject, err := ilpcore.ParseCode(string(code))
			if err != nil {
				return
			}
			s := &stranger{}
			link := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
				honest := s.HandlePrepare(ctx, in)
				data := content
				if sealed {
					data, _ = strangerKeys.Seal(nil, content, rand.Reader)
				}
				if honest.Fulfilled && fulfilled {
					honest.Data = data
					return honest
				}
				if honest.Fulfilled || s.packets%2 == 0 && !sealed {
					return ilpcore.Reject(reject, "test.x", "", data)
				}
				return honest
			})
			got, err := streamOver(link).Pay(t.Context(), s.payment(1000))
			if got.Sent+got.Unknown > 1000 || fulfilled && got.Sent != s.received || err == nil && got.Sent != 1000 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	})
}
