package store

// This file tests opening, joining, waiting, reading and closing.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if run := os.Getenv("PAYDOOR_STORE_CHILD"); run != "" {
		child(run)
		return
	}
	goleak.VerifyTestMain(m)
}

func mustOpen(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	if o.MinFree == 0 {
		o.MinFree = 1
	}
	s, err := Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newDir(t testing.TB) string { return filepath.Join(t.TempDir(), "store") }

func put(t testing.TB, s *Store, key, value string) Ticket {
	t.Helper()
	ticket, err := s.Join(func(g *Group) { g.Put([]byte(key), []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func putDurably(t testing.TB, s *Store, key, value string) {
	t.Helper()
	if err := put(t, s, key, value).Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func wantValue(t testing.TB, s *Store, key, want string) {
	t.Helper()
	got, err := s.Get([]byte(key))
	if want == "" && errors.Is(err, ErrNotFound) {
		return
	}
	if err != nil || string(got) != want {
		t.Fatalf("%s = %q, %v; want %q", key, got, err, want)
	}
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestChangesSurviveReopening(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	putDurably(t, s, "a", "1")
	putDurably(t, s, "b", "2")
	ticket, err := s.Join(func(g *Group) {
		g.Put([]byte("a"), []byte("3"))
		g.Delete([]byte("a"))
		g.Put([]byte("a"), []byte("4"))
		g.Put([]byte("empty"), nil)
		g.Delete([]byte("b"))
		if v, ok := g.Value([]byte("a")); !ok || string(v) != "4" {
			t.Errorf("pending a = %q, %v", v, ok)
		}
		if v, ok := g.Value([]byte("b")); !ok || v != nil {
			t.Errorf("pending b = %q, %v", v, ok)
		}
		if _, ok := g.Value([]byte("c")); ok {
			t.Error("c is pending")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ticket.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		mustClose(t, s)
		s = mustOpen(t, dir, Options{})
		wantValue(t, s, "a", "4")
		wantValue(t, s, "b", "")
		if v, err := s.Get([]byte("empty")); err != nil || len(v) != 0 {
			t.Fatalf("empty = %q, %v", v, err)
		}
		if s.Durable() != ticket.Sequence() {
			t.Fatalf("sequence %d, want %d", s.Durable(), ticket.Sequence())
		}
	}
}

func TestIterateShowsAPrefixInOrder(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	for _, k := range []string{"p/2", "p/1", "q/1", "o", "p/3"} {
		putDurably(t, s, k, "v"+k)
	}
	var got []string
	err := s.Iterate([]byte("p/"), func(k, v []byte) error {
		got = append(got, string(k)+"="+string(v))
		return nil
	})
	if want := "p/1=vp/1 p/2=vp/2 p/3=vp/3"; err != nil || strings.Join(got, " ") != want {
		t.Fatalf("%v, %v; want %s", got, err, want)
	}
	stop := errors.New("stop")
	if err := s.Iterate([]byte("p/"), func(_, _ []byte) error { return stop }); err != stop {
		t.Fatalf("got %v", err)
	}
	got = nil
	err = s.View(func(v *View) error {
		putDurably(t, s, "p/4", "later")
		if n, err := v.Sequence(); err != nil || n != 5 {
			t.Errorf("the view is at %d, %v", n, err)
		}
		return v.Iterate([]byte("p/"), []byte("p/2"), func(k, _ []byte) error {
			got = append(got, string(k))
			return nil
		})
	})
	if err != nil || strings.Join(got, " ") != "p/2 p/3" {
		t.Fatalf("%v, %v", got, err)
	}
}

// Many goroutines count up keys of their own and one that all share: nothing may be lost or come in another order.
func TestConcurrentJoinsKeepTheirOrder(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	const workers, rounds = 64, 50
	var shared atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for r := range rounds {
				ticket, err := s.Join(func(g *Group) {
					g.Put(fmt.Appendf(nil, "own/%d", w), fmt.Appendf(nil, "%d", r+1))
					g.Put([]byte("shared"), fmt.Appendf(nil, "%d", shared.Add(1)))
				})
				if err == nil {
					err = ticket.Wait(context.Background())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	groups := s.Durable()
	if groups == 0 || groups > workers*rounds {
		t.Fatalf("%d groups", groups)
	}
	mustClose(t, s)
	s = mustOpen(t, dir, Options{})
	for w := range workers {
		wantValue(t, s, fmt.Sprintf("own/%d", w), fmt.Sprint(rounds))
	}
	wantValue(t, s, "shared", fmt.Sprint(workers*rounds))
	t.Logf("%d joins in %d groups", workers*rounds, groups)
}

func TestFullGroupsAreSealedInOrder(t *testing.T) {
	hold := make(chan struct{})
	s := mustOpen(t, newDir(t), Options{Fault: func(at Point, n uint64) error {
		if at == BeforeCommit && n == 1 {
			<-hold
		}
		return nil
	}})
	first := put(t, s, "k", "0")
	var tickets []Ticket
	for i := range 2*groupEntries + 10 {
		tickets = append(tickets, put(t, s, fmt.Sprintf("k%d", i), "v"))
	}
	big := bytes.Repeat([]byte("x"), 60<<10)
	for range 20 {
		ticket, err := s.Join(func(g *Group) {
			g.Put([]byte("big1"), big)
			g.Put([]byte("big2"), big)
			g.Put(fmt.Appendf(nil, "big/%d", len(tickets)), big)
		})
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, ticket)
	}
	if n := s.Backlog(); n < 3 {
		t.Errorf("backlog %d", n)
	}
	last := put(t, s, "k", "last")
	if first.Sequence() >= last.Sequence()-3 {
		t.Errorf("groups %d to %d", first.Sequence(), last.Sequence())
	}
	close(hold)
	previous := uint64(0)
	for _, ticket := range append(tickets, last) {
		if ticket.Sequence() < previous {
			t.Fatal("groups are not in the order of the joins")
		}
		previous = ticket.Sequence()
		if err := ticket.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	wantValue(t, s, "k", "last")
	if n := s.Backlog(); n != 0 {
		t.Errorf("backlog %d", n)
	}
}

func TestCallbacksRunInOrderBeforeTheWaitersAndMayJoin(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	var mu sync.Mutex
	var order []string
	var followUp Ticket
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	ticket, err := s.Join(func(g *Group) {
		g.Put([]byte("a"), []byte("1"))
		g.AfterCommit(func() {
			note("first")
			var err error
			followUp, err = s.FollowUp(func(g *Group) {
				g.Put([]byte("a"), []byte("2"))
				g.AfterCommit(func() { note("third") })
			})
			if err != nil {
				t.Error(err)
			}
		})
		g.AfterCommit(func() { note("second") })
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ticket.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	note("waiter")
	if err := followUp.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "first second waiter third" && got != "first second third waiter" {
		t.Fatal(got)
	}
	wantValue(t, s, "a", "2")
}

func TestCloseCompletesWhatWasJoined(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	var wg sync.WaitGroup
	var taken, followed atomic.Int64
	for w := range 32 {
		wg.Go(func() {
			for i := 0; ; i++ {
				_, err := s.Join(func(g *Group) {
					g.Put(fmt.Appendf(nil, "k/%d/%d", w, i), []byte("v"))
					g.AfterCommit(func() {
						if _, err := s.FollowUp(func(g *Group) { g.Put(fmt.Appendf(nil, "f/%d/%d", w, i), nil) }); err != nil {
							t.Error(err)
							return
						}
						followed.Add(1)
					})
				})
				if err == nil {
					taken.Add(1)
				} else if errors.Is(err, ErrClosed) {
					return
				} else {
					t.Error(err)
				}
				if _, err := s.Get([]byte("k/0/0")); err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	for s.Durable() < 3 {
		time.Sleep(time.Millisecond)
	}
	mustClose(t, s)
	wg.Wait()
	mustClose(t, s)
	if _, err := s.Get([]byte("k/0/0")); !errors.Is(err, ErrClosed) {
		t.Errorf("reading a closed store: %v", err)
	}
	if err := s.Err(); !errors.Is(err, ErrClosed) {
		t.Errorf("Err %v", err)
	}
	s = mustOpen(t, dir, Options{})
	for prefix, want := range map[string]int64{"k/": taken.Load(), "f/": followed.Load()} {
		var n int64
		if err := s.Iterate([]byte(prefix), func(_, _ []byte) error { n++; return nil }); err != nil || n != want {
			t.Errorf("%d keys under %s, %v; want %d", n, prefix, err, want)
		}
	}
	if taken.Load() != followed.Load() {
		t.Errorf("%d joins, %d callbacks", taken.Load(), followed.Load())
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	hold := make(chan struct{})
	s := mustOpen(t, newDir(t), Options{Fault: func(at Point, _ uint64) error {
		if at == BeforeCommit {
			<-hold
		}
		return nil
	}})
	ticket := put(t, s, "a", "1")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := ticket.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(hold)
	if err := ticket.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := ticket.Wait(ctx); err != nil {
		t.Fatalf("a known outcome must win over an ended context: %v", err)
	}
}

func TestMistakesPanicAndPoison(t *testing.T) {
	mistakes := map[string]func(g *Group){
		"reserved":    func(g *Group) { g.Put([]byte("store/head"), nil) },
		"empty":       func(g *Group) { g.Delete(nil) },
		"long key":    func(g *Group) { g.Put(make([]byte, MaxKey+1), nil) },
		"long value":  func(g *Group) { g.Put([]byte("k"), make([]byte, MaxValue+1)) },
		"too many":    func(g *Group) { puts(g, joinEntries+1, 1) },
		"too much":    func(g *Group) { puts(g, 6, MaxValue) },
		"other size":  func(g *Group) { g.Put([]byte("k"), []byte("v")); g.Edit([]byte("k"), 2) },
		"no size":     func(g *Group) { g.Edit([]byte("k"), 0) },
		"own mistake": func(g *Group) { g.Put([]byte("half"), nil); panic("mine") },
	}
	for name, mistake := range mistakes {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			s := mustOpen(t, dir, Options{})
			putDurably(t, s, "before", "1")
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				s.Join(mistake)
			}()
			if _, err := s.Join(func(*Group) { t.Error("called") }); !errors.Is(err, ErrPoisoned) {
				t.Fatal(err)
			}
			mustClose(t, s)
			s = mustOpen(t, dir, Options{})
			wantValue(t, s, "before", "1")
			wantValue(t, s, "half", "")
		})
	}
}

func puts(g *Group, n, size int) {
	for i := range n {
		g.Put(fmt.Appendf(nil, "%d", i), make([]byte, size))
	}
}
