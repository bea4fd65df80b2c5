package connector

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

func benchNode(b *testing.B, books *Books) *Node {
	return newNode(b, Config{
		Address: "test.gw", Asset: usd9, Now: func() time.Time { return noon }, Books: books, Rates: newRates(b, "0.02", "USD", "1", "EUR", "1.17"),
		Accounts: []Account{
			{ID: "alice", MaxPacketsPerMinute: 1 << 30, MaxAmountPerMinute: 1 << 62, MaxInFlight: 1 << 20},
			{ID: "bob", Asset: ilpcore.Asset{Code: "EUR", Scale: 9}, Link: answers(ilpcore.Fulfill(testFulfillment, nil))},
			{ID: "ping", Link: NewPingLink()},
		},
		Routes: []Route{{"test.bob", "bob"}, {"test.ping", "ping"}},
	})
}

// BenchmarkForward is a packet with an exchange and balances in memory.
func BenchmarkForward(b *testing.B) {
	n := benchNode(b, nil)
	in := packet("alice", "test.bob.x")
	b.ReportAllocs()
	for b.Loop() {
		if !n.HandlePrepare(context.Background(), in).Fulfilled {
			b.Fatal("rejected")
		}
	}
}

// BenchmarkForwardDurably is many packets at once, each balance on disk before its answer.
func BenchmarkForwardDurably(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "store"), store.Options{})
	n := benchNode(b, openBooks(b, s))
	in := ilpcore.Incoming{From: "alice", Prepare: ilpcore.Ping("test.ping", 10, noon.Add(20*time.Second))}
	in.Amount = 10
	var rejected atomic.Int64
	b.SetParallelism(64)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if !n.HandlePrepare(context.Background(), in).Fulfilled {
				rejected.Add(1)
			}
		}
	})
	if rejected.Load() > 0 {
		b.Errorf("%d were rejected", rejected.Load())
	}
}
