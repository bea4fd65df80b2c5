package receiver

// This file fuzzes series of packets against a model of the money: each condition counts once, with the content it first came with,
// and a cap holds for as long as its session is remembered.

import (
	"context"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// series is a fuzzed series: what was sent, and what of it must have been credited.
type series struct {
	*fixture
	capped, open Quote
	sent         []ilpcore.Incoming
	credited     map[[32]byte]ilpcore.Incoming
	sum          amount.Amount
	underCap     amount.Amount // credited to the capped quote by STREAM since its session began
}

const seriesDue = 300

// FuzzSeries reads six bytes per packet: what to do, an amount of two bytes, shares, a stream id, and which earlier packet.
func FuzzSeries(f *testing.F) {
	f.Add([]byte("\x00\x00\x64\x00\x01\x00" + "\x04\x00\x64\x00\x01\x00" + "\x05\x00\x65\x00\x01\x00" + "\x00\x01\x2c\x00\x01\x00"))
	f.Add([]byte("\x01\xff\xff\x00\x01\x00" + "\x06\x00\x00\x00\x00\x00" + "\x07\x00\x00\x00\x00\x00" + "\x02\x00\x0a\x00\x00\x00" + "\x03\x00\x0a\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		s := &series{fixture: newFixture(t), credited: map[[32]byte]ilpcore.Incoming{}}
		s.capped, s.open = s.quote(true, seriesDue), s.quote(false, seriesDue)
		for ; len(steps) >= 6 && len(s.sent) < 64; steps = steps[6:] {
			s.step([6]byte(steps))
		}
	})
}

func (s *series) step(b [6]byte) {
	n := amountOf(uint64(b[1])<<8 | uint64(b[2]))
	var earlier ilpcore.Incoming
	if len(s.sent) > 0 {
		earlier = s.sent[int(b[5])%len(s.sent)]
	}
	switch kind := b[0] % 9; {
	case kind <= 1:
		s.try(s.stream([]Quote{s.capped, s.open}[kind], n, 0, true, func(p *stream.Builder) {
			// With at least as many shares as units, no overshoot is below one share.
			p.StreamMoney(stream.StreamMoney{StreamID: uint64(b[4]), Shares: uint64(n) + uint64(b[3])})
		}))
	case kind == 2:
		s.try(s.psk2(s.capped, n, 0, nil, true))
	case kind == 3:
		s.try(s.stream(s.capped, n, 0, false, money(1, 1)))
	case earlier.Data == nil:
	case kind == 4:
		s.try(earlier)
	case kind == 5:
		earlier.Amount = n
		s.try(earlier)
	case kind == 6:
		earlier.Destination = append(append([]byte(nil), earlier.Destination...), ".x"...)
		s.try(earlier)
	case kind == 7: // the node is started anew: sessions are lost, credits are not
		s.Receiver = s.rebuild([]byte("a receiver secret of 32 bytes...."))
		s.underCap = 0
	case kind == 8:
		s.now = s.now.Add(time.Duration(b[2]) * time.Millisecond)
	}
}

// try sends a packet and holds the outcome against the model.
func (s *series) try(in ilpcore.Incoming) {
	s.sent = append(s.sent, in)
	in.ExpiresAt = s.now.Add(30 * time.Second)
	reply := s.HandlePrepare(context.Background(), in)
	if _, err := reply.Append(nil); err != nil {
		s.t.Fatalf("the reply cannot be sent: %v", err)
	}
	first, known := s.credited[in.Condition]
	same := known && first.Amount == in.Amount && string(first.Destination) == string(in.Destination) && string(first.Data) == string(in.Data)
	switch {
	case known && !same && (reply.Code != ilpcore.F00 || len(reply.Data) != 0):
		s.t.Fatalf("a known condition with other content got %s", reply.Code)
	case same && !reply.Fulfilled:
		s.t.Fatalf("an identical retry got %s %q", reply.Code, reply.Message)
	case reply.Fulfilled && ilpcore.ConditionOf(reply.Fulfillment) != in.Condition:
		s.t.Fatal("the fulfillment is not that of the condition")
	case reply.Fulfilled && !known && in.Amount > 0:
		s.credited[in.Condition] = in
		s.sum += in.Amount
		if _, err := stream.Keys(s.capped.SharedSecret[:]).Open(nil, in.Data); err == nil {
			s.underCap += in.Amount
		}
	}
	if s.underCap > seriesDue+seriesDue/100 {
		s.t.Fatalf("%s were credited to a quote of %d", s.underCap, seriesDue)
	}
	s.balance(s.sum)
}

// FuzzGolden starts from the plaintexts of the golden table, in the protocol that they are written for.
func FuzzGolden(f *testing.F) {
	for _, c := range loadHostile(f) {
		for _, p := range c.Send {
			if plain := expandHex(f, p.Plain); len(plain) <= 4096 {
				f.Add(plain, uint64(10), p.Protocol == "psk2", c.Capped)
			}
		}
	}
	f.Fuzz(func(t *testing.T, plain []byte, n uint64, older, capped bool) {
		if len(plain) > 4096 {
			return
		}
		fx := newFixture(t)
		q := fx.quote(capped, 100)
		keys := stream.Keys(q.SharedSecret[:])
		if older {
			keys = psk2.Keys(q.SharedSecret[:])
		}
		in := fx.prepare(keys, q, amountOf(n), plain, true)
		reply := fx.handle(in)
		want := amount.Amount(0)
		if reply.Fulfilled {
			want = amountOf(n)
		}
		fx.balance(want)
		if again := fx.handle(in); again.Fulfilled != reply.Fulfilled || again.Code != reply.Code {
			t.Errorf("at first %s, then %s", outcomeOf(reply), outcomeOf(again))
		}
		fx.balance(want)
	})
}
