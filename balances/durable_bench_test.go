package balances

// This file measures durable charges beside what one would do without a ledger, one synced Badger transaction per charge, and one account
// for all beside many. What is compared takes turns in one run: the machine may be shared.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
)

const (
	benchAccounts = 100_000
	benchTurn     = 250 * time.Millisecond
)

// BenchmarkDurable takes turns of a quarter of a second: with -benchtime=5x five pairs, of whose rates and ratios it reports the medians.
func BenchmarkDurable(b *testing.B) {
	l := newBenchOn(b, Options{Now: time.Now, CacheSize: 2 * benchAccounts}, true)
	names := fill(l, benchAccounts)
	plain := newPlain(b, names)
	for _, spread := range []int{1, benchAccounts} {
		for _, workers := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("%s/%d", spreadName(spread), workers), func(b *testing.B) {
				compare(b, "badger", func() float64 { return l.rate(b, workers, names[:spread]) },
					func() float64 { return plain.rate(b, workers, names[:spread]) })
			})
		}
	}
}

// BenchmarkHot is charges of one account beside charges of many.
func BenchmarkHot(b *testing.B) {
	l := newBenchOn(b, Options{Now: time.Now, CacheSize: 2 * benchAccounts}, true)
	names := fill(l, benchAccounts)
	for _, workers := range []int{64, 512} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			compare(b, "spread", func() float64 { return l.rate(b, workers, names[:1]) },
				func() float64 { return l.rate(b, workers, names) })
		})
	}
}

func spreadName(accounts int) string {
	if accounts == 1 {
		return "hot"
	}
	return "spread"
}

// compare has the two take turns, and reports the medians.
func compare(b *testing.B, other string, ours, theirs func() float64) {
	var our, their, ratio []float64
	for b.Loop() {
		our = append(our, ours())
		their = append(their, theirs())
		ratio = append(ratio, our[len(our)-1]/their[len(their)-1])
	}
	b.ReportMetric(median(our), "charges/s")
	b.ReportMetric(median(their), other+"/s")
	b.ReportMetric(median(ratio), "ratio")
	b.ReportMetric(0, "ns/op") // a turn's length says nothing
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// rate is how many charges a second there were in a turn.
func rate(b *testing.B, workers int, names []Account, charge func(a Account) error) float64 {
	var done atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for w := range workers {
		wg.Go(func() {
			for i := w; time.Since(start) < benchTurn; i += workers {
				if err := charge(names[i%len(names)]); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}

func (b *bench) rate(tb *testing.B, workers int, names []Account) float64 {
	return rate(tb, workers, names, func(a Account) error {
		r, err := b.Reserve(ctx, a, 1)
		if err == nil {
			_, err = r.Settle(ctx, 1)
		}
		return err
	})
}

// plain is balances in Badger, and nothing else: each charge reads and writes its balance in a transaction of its own, which is synced, and
// tried again when another one was quicker.
type plain struct{ db *badger.DB }

func newPlain(b *testing.B, names []Account) plain {
	db, err := badger.Open(badger.DefaultOptions(b.TempDir()).WithLogger(nil).WithSyncWrites(true))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	batch := db.NewWriteBatch()
	for _, a := range names {
		if err := batch.Set(balanceKey(a), binary.BigEndian.AppendUint64(nil, 1<<40)); err != nil {
			b.Fatal(err)
		}
	}
	if err := batch.Flush(); err != nil {
		b.Fatal(err)
	}
	return plain{db}
}

func (p plain) rate(b *testing.B, workers int, names []Account) float64 {
	return rate(b, workers, names, p.charge)
}

func (p plain) charge(a Account) error {
	for {
		err := p.db.Update(func(txn *badger.Txn) error {
			item, err := txn.Get(balanceKey(a))
			if err != nil {
				return err
			}
			var balance uint64
			if err := item.Value(func(b []byte) error { balance = binary.BigEndian.Uint64(b); return nil }); err != nil {
				return err
			}
			if balance == 0 {
				return ErrInsufficient
			}
			return txn.Set(balanceKey(a), binary.BigEndian.AppendUint64(nil, balance-1))
		})
		if !errors.Is(err, badger.ErrConflict) {
			return err
		}
	}
}
