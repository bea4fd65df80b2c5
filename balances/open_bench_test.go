package balances

// This file measures a large ledger: how long opening and auditing take, and what its accounts cost in memory. It is for those who ask for it:
//
//	PAYDOOR_BENCH_ACCOUNTS=10000000 go test -run xxx -bench OpenTenMillion -benchtime 1x -timeout 60m ./balances
//
// With PAYDOOR_BENCH_DIR the ledger is made in that directory, and used again by the next run.

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/paydoor/paydoor/store"
)

func BenchmarkOpenTenMillion(b *testing.B) {
	accounts, err := strconv.Atoi(os.Getenv("PAYDOOR_BENCH_ACCOUNTS"))
	if err != nil || accounts <= 0 {
		b.Skip("set PAYDOOR_BENCH_ACCOUNTS=10000000: it takes minutes, and 2 GB of disk")
	}
	dir := filepath.Join(b.TempDir(), "ledger")
	if kept := os.Getenv("PAYDOOR_BENCH_DIR"); kept != "" {
		dir = filepath.Join(kept, strconv.Itoa(accounts))
	}
	if _, err := os.Stat(dir); err != nil {
		start := time.Now()
		makeLarge(b, dir, accounts)
		b.Logf("%d accounts made in %v", accounts, time.Since(start).Round(time.Second))
	}
	b.ResetTimer()
	for b.Loop() {
		before := heap()
		start := time.Now()
		s, err := store.Open(ctx, dir, store.Options{MinFree: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "open-store-s")
		l, err := Open(s, Options{CacheSize: accounts + accounts/10 + 10*shardCount})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "open-s")
		b.StopTimer()
		b.ReportMetric(float64(heap()-before)/1e6, "open-MB")
		reportAudit(b, l, accounts)
		reportResident(b, l, accounts)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// makeLarge gives each account a balance and an event, and waits until Badger has compacted what it had to: opening is measured, not that.
func makeLarge(b *testing.B, dir string, accounts int) {
	s, err := store.Open(ctx, dir, store.Options{MinFree: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l, err := Open(s, Options{})
	if err != nil {
		b.Fatal(err)
	}
	var ticket store.Ticket
	for n := 0; n < accounts; n += 400 {
		ticket, err = s.Join(func(g *store.Group) {
			for i := n; i < min(n+400, accounts); i++ {
				l.giveDirectly(g, account(i), 1<<40)
			}
		})
		if err == nil && s.Backlog() > waitBacklog {
			err = ticket.Wait(ctx)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := ticket.Wait(ctx); err != nil {
		b.Fatal(err)
	}
	for quiet := 0; quiet < 10; quiet++ {
		before := listTime(b, dir)
		time.Sleep(time.Second)
		if !listTime(b, dir).Equal(before) {
			quiet = 0
		}
	}
}

// listTime is when Badger's list of tables was last changed.
func listTime(b *testing.B, dir string) time.Time {
	lists, err := filepath.Glob(filepath.Join(dir, "*", "MANIFEST"))
	if err != nil || len(lists) != 1 {
		b.Fatal(lists, err)
	}
	info, err := os.Stat(lists[0])
	if err != nil {
		b.Fatal(err)
	}
	return info.ModTime()
}

// looking counts the largest heap while it is asked whether it has ended, now and then.
type looking struct {
	context.Context
	asked int
	most  uint64
}

func (c *looking) Err() error {
	if c.asked++; c.asked%1_000_000 == 0 {
		c.most = max(c.most, heap())
	}
	return nil
}

func reportAudit(b *testing.B, l *Ledger, accounts int) {
	watch := &looking{Context: ctx}
	start := time.Now()
	r, err := l.Audit(watch)
	if err != nil || r.Accounts != uint64(accounts) {
		b.Fatal(r, err)
	}
	b.ReportMetric(time.Since(start).Seconds(), "audit-s")
	b.ReportMetric(float64(watch.most)/1e6, "audit-MB")
}

func reportResident(b *testing.B, l *Ledger, accounts int) {
	before := heap()
	for n := range accounts {
		if got, err := l.Balance(ctx, account(n)); err != nil || got.Spendable != 1<<40 {
			b.Fatal(got, err)
		}
	}
	b.ReportMetric(float64(heap()-before)/float64(accounts), "bytes/account")
	if n := l.accounts.resident(); n != accounts {
		b.Fatalf("%d accounts in memory", n)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
