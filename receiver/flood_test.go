package receiver

// This file floods the receiver with packets that cost their sender little: what is remembered of them stays bounded, the money
// stays exact, and other tokens are served as before.

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// scaled is n with PAYDOOR_FLOOD=1, else a tenth of it: enough to see a leak of a few bytes per packet.
func scaled(n int) int {
	if os.Getenv("PAYDOOR_FLOOD") == "1" {
		return n
	}
	return n / 10
}

// heap returns how many bytes are in use once everything unreachable is gone; twice, because a pool survives one collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// wantGrowth demands that at most limit bytes more are in use than before.
func wantGrowth(t testing.TB, before, limit int64) {
	t.Helper()
	grown := heap() - before
	t.Logf("%d kB more in use", grown>>10)
	if grown > limit {
		t.Errorf("%d bytes more are in use, want at most %d", grown, limit)
	}
}

// counted is a ledger that takes everything and remembers nothing but the sum, so that what grows is the receiver's.
type counted struct{ sum, credits atomic.Int64 }

func (c *counted) Credit(_ context.Context, credit Credit) (bool, error) {
	c.sum.Add(int64(credit.Amount))
	c.credits.Add(1)
	return false, nil
}

func (c *counted) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

// flood sends n packets from several goroutines and counts the outcomes, "fulfill" or a reject's code.
func (f *fixture) flood(n, workers int, packet func(i int) ilpcore.Incoming) map[string]int {
	var next atomic.Int64
	var mu sync.Mutex
	outcomes := map[string]int{}
	var together sync.WaitGroup
	for range workers {
		together.Go(func() {
			mine := map[string]int{}
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				mine[outcomeOf(f.handle(packet(i)))]++
			}
			mu.Lock()
			defer mu.Unlock()
			for outcome, count := range mine {
				outcomes[outcome] += count
			}
		})
	}
	together.Wait()
	return outcomes
}

func outcomeOf(reply ilpcore.Reply) string {
	if reply.Fulfilled {
		return "fulfill"
	}
	return reply.Code.String()
}

// wantOutcomes demands that every packet had the one outcome.
func wantOutcomes(t testing.TB, got map[string]int, want string, n int) {
	t.Helper()
	if len(got) != 1 || got[want] != n {
		t.Errorf("the outcomes are %v, want %d times %s", got, n, want)
	}
}

// packets seals STREAM packets for one quote without deriving its keys each time.
type packets struct {
	fixture *fixture
	quote   Quote
	keys    *ilpcore.EndToEnd
}

func (f *fixture) packets(q Quote) packets {
	return packets{f, q, stream.Keys(q.SharedSecret[:])}
}

// packet is a payment of n units. A probe has a condition that nobody can fulfill.
func (p packets) packet(n amount.Amount, probe bool) ilpcore.Incoming {
	b := stream.Begin(nil, ilpcore.TypePrepare, 5, 0)
	b.StreamMoney(stream.StreamMoney{StreamID: 1, Shares: uint64(n)})
	plain, err := b.Finish()
	if err != nil {
		p.fixture.t.Error(err)
	}
	return p.fixture.prepare(p.keys, p.quote, n, plain, !probe)
}

// payeeOf is a payee of its own for each n.
func payeeOf(n int) Payee {
	var id [32]byte
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	return TokenPayee(id)
}

func (f *fixture) quoteFor(p Payee, due amount.Amount) Quote {
	q, err := f.Quote(QuoteRequest{Payee: p, Token: token, Due: due, Capped: true})
	if err != nil {
		f.t.Error(err)
	}
	return q
}

// TestFloodOfDust: single units, one packet each. The receiver keeps nothing of them, whatever kind of quote they go to.
func TestFloodOfDust(t *testing.T) {
	n := scaled(200_000)
	for name, capped := range map[string]bool{"open": false, "capped": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			ledger := &counted{}
			f.Receiver.crediter = ledger
			dust := f.packets(f.quote(capped, amountOf(uint64(n))))
			before := heap()
			wantOutcomes(t, f.flood(n, 4, func(int) ilpcore.Incoming { return dust.packet(1, false) }), "fulfill", n)
			if ledger.sum.Load() != int64(n) || ledger.credits.Load() != int64(n) {
				t.Errorf("%d units in %d credits, want %d", ledger.sum.Load(), ledger.credits.Load(), n)
			}
			wantGrowth(t, before, 64<<10)
			if f.opened.len() != 1 || f.sessions.Len() > 1 {
				t.Errorf("%d quotes and %d sessions are kept", f.opened.len(), f.sessions.Len())
			}
			runtime.KeepAlive(f)
		})
	}
}

// TestFloodOfDustIsExact: the same into the real ledger. It keeps a fingerprint of each for ten minutes, and every unit counts once.
func TestFloodOfDustIsExact(t *testing.T) {
	n := scaled(200_000)
	f := newFixture(t)
	f.now = time.Now()
	ledger := openLedger(t, nil, balances.Options{})
	f.Receiver.crediter = ledger
	dust := f.packets(f.quote(false, 10))
	began := time.Now()
	before := heap()
	wantOutcomes(t, f.flood(n, 512, func(int) ilpcore.Incoming { return dust.packet(1, false) }), "fulfill", n)
	t.Logf("%d durable credits in %v", n, time.Since(began))
	wantGrowth(t, before, 64<<20+int64(n)*200)
	ledger.wantBooks(t, map[[32]byte]amount.Amount{payee.ID: amountOf(uint64(n))})
}

