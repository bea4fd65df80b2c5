package payer

// This file tests what a payment measures with: rates, packet sizes, the pace, and what is known of a host.

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"pgregory.net/rapid"
)

// TestBoundsHold compares the bounds with the rate that they are of.
func TestBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Of nodes that round down the largest results are below 2^64, as on the wire.
		truth := Rate{rapid.Uint64Range(1, 1<<20).Draw(t, "num"), rapid.Uint64Range(1, 1<<20).Draw(t, "den")}
		n := rapid.Uint64Range(1, 1<<40)
		var b bounds
		for _, sent := range rapid.SliceOfN(n, 1, 10).Draw(t, "sent") {
			arrived := truth.Of(amount.Amount(sent))
			b.observe(amount.Amount(sent), arrived)
			if arrived > 0 && b.most(amount.Amount(sent)) != arrived {
				t.Fatalf("of %d, %s arrived, and %s would", sent, arrived, b.most(amount.Amount(sent)))
			}
		}
		if !b.known() {
			return
		}
		if truth.Below(b.low) || !truth.Below(b.high) {
			t.Fatalf("%s is not from %s up to %s", truth, b.low, b.high)
		}
		next := amount.Amount(n.Draw(t, "next"))
		if arrives := truth.Of(next); b.low.Of(next) > arrives || b.most(next) < arrives {
			t.Fatalf("of %s, %s arrive, not from %s to %s", next, arrives, b.low.Of(next), b.most(next))
		}
		if sent, err := b.low.For(next); err == nil && truth.Of(sent) < next {
			t.Fatalf("%s was to bring %s, and brings %s", sent, next, truth.Of(sent))
		}
	})
}

func TestRateLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rate{rapid.Uint64Min(1).Draw(t, "num"), rapid.Uint64Min(1).Draw(t, "den")}
		ppm := rapid.Uint32Max(2*million).Draw(t, "ppm")
		less := r.less(ppm)
		exact := new(big.Rat).SetFrac(new(big.Int).SetUint64(r.Num), new(big.Int).SetUint64(r.Den))
		exact.Mul(exact, big.NewRat(int64(million-min(ppm, million)), million))
		got := new(big.Rat).SetFrac(new(big.Int).SetUint64(less.Num), new(big.Int).SetUint64(less.Den))
		if got.Cmp(exact) > 0 {
			t.Fatalf("%s less %d is %s, which is too high", r, ppm, less)
		}
		if r.Num < 1<<43 && r.Den < 1<<43 && got.Cmp(exact) != 0 {
			t.Fatalf("%s less %d is %s", r, ppm, less)
		}
	})
}

func TestSizes(t *testing.T) {
	claim := func(received, maximum amount.Amount) []byte {
		return ilpcore.AmountTooLarge{Received: received, Maximum: maximum}.Append(nil)
	}
	var s sizes
	check := func(what string, want amount.Amount) {
		t.Helper()
		if got := s.next(); got != want {
			t.Errorf("%s: the next packet is %s, want %s", what, got, want)
		}
	}
	check("nothing is known", amount.Max)
	s.tooLarge(1000, nil)
	check("too large, nothing said", 500)
	s.tooLarge(500, claim(50, 30)) // of another unit
	check("a claim in other units", 300)
	s.passed(300)
	check("the claim holds; is there more?", 400)
	s.tooLarge(400, claim(400, 200))
	check("a claim below what passed", 350)
	s.tooLarge(350, claim(350, 350))
	check("a claim that is no limit", 325)
	s.tooLarge(325, claim(325, 900))
	check("a claim above what was sent", 312)
	s.tooLarge(301, nil)
	check("settled", 300)
	s.tooLarge(200, nil)
	check("the limit was lowered", 100)
	s.passed(100)
	s.passed(250)
	check("the limit was raised", amount.Max)

	s = sizes{}
	s.tooLarge(1, nil)
	check("not even one passes", 0)
}

