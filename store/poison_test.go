package store

// This file tests failing: the store stops at the first error, says so to all who wait, and opens to one of the two outcomes.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4/table"
	"go.uber.org/zap"
)

func TestP10ErrorPoisons(t *testing.T) {
	broken := errors.New("input/output error")
	points := map[string]struct {
		at   Point
		want string // of "k" after reopening; the change failed, and may be there
	}{
		"nothing was written":       {BeforeCommit, "before"},
		"written, and an error":     {AfterCommit, "after"},
		"written, and no slot":      {BeforeSidecar, "after"},
		"both written, and a crash": {BeforeRelease, "after"},
	}
	for name, p := range points {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			hold := make(chan struct{})
			var calls atomic.Int64
			s := mustOpen(t, dir, Options{Fault: func(at Point, n uint64) error {
				if at != p.at || n == 1 {
					return nil
				}
				calls.Add(1)
				<-hold
				return broken
			}})
			putDurably(t, s, "k", "before")
			var called atomic.Bool
			failing, err := s.Join(func(g *Group) {
				g.Put([]byte("k"), []byte("after"))
				g.AfterCommit(func() { called.Store(true) })
			})
			if err != nil {
				t.Fatal(err)
			}
			for calls.Load() == 0 { // until the committer is at work, so that the next join is in a later group
				if s.Err() != nil {
					t.Fatal(s.Err())
				}
			}
			next := put(t, s, "k", "never")
			if failing.Sequence() == next.Sequence() {
				t.Fatal("one group")
			}
			close(hold)
			for _, ticket := range []Ticket{failing, next} {
				if err := ticket.Wait(context.Background()); !errors.Is(err, ErrPoisoned) || !errors.Is(err, broken) {
					t.Fatal(err)
				}
			}
			<-s.Failed()
			if _, err := s.Join(func(*Group) { t.Error("called") }); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			if _, err := s.Get([]byte("k")); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			if err := s.Ready(); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			mustClose(t, s)
			if calls.Load() != 1 || called.Load() {
				t.Errorf("%d commits after the error, callback %v", calls.Load()-1, called.Load())
			}
			s = mustOpen(t, dir, Options{})
			wantValue(t, s, "k", p.want)
			putDurably(t, s, "k", "works again")
		})
	}
}

// What the sidecar is told while nothing is under way counts too.
func TestP10ErrorOfTheIdleSidecarPoisons(t *testing.T) {
	broken := errors.New("input/output error")
	var calls atomic.Int64
	dir := newDir(t)
	s := mustOpen(t, dir, Options{Fault: func(at Point, _ uint64) error {
		if at == BeforeSidecar && calls.Add(1) == 2 {
			return broken
		}
		return nil
	}})
	putDurably(t, s, "k", "1")
	<-s.Failed()
	if err := s.Ready(); !errors.Is(err, ErrPoisoned) || !errors.Is(err, broken) {
		t.Error(err)
	}
	mustClose(t, s)
	wantValue(t, mustOpen(t, dir, Options{}), "k", "1")
}

// With a journal groups go on becoming durable while Badger takes its time: a sidecar that cannot be written must not wait for that.
func TestP10ErrorOfTheSidecarDoesNotWaitForBadger(t *testing.T) {
	broken := errors.New("input/output error")
	dir, gate := newDir(t), make(chan struct{})
	s := mustOpen(t, dir, Options{Journal: true, Fault: func(at Point, _ uint64) error {
		switch at {
		case BeforeCheckpoint:
			<-gate
		case BeforeSidecar:
			return broken
		}
		return nil
	}})
	letGo := sync.OnceFunc(func() { close(gate) })
	t.Cleanup(letGo) // before the store is closed
	putDurably(t, s, "k", "1")
	select {
	case <-s.Failed():
	case <-time.After(10 * time.Second):
		t.Fatal("the store takes changes while Badger commits, though its sidecar has failed")
	}
	if err := s.Ready(); !errors.Is(err, ErrPoisoned) || !errors.Is(err, broken) {
		t.Error(err)
	}
	letGo()
	mustClose(t, s)
	wantValue(t, mustOpen(t, dir, Options{}), "k", "1")
}

func TestP10PanicOfACallbackPoisons(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	putDurably(t, s, "k", "before")
	var later atomic.Bool
	ticket, err := s.Join(func(g *Group) {
		g.Put([]byte("k"), []byte("after"))
		g.AfterCommit(func() { panic("mine") })
		g.AfterCommit(func() { later.Store(true) })
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ticket.Wait(context.Background()); !errors.Is(err, ErrPoisoned) || !strings.Contains(err.Error(), "mine") {
		t.Fatal(err)
	}
	<-s.Failed()
	if _, err := s.Join(func(*Group) { t.Error("called") }); !errors.Is(err, ErrPoisoned) || later.Load() {
		t.Error(err, later.Load())
	}
	mustClose(t, s)
	wantValue(t, mustOpen(t, dir, Options{}), "k", "after") // it was durable; only the outcome was not known
}

// The kernel says EIO to the n-th sync of a child process: what it acknowledged before is there, and nothing was acknowledged after.
func TestP10ErrorOfARealSyncPoisons(t *testing.T) {
	strace := needTracer(t)
	for _, mode := range []string{"plain", "journal"} {
		for _, call := range []string{"msync", "fdatasync"} {
			for _, n := range []int{10, 30} { // of a thread; opening makes a few
				if n > 10 && testing.Short() {
					continue
				}
				t.Run(fmt.Sprint(mode, " ", call, n), func(t *testing.T) {
					dir, o := newDir(t), Options{Journal: mode == "journal"}
					mustClose(t, mustOpen(t, dir, o))
					cmd := exec.Command(strace, "-f", "-o", "/dev/null", "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:error=EIO:when=%d+", call, n), os.Args[0])
					cmd.Env = append(os.Environ(), "PAYDOOR_STORE_CHILD=poison:"+mode+","+dir)
					out, err := cmd.CombinedOutput()
					if err != nil {
						t.Fatalf("the child ended with %v: %s", err, out)
					}
					wantPoisonedAt(t, string(out), dir, o)
				})
			}
		}
	}
}

// needTracer skips the test where no call can be made to fail. Whatever goes wrong under the tracer afterwards is a failure.
func needTracer(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace")
	}
	if out, err := exec.Command(strace, "-f", "-o", "/dev/null", "-e", "trace=sync", "-e", "inject=sync:error=EIO", "true").CombinedOutput(); err != nil {
		t.Skipf("strace does not work here: %v: %.200s", err, out)
	}
	return strace
}