// TestDustBeyondWhatIsRemembered: a ledger that remembers as many credits as it may answers T03, with data and for everybody, until
// ten minutes have passed; it never forgets a duplicate to make room.
func TestDustBeyondWhatIsRemembered(t *testing.T) {
	const room, n = 1000, 3000
	f := newFixture(t)
	clock := newHandClock()
	ledger := openLedger(t, clock, balances.Options{Remember: room})
	f.Receiver.crediter, f.Receiver.now = ledger, clock.now
	dust := f.packets(f.quote(false, 10))
	first := dust.packet(1, false)
	f.code(f.handle(first), fulfilled)
	outcomes := f.flood(n, 16, func(int) ilpcore.Incoming { return dust.packet(1, false) })
	credited := outcomes["fulfill"] + 1
	if outcomes["fulfill"]+outcomes["T03"] != n || credited < room || credited > room+16 {
		t.Errorf("the outcomes are %v", outcomes)
	}
	f.code(f.handle(first), fulfilled)
	reply := f.handle(dust.packet(1, false))
	f.code(reply, ilpcore.T03)
	f.said(dust.quote, reply, 1)
	clock.pass(12 * time.Minute)
	f.now = clock.now()
	f.code(f.handle(dust.packet(1, false)), fulfilled)
	ledger.wantBooks(t, map[[32]byte]amount.Amount{payee.ID: amountOf(uint64(credited + 1))})
}

// TestFloodOfProbes: packets that nobody can fulfill never reach Credit and leave nothing.
func TestFloodOfProbes(t *testing.T) {
	n := scaled(200_000)
	f := newFixture(t)
	ledger := &counted{}
	f.Receiver.crediter = ledger
	probes := f.packets(f.quote(true, 10))
	before := heap()
	wantOutcomes(t, f.flood(n, 4, func(int) ilpcore.Incoming { return probes.packet(amount.Max, true) }), "F99", n)
	wantGrowth(t, before, 64<<10)
	if ledger.credits.Load() != 0 || f.sessions.Len() != 0 || f.opened.len() != 1 {
		t.Errorf("%d credits, %d sessions, %d quotes", ledger.credits.Load(), f.sessions.Len(), f.opened.len())
	}
}

// TestFloodOfQuotes: what is asked for and never paid leaves nothing.
func TestFloodOfQuotes(t *testing.T) {
	f := newFixture(t)
	before := heap()
	for i := range scaled(200_000) {
		f.quoteFor(payeeOf(i), 10)
	}
	wantGrowth(t, before, 64<<10)
	if f.opened.len() != 0 || f.sessions.Len() != 0 {
		t.Errorf("%d quotes and %d sessions are kept", f.opened.len(), f.sessions.Len())
	}
}

// TestFloodOfStrangers: data that nobody can decrypt, each to a quote of its own.
func TestFloodOfStrangers(t *testing.T) {
	n := scaled(50_000)
	f := newFixture(t)
	ledger := &counted{}
	f.Receiver.crediter = ledger
	before := heap()
	wantOutcomes(t, f.flood(n, 4, func(i int) ilpcore.Incoming {
		in := ilpcore.Incoming{From: "uplink", Prepare: ilpcore.Prepare{
			Amount: 10, ExpiresAt: f.now.Add(30 * time.Second), Destination: []byte(f.quoteFor(payeeOf(i), 10).Address), Data: make([]byte, 64),
		}}
		rand.Read(in.Data)
		return in
	}), "F06", n)
	wantGrowth(t, before, 64<<10)
	if ledger.credits.Load() != 0 || f.opened.len() != 0 || f.sessions.Len() != 0 {
		t.Errorf("%d credits, %d quotes, %d sessions", ledger.credits.Load(), f.opened.len(), f.sessions.Len())
	}
}

// TestFloodOfDistinctQuotes: packets that decrypt, each to a capped quote of its own. The keys of at most 8192 are kept, and a
// session only of those that were paid, 100,000 at most.
func TestFloodOfDistinctQuotes(t *testing.T) {
	for _, test := range []struct {
		name     string
		n        int
		money    amount.Amount
		probe    bool
		outcome  string
		sessions int   // at most
		bytes    int64 // at most
	}{
		{"probes", 20_000, 10, true, "F99", 0, 32 << 20},
		{"too much", 20_000, 1000, false, "F99", 0, 32 << 20},
		{"paid", 120_000, 1, false, "fulfill", 100_000, 96 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := scaled(test.n)
			f := newFixture(t)
			ledger := &counted{}
			f.Receiver.crediter = ledger
			before := heap()
			got := f.flood(n, 4, func(i int) ilpcore.Incoming {
				return f.packets(f.quoteFor(payeeOf(i), 10)).packet(test.money, test.probe)
			})
			wantOutcomes(t, got, test.outcome, n)
			wantGrowth(t, before, test.bytes)
			t.Logf("%d quotes and %d sessions are kept", f.opened.len(), f.sessions.Len())
			if f.opened.len() > 8192 || f.sessions.Len() > test.sessions {
				t.Errorf("%d quotes and %d sessions are kept", f.opened.len(), f.sessions.Len())
			}
			if test.outcome != "fulfill" && ledger.credits.Load() != 0 {
				t.Errorf("%d credits", ledger.credits.Load())
			}
			runtime.KeepAlive(f)
		})
	}
}