// TestTrialsFind searches every limit, with any number of probes at once, by liars and silent nodes.
func TestTrialsFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := amount.Amount(rapid.Uint64Range(1, 1<<50).Draw(t, "limit"))
		need := amount.Amount(rapid.Uint64Range(1, 1<<50).Draw(t, "need"))
		width := rapid.IntRange(1, 6).Draw(t, "width")
		kind := rapid.SampledFrom([]string{"silent", "honest", "liar"}).Draw(t, "kind")
		var s sizes
		for rounds := 0; !s.settled() && s.good < need; rounds++ {
			trials := s.trials(need, width)
			if rounds > 70 || len(trials) == 0 || len(trials) > max(2, width) {
				t.Fatalf("round %d has the trials %v with %+v", rounds, trials, s)
			}
			for _, n := range trials {
				if n > need || n <= s.good && !slices.Contains(trials, s.good) {
					t.Fatalf("the trial %s brings nothing: %+v", n, s)
				}
			}
			for _, n := range trials {
				var data []byte
				switch kind {
				case "honest":
					data = ilpcore.AmountTooLarge{Received: n, Maximum: limit}.Append(nil)
				case "liar":
					data = ilpcore.AmountTooLarge{Received: n, Maximum: n - 1}.Append(nil)
				}
				if n > limit {
					s.tooLarge(n, data)
				} else {
					s.passed(n)
				}
			}
		}
		if s.good > limit || s.good < need && limit-s.good > max(1, s.good/512) {
			t.Fatalf("the limit %s was found to be %+v", limit, s)
		}
	})
}

func TestPace(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	p := newPace(16)
	for range 40 {
		p.fulfilled()
	}
	if p.window != 16 {
		t.Fatalf("the window is %d", p.window)
	}
	pause, last := firstPause, uint64(100)
	for _, want := range []int{8, 4, 2, 1, 1, 1, 1, 1, 1} {
		if !p.congested(last, last, now, rand.Reader) || p.window != want {
			t.Errorf("the window is %d, want %d", p.window, want)
		}
		if got := p.until.Sub(now); got > pause || got < pause/2 {
			t.Errorf("the pause is %s, of %s", got, pause)
		}
		if before := p; p.congested(last, last, now, rand.Reader) || p != before {
			t.Error("a packet of the same burst counts again")
		}
		last++
		pause = min(2*pause, longestPause)
	}
	p.fulfilled()
	if p.window != 2 || p.failures != 0 {
		t.Errorf("after a success it is %+v", p)
	}
	p.fulfilled()
	p.fulfilled()
	if p.window != 3 {
		t.Errorf("after a window of successes it is %+v", p)
	}
}

// TestLastPacketWaits shows that the packet that completes a delivery leaves alone.
func TestLastPacketWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t)
		link := &network{to: m, conditions: conditions{max: 300, delay: 100 * time.Millisecond}}
		beside := -1
		link.observe = func(in ilpcore.Incoming) {
			if in.Amount == 100 {
				time.Sleep(time.Millisecond) // others that left with it are on their way by now
				link.mu.Lock()
				beside = link.inFlight - 1
				link.mu.Unlock()
			}
		}
		payment := m.payment(t, 10, false)
		payment.Deliver = 1000
		got, err := streamOver(link).Pay(t.Context(), payment)
		if err != nil || got.Delivered != 1000 || beside != 0 || link.most < 3 {
			t.Errorf("got %+v, %v; %d packets were beside the last, %d at most", got, err, beside, link.most)
		}
	})
}

