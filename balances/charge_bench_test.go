package balances

// This file measures durable charges, one account for all and many accounts, and what a charge allocates.

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

func BenchmarkChargeHot(b *testing.B)  { benchmarkCharges(b, 1) }
func BenchmarkChargeMany(b *testing.B) { benchmarkCharges(b, 100_000) }

func benchmarkCharges(b *testing.B, accounts int) {
	for _, durability := range []Durability{Group, Process} {
		for _, workers := range []int{64, 512} {
			b.Run(fmt.Sprintf("%s/%d", []string{"group", "process"}[durability], workers), func(b *testing.B) {
				l := newBenchOn(b, Options{Durability: durability, Now: time.Now, CacheSize: 2 * accounts}, true)
				names := fill(l, accounts)
				first := l.store.Durable()
				var next atomic.Int64
				took := make([]time.Duration, b.N)
				b.ReportAllocs()
				runtime.GC()
				b.ResetTimer()
				cpu := cpuTime(b)
				var wg sync.WaitGroup
				for range workers {
					wg.Go(func() {
						for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
							start := time.Now()
							r, err := l.Reserve(ctx, names[int(i)%len(names)], 2)
							if err == nil {
								_, err = r.Settle(ctx, 1)
							}
							if err != nil {
								b.Error(err)
								return
							}
							took[i] = time.Since(start)
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				b.ReportMetric(float64(cpuTime(b)-cpu)/float64(b.N), "cpu-ns/op")
				slices.Sort(took)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "charges/s")
				b.ReportMetric(float64(b.N)/float64(l.store.Durable()-first), "charges/group")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}

// fill gives many accounts a balance of 2^40, without going through credits.
func fill(l *bench, accounts int) []Account {
	names := make([]Account, accounts)
	for i := range names {
		names[i] = account(i)
	}
	for chunk := range slices.Chunk(names, 400) {
		ticket, err := l.store.Join(func(g *store.Group) {
			for _, a := range chunk {
				l.giveDirectly(g, a, 1<<40)
			}
		})
		if err != nil || ticket.Wait(ctx) != nil {
			l.t.Fatal(err)
		}
	}
	for _, a := range names { // from the store into memory
		l.want(a, 1<<40, 0)
	}
	return names
}

func BenchmarkCredit(b *testing.B) {
	for _, workers := range []int{64, 512} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			l := newBench(b, Options{Now: time.Now})
			var next atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if _, err := l.Credit(ctx, Credit{Account: account(int(i) % 1000), Amount: 1, Condition: condition(int(i))}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "credits/s")
		})
	}
}

func BenchmarkReserveRelease(b *testing.B) {
	l := newBench(b, Options{})
	a := account(1)
	l.give(a, 100)
	b.ReportAllocs()
	for b.Loop() {
		r, err := l.Reserve(ctx, a, 1)
		if err != nil {
			b.Fatal(err)
		}
		r.Release()
	}
}

// What a charge leaves to the garbage collector is its Reservation; the store's part is per group.
func TestChargeAllocatesItsReservationOnly(t *testing.T) {
	b := newBench(t, Options{Durability: Process})
	a := account(1)
	b.give(a, 1e9)
	b.charge(a, 1)
	defer b.holdCommits()()
	n := testing.AllocsPerRun(1000, func() {
		r, err := b.Reserve(ctx, a, 2)
		if err == nil {
			_, err = r.Settle(ctx, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if n > 2 {
		t.Errorf("%v allocations a charge", n)
	} else {
		t.Logf("%v allocations a charge", n)
	}
}

// giveDirectly puts an account that is new, and not in memory, into a join.
func (l *Ledger) giveDirectly(g *store.Group, a Account, n amount.Amount) {
	putRecord(g, a, record{balance: n})
	l.note(g, a, Event{Kind: Raised, Amount: n})
	l.totals.Raised = l.totals.Raised.Plus(n)
	l.unput = true
}
