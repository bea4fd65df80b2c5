package receiver

// This file is what the floods share: packets in great numbers, what they are worth, and how much memory is left in use.

import (
	"context"
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

// durable gives the receiver the real ledger. The receiver's clock stands an hour ahead, so that no packet expires while the test runs.
func (f *fixture) durable() *realLedger {
	ledger := openLedger(f.t, nil, balances.Options{})
	f.now, f.Receiver.crediter = time.Now().Add(time.Hour), ledger
	return ledger
}