func TestHostPromises(t *testing.T) {
	var h hosts
	one := h.get("one")
	if h.get("one") != one || h.get("two") == one {
		t.Fatal("hosts are mixed up")
	}
	v := one.arrive()
	if one.changed(v) || one.shared(v) || one.spendable(30) != 30 {
		t.Errorf("nothing happened, and it is %+v", one)
	}
	one.paid(10)
	if !one.changed(v) || one.spendable(30) != 20 || one.spendable(5) != 0 {
		t.Errorf("10 are promised, and it is %+v", one)
	}
	one.used(10)
	one.arrive()
	if one.spendable(30) != 30 || !one.shared(v) || one.forgettable() {
		t.Errorf("two requests are under way, and it is %+v", one)
	}
	one.depart()
	one.depart()
	if !one.shared(v) || !one.forgettable() {
		t.Errorf("all is over, and it is %+v", one)
	}
	for i := range 2 * mostHosts {
		h.get(string(rune('a'+i%26)) + time.Duration(i).String())
	}
	if len(h.byName) > mostHosts {
		t.Errorf("%d hosts are remembered", len(h.byName))
	}
}

// TestStreamLacksLiquidity pays over a way that says T04 to packets above a size, now or from some moment on.
func TestStreamLacksLiquidity(t *testing.T) {
	for _, payment := range []Payment{{Send: 50_000}, {Deliver: 50_000}, {Deliver: 50_000, MaxSend: 50_000}} {
		synctest.Test(t, func(t *testing.T) {
			m := newMarket(t)
			link := &network{to: m, conditions: conditions{liquid: 400, delay: 20 * time.Millisecond}}
			quote := m.payment(t, 10, false)
			payment.Address, payment.Secret = quote.Address, quote.Secret
			begun := time.Now()
			got, err := streamOver(link).Pay(t.Context(), payment)
			if err != nil || got.Delivered != 50_000 || got.Sent != 50_000 || m.till.sum() != 50_000 {
				t.Errorf("got %+v, %v", got, err)
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %s, for %+v", took, got)
			}
			t.Logf("%+v in %s", got, time.Since(begun))
		})
	}
}

func TestSequenceEnds(t *testing.T) {
	sender := streamOver(nil)
	sender.InFlight = -1
	if _, err := sender.Pay(t.Context(), Payment{Address: "test.x", Secret: make([]byte, 32), Send: 1}); !errors.Is(err, ErrPayment) {
		t.Errorf("a negative window: %v", err)
	}
	c := newConnection(t.Context(), streamOver(nil), Payment{Address: "test.x", Secret: make([]byte, 32)})
	defer c.abandon()
	c.sequence = maxSequence
	if err := c.send(sent{}, nil); err != ErrTooManyPackets || c.inFlight != 0 {
		t.Errorf("got %v, %d in flight", err, c.inFlight)
	}
}

// TestMeasuringOutlastsT04 refuses the first packets of which anything would arrive for lack of liquidity: the smallest alone, of which nothing does, is no
// measure.
func TestMeasuringOutlastsT04(t *testing.T) {
	for _, test := range []struct {
		refusals int64
		smallest bool // is refused too, for another reason
		deliver  amount.Amount
		most     amount.Amount
	}{{1, false, 1, 5}, {2, false, 1, 5}, {4, false, 1, 5}, {10, false, 1, 5}, {4, true, 2, 3}, {6, true, 2, 3}} {
		synctest.Test(t, func(t *testing.T) {
			m := newMarket(t)
			to := &network{to: m, conditions: conditions{rate: Rate{99, 100}}}
			var seen atomic.Int64
			link := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
				if (in.Amount > 1 || test.smallest) && seen.Add(1) <= test.refusals {
					code := ilpcore.T04
					if in.Amount == 1 {
						code = ilpcore.T05
					}
					return ilpcore.Reject(code, "test.connector", "not now", nil)
				}
				return to.HandlePrepare(ctx, in)
			})
			payment := m.payment(t, test.deliver, false)
			payment.Deliver, payment.MaxSend = test.deliver, test.most
			got, err := streamOver(link).Pay(t.Context(), payment)
			if err != nil || got.Delivered != test.deliver || got.Sent != to.paid || got.Sent > test.most {
				t.Errorf("%+v: got %+v, %v; %s were paid", test, got, err, to.paid)
			}
		})
	}
}