// TestGenerationsStayBounded: however many keys come, and however often some of them come again, the limit of sessions holds.
func TestGenerationsStayBounded(t *testing.T) {
	g := NewSessions().byQuote
	most := 0
	for i := range 400_000 {
		key := binary.BigEndian.AppendUint64(nil, uint64(i))
		g.getOrPut(key, start, func() *session { return nil })
		binary.BigEndian.PutUint64(key, uint64(i/2))
		g.get(key, start)
		if i%1000 == 0 {
			most = max(most, g.len())
		}
	}
	if most > 100_000 || most < 75_000 {
		t.Errorf("up to %d are kept", most)
	}
	g.get([]byte("long after"), start.Add(11*time.Minute))
	g.get([]byte("longer after"), start.Add(22*time.Minute))
	if n := g.len(); n != 0 {
		t.Errorf("%d are kept after all that time", n)
	}
}

// TestFloodPushesNobodyOut: a token in use keeps its keys and its session however many quotes others bring along, so that what it
// costs to serve it, and what is known of it, do not change.
func TestFloodPushesNobodyOut(t *testing.T) {
	f := newFixture(t)
	f.Receiver.crediter = &counted{}
	f.sessions = &Sessions{byQuote: newGenerations[*session](4000, 10*time.Minute)}
	victim := f.packets(f.quote(true, 1000))
	f.code(f.handle(victim.packet(1, false)), fulfilled)
	segment, _ := f.Receiver.segment([]byte(victim.quote.Address))
	keys, _ := f.opened.get(segment, f.now)
	for round := range 12 {
		f.flood(1500, 2, func(i int) ilpcore.Incoming {
			return f.packets(f.quoteFor(payeeOf(round*1500+i), 10)).packet(1, false)
		})
		reply := f.handle(victim.packet(1, false))
		f.code(reply, fulfilled)
		if total := f.said(victim.quote, reply, 1).total; total != amountOf(uint64(round+2)) {
			t.Fatalf("round %d: the session says %s", round, total)
		}
	}
	if still, _ := f.opened.get(segment, f.now); still != keys || f.opened.turnovers < 2 || f.sessions.byQuote.turnovers < 2 {
		t.Errorf("the keys are other ones: %v; %d and %d turnovers", still != keys, f.opened.turnovers, f.sessions.byQuote.turnovers)
	}
}

// TestOthersDuringAFlood: while dust, probes, strangers and new quotes pour in, somebody else's packets are each credited and
// answered, into the real ledger.
func TestOthersDuringAFlood(t *testing.T) {
	const parts = 100
	f := newFixture(t)
	f.now = time.Now()
	ledger := openLedger(t, nil, balances.Options{})
	f.Receiver.crediter = ledger
	dust, victim := f.packets(f.quoteFor(payeeOf(1), 1<<40)), f.packets(f.quote(true, parts))
	before := runtime.NumGoroutine()

	var over atomic.Bool
	var dusted atomic.Int64
	var flooders sync.WaitGroup
	for _, packet := range []func() ilpcore.Incoming{
		func() ilpcore.Incoming { dusted.Add(1); return dust.packet(1, false) },
		func() ilpcore.Incoming { dusted.Add(1); return dust.packet(1, false) },
		func() ilpcore.Incoming { return dust.packet(amount.Max, true) },
		func() ilpcore.Incoming { in := dust.packet(10, false); in.Data[20] ^= 1; return in },
		func() ilpcore.Incoming { return f.packets(f.quoteFor(payeeOf(2), 10)).packet(1000, false) },
	} {
		flooders.Go(func() {
			for !over.Load() {
				f.handle(packet())
			}
		})
	}
	var slowest time.Duration
	for i := range parts {
		began := time.Now()
		reply := f.handle(victim.packet(1, false))
		slowest = max(slowest, time.Since(began))
		f.code(reply, fulfilled)
		if told := f.said(victim.quote, reply, 1); told.total != amountOf(uint64(i+1)) || told.goAhead != (i == parts-1) {
			t.Fatalf("part %d: %+v", i, told)
		}
	}
	over.Store(true)
	flooders.Wait()
	t.Logf("the slowest of %d packets took %v beside %d of dust", parts, slowest, dusted.Load())
	if slowest > 5*time.Second {
		t.Errorf("a packet took %v", slowest)
	}
	ledger.wantBooks(t, map[[32]byte]amount.Amount{payee.ID: parts, payeeOf(1).ID: amountOf(uint64(dusted.Load()))})
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}
