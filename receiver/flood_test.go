package receiver

// This file floods the receiver with packets that cost their sender little: what is remembered of them stays bounded, the money
// stays exact, and other tokens are served as before.

import (
	"crypto/rand"
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/ilpcore"
)

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
	ledger := f.durable()
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
// session only of those that were paid, 100,000 at most; a smaller flood meets smaller limits.
func TestFloodOfDistinctQuotes(t *testing.T) {
	for _, test := range []struct {
		name     string
		n        int
		money    amount.Amount
		probe    bool
		outcome  string
		sessions int // at most
		bytes    int // at most
	}{
		{"probes", 20_000, 10, true, "F99", 0, 40 << 20},
		{"too much", 20_000, 1000, false, "F99", 0, 40 << 20},
		{"paid", 120_000, 1, false, "fulfill", 100_000, 96 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := scaled(test.n)
			f := newFixture(t)
			if f.opened.limit != 8192 || f.sessions.byQuote.limit != 100_000 {
				t.Fatalf("the limits are %d quotes and %d sessions", f.opened.limit, f.sessions.byQuote.limit)
			}
			f.opened.limit, f.sessions.byQuote.limit = scaled(8192), scaled(100_000)
			ledger := &counted{}
			f.Receiver.crediter = ledger
			before := heap()
			got := f.flood(n, 4, func(i int) ilpcore.Incoming {
				return f.packets(f.quoteFor(payeeOf(i), 10)).packet(test.money, test.probe)
			})
			wantOutcomes(t, got, test.outcome, n)
			wantGrowth(t, before, int64(scaled(test.bytes)))
			t.Logf("%d quotes and %d sessions are kept", f.opened.len(), f.sessions.Len())
			if f.opened.len() > scaled(8192) || f.sessions.Len() > scaled(test.sessions) {
				t.Errorf("%d quotes and %d sessions are kept", f.opened.len(), f.sessions.Len())
			}
			if f.opened.turnovers < 2 || test.sessions > 0 && f.sessions.byQuote.turnovers < 2 { // the first begins with the first quote
				t.Error("the flood did not come to the limits")
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
	for i := range 200_000 {
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
	f.sessions = &Sessions{byQuote: newGenerations[*session](1000, 10*time.Minute)}
	f.opened = newGenerations[*opened](1000, 10*time.Minute)
	victim := f.packets(f.quote(true, 1000))
	f.code(f.handle(victim.packet(1, false)), fulfilled)
	rest, _ := f.node.Suffix([]byte(victim.quote.Address))
	segment, _ := firstSegment(rest)
	keys, _ := f.opened.get(segment, f.now)
	for round := range 12 {
		f.flood(400, 2, func(i int) ilpcore.Incoming {
			return f.packets(f.quoteFor(payeeOf(round*400+i), 10)).packet(1, false)
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
	ledger := f.durable()
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
	after := runtime.NumGoroutine()
	for end := time.Now().Add(10 * time.Second); after > before && time.Now().Before(end); after = runtime.NumGoroutine() {
		time.Sleep(time.Millisecond) // the store's checkpoint has one for a moment
	}
	if after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}