// wantPoisonedAt compares what the child said with what it left.
func wantPoisonedAt(t *testing.T, said, dir string, o Options) {
	t.Helper()
	var acknowledged, refusedAfter int
	if _, err := fmt.Sscanf(said, "acknowledged %d, refused %d", &acknowledged, &refusedAfter); err != nil || refusedAfter != 50 {
		t.Fatalf("the child said %s", said)
	}
	s := mustOpen(t, dir, o)
	there := readCount(s, "k")
	if there != acknowledged && there != acknowledged+1 {
		t.Errorf("%d acknowledged, %d there", acknowledged, there)
	}
	t.Logf("%d acknowledged, %d there", acknowledged, there)
}

// childUntilPoisoned puts one value after another until that fails, then tries on, and says how that went.
func childUntilPoisoned(spec string) {
	mode, dir, _ := strings.Cut(spec, ",")
	s, err := Open(context.Background(), dir, Options{MinFree: 1, Ballast: -1, Journal: mode == "journal"})
	if err != nil {
		fmt.Println("opening:", err)
		return
	}
	acknowledged, refusedAfter := 0, 0
	for i := 1; refusedAfter < 50; i++ {
		ticket, err := s.Join(func(g *Group) { g.Put([]byte("k"), []byte(strconv.Itoa(i))) })
		if err == nil {
			err = ticket.Wait(context.Background())
		}
		switch {
		case errors.Is(err, ErrPoisoned):
			refusedAfter++
		case err != nil || refusedAfter > 0:
			fmt.Println("unexpected:", err, refusedAfter)
			return
		default:
			acknowledged++
		}
	}
	<-s.Failed()
	fmt.Printf("acknowledged %d, refused %d\n", acknowledged, refusedAfter)
	os.Exit(0) // without a Close, which would sync again
}

// An audit may find a difference, and fail the store, while it is being closed.
func TestFailDuringClose(t *testing.T) {
	for range 5 {
		s := mustOpen(t, newDir(t), Options{})
		put(t, s, "k", "1")
		var failing sync.WaitGroup
		failing.Go(func() {
			<-s.stopped
			s.Fail(errors.New("found by an audit"))
		})
		s.Close()
		failing.Wait()
	}
}

// Badger goes on when it cannot write a table or its list of tables; a store does not.
func TestP10ErrorInTheBackgroundPoisons(t *testing.T) {
	dir := quickDir(t)
	s := mustOpen(t, dir, Options{})
	for id := range uint64(100) { // in the way of the next tables
		if err := os.Mkdir(table.NewFilename(id+1, filepath.Join(dir, databaseDir)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	value := bytes.Repeat([]byte("x"), MaxValue)
	for i := range memtableSize/MaxValue + 20 {
		put(t, s, fmt.Sprint(i), string(value))
	}
	select {
	case <-s.Failed():
	case <-time.After(5 * time.Second):
		t.Error("the store goes on")
	}
	if err := s.Ready(); !errors.Is(err, ErrPoisoned) || !strings.Contains(err.Error(), syscall.EEXIST.Error()) {
		t.Error(err)
	}
	defer func(wait time.Duration) { closeWait = wait }(closeWait)
	closeWait = 100 * time.Millisecond
	db := s.db
	if err := s.Close(); !errors.Is(err, errStuck) {
		t.Error(err)
	}
	for id := range uint64(100) { // so that Badger comes to its end
		os.Remove(table.NewFilename(id+1, filepath.Join(dir, databaseDir)))
	}
	if err := errors.Join(db.Close(), s.lock.Close()); err != nil {
		t.Error(err)
	}
	wantValue(t, mustOpen(t, dir, Options{}), "1", string(value))
}

func TestWhatPassesDoesNotPoison(t *testing.T) {
	for _, c := range []struct {
		err   error
		fails bool
	}{
		{&fs.PathError{Op: "sync", Path: "MANIFEST", Err: syscall.EIO}, true},
		{fmt.Errorf("while creating table: %w", syscall.EROFS), true},
		{&fs.PathError{Op: "open", Path: "000001.sst", Err: syscall.EMFILE}, false}, // it tries again
		{fmt.Errorf("while creating table: %w", syscall.ENOSPC), false},
		{errors.New("there is a non-empty level 5 above base level 6"), false}, // so does it here
	} {
		failed := false
		l := badgerLog{zap.NewNop().Sugar(), func(error) { failed = true }}
		l.Warningf("LOG Compact FAILED with error: %+v: %+v", c.err, 1)
		if failed != c.fails {
			t.Errorf("%v: %v", c.err, failed)
		}
	}
}
