package balances

// This file is what the tests share: a ledger on a store, with clocks, faults and crashes that a test controls.

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("PAYDOOR_LEDGER_CHILD"); dir != "" {
		child(dir)
		return
	}
	if err := flag.Set("rapid.checks", "6"); err != nil { // each opens stores; more with -rapid.checks
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

var ctx = context.Background()

// testClock is a wall clock and a clock that never jumps, both set by hand.
type testClock struct {
	mu      sync.Mutex
	wall    time.Time
	elapsed time.Duration
}

func newClock() *testClock { return &testClock{wall: time.Unix(1_800_000_000, 0)} }

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall
}

func (c *testClock) since() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.elapsed
}

// jump sets the wall clock off, pass lets time pass.
func (c *testClock) jump(d time.Duration) { c.move(d, 0) }
func (c *testClock) pass(d time.Duration) { c.move(d, d) }

func (c *testClock) move(wall, elapsed time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = c.wall.Add(wall)
	c.elapsed += elapsed
}

// bench is a ledger on a store in a directory, with clocks and faults that a test controls.
type bench struct {
	*Ledger
	t     testing.TB
	dir   string
	store *store.Store
	clock *testClock
	fault atomic.Pointer[func(at store.Point, sequence uint64) error]
	free  atomic.Uint64
	o     Options
	so    store.Options

	copying sync.RWMutex // held while the directory is copied
}

// plainEnv makes newBench open stores without a journal; see TestPromisesWithoutAJournal.
const plainEnv = "PAYDOOR_LEDGER_PLAIN"

// newBench has a store as the gateway opens it.
func newBench(t testing.TB, o Options) *bench { return newBenchOn(t, o, os.Getenv(plainEnv) == "") }

// newBenchOn has a store with or without a journal.
func newBenchOn(t testing.TB, o Options, journal bool) *bench {
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "ledger"), clock: newClock(), o: o}
	b.so.Journal = journal
	b.free.Store(1 << 40)
	b.open()
	t.Cleanup(func() { b.store.Close() })
	return b
}

func (b *bench) open() {
	b.t.Helper()
	if b.o.Now == nil {
		b.o.Now = b.clock.now
	}
	if b.o.Elapsed == nil {
		b.o.Elapsed = b.clock.since
	}
	b.so.FreeSpace = func(string) (uint64, error) { return b.free.Load(), nil }
	b.so.Fault = func(at store.Point, n uint64) error {
		if b.so.Journal && (at == store.BeforeCheckpoint || at == store.BeforeSidecar) {
			b.copying.RLock()
			b.copying.RUnlock() // it only has to wait
		}
		if f := b.fault.Load(); f != nil {
			return (*f)(at, n)
		}
		return nil
	}
	b.so.Tail, b.so.Ballast = b.o.Durability == Process, -1
	s, err := store.Open(ctx, b.dir, b.so)
	if err != nil {
		b.t.Fatal(err)
	}
	b.store = s
	if b.Ledger, err = Open(s, b.o); err != nil {
		s.Close()
		b.t.Fatal(err)
	}
	if err := b.PinAsset("USD", 9); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) reopen() {
	b.t.Helper()
	if err := b.store.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open()
}

// written is the point at which a group is on disk, and an error leaves it there.
func (b *bench) written() store.Point {
	if b.so.Journal {
		return store.AfterCommit
	}
	return store.BeforeSidecar
}

func (b *bench) onFault(f func(at store.Point, sequence uint64) error) { b.fault.Store(&f) }

// holdCommits stops the store before it commits, until the returned function is called.
func (b *bench) holdCommits() (release func()) {
	hold := make(chan struct{})
	b.onFault(func(at store.Point, _ uint64) error {
		if at == store.BeforeCommit {
			<-hold
		}
		return nil
	})
	release = sync.OnceFunc(func() { b.fault.Store(nil); close(hold) })
	b.t.Cleanup(release) // before the store is closed, which would wait
	return release
}

func account(n int) Account       { return sha256.Sum256(fmt.Appendf(nil, "account %d", n)) }
func condition(n int) [32]byte    { return sha256.Sum256(fmt.Appendf(nil, "condition %d", n)) }
func digest(text string) [32]byte { return sha256.Sum256([]byte(text)) }

var conditions atomic.Int64

// give credits an account, or ends the test.
func (b *bench) give(a Account, n amount.Amount) {
	b.t.Helper()
	c := Credit{Account: a, Amount: n, Condition: condition(int(conditions.Add(1)) + 1e9)}
	if repeated, err := b.Credit(ctx, c); repeated || err != nil {
		b.t.Fatalf("credit: %v, %v", repeated, err)
	}
}

func (b *bench) reserve(a Account, n amount.Amount) *Reservation {
	b.t.Helper()
	r, err := b.Reserve(ctx, a, n)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) want(a Account, spendable, reserved amount.Amount) {
	b.t.Helper()
	got, err := b.Balance(ctx, a)
	if err != nil || got.Spendable != spendable || got.Reserved != reserved {
		b.t.Fatalf("balance %+v, %v; want %d spendable and %d reserved", got, err, spendable, reserved)
	}
}

func (b *bench) audit() Report {
	b.t.Helper()
	r, err := b.Audit(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func is(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// crash opens a copy of the directory, as if the process had ended now.
func (b *bench) crash() *bench {
	b.t.Helper()
	to := filepath.Join(b.t.TempDir(), "crashed")
	if b.so.Journal { // Badger gets groups in the background
		b.copying.Lock()
		defer b.copying.Unlock()
		time.Sleep(20 * time.Millisecond) // what was let through is written meanwhile
	}
	for { // again, if Badger has exchanged tables meanwhile: a copy takes time, a crash does not
		tables := b.tables()
		err := copySparse(b.dir, to)
		if tables == b.tables() {
			if err != nil {
				b.t.Fatal(err)
			}
			break
		}
		if err := os.RemoveAll(to); err != nil {
			b.t.Fatal(err)
		}
	}
	c := &bench{t: b.t, dir: to, clock: b.clock, o: b.o}
	c.so.Journal = b.so.Journal
	c.free.Store(1 << 40)
	c.open()
	b.t.Cleanup(func() { c.store.Close() })
	return c
}

// tables lists what Badger's background work changes.
func (b *bench) tables() (list string) {
	b.t.Helper()
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // gone since it was listed
		}
		if info, err := d.Info(); err == nil {
			list += fmt.Sprintln(path, info.Size())
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}
