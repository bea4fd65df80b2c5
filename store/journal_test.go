package store

// This file tests the journal: what it has and Badger has not is there after a crash, is read before, and is missed when it is gone.

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// held opens a store with a journal whose checkpoints wait until they are let go: after free of them.
func held(t testing.TB, dir string, free int64) (s *Store, letGo func()) {
	t.Helper()
	gate := make(chan struct{})
	var passed atomic.Int64
	var once atomic.Bool
	letGo = func() {
		if once.CompareAndSwap(false, true) {
			close(gate)
		}
	}
	s = mustOpen(t, dir, Options{Journal: true, Fault: func(at Point, _ uint64) error {
		if at == BeforeCheckpoint && passed.Add(1) > free {
			<-gate
		}
		return nil
	}})
	t.Cleanup(letGo) // before the store is closed
	return s, letGo
}

// begun waits until a checkpoint is held, and its slot is in the sidecar: then nothing changes in the directory.
func begun(t testing.TB, s *Store) {
	t.Helper()
	for {
		s.checkpoints.shelf.mu.Lock()
		closed := s.checkpoints.shelf.closed || len(s.checkpoints.shelf.boxes) > 1
		s.checkpoints.shelf.mu.Unlock()
		if closed {
			time.Sleep(50 * time.Millisecond) // the slot is written meanwhile
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestP1JournalKeepsWhatBadgerHasNot(t *testing.T) {
	dir := newDir(t)
	s, letGo := held(t, dir, 0)
	for i := range 50 {
		putDurably(t, s, fmt.Sprintf("k/%d", i%10), fmt.Sprint(i))
	}
	ticket, err := s.Join(func(g *Group) { g.Delete([]byte("k/3")) })
	if err != nil || ticket.Wait(context.Background()) != nil {
		t.Fatal(err)
	}
	begun(t, s)
	crashed := copyDir(t, dir)
	check := func(t *testing.T, s *Store) {
		t.Helper()
		for i := range 10 {
			if i == 3 {
				if _, err := s.Get([]byte("k/3")); !errors.Is(err, ErrNotFound) {
					t.Errorf("k/3: %v", err)
				}
				continue
			}
			wantValue(t, s, fmt.Sprintf("k/%d", i), fmt.Sprint(40+i))
		}
		if s.Durable() < 51 {
			t.Errorf("%d groups are durable", s.Durable())
		}
	}
	check(t, s) // from the shelf
	letGo()
	n := 0
	if err := s.Iterate([]byte("k/"), func(_, _ []byte) error { n++; return nil }); err != nil || n != 9 {
		t.Errorf("%d keys, %v", n, err)
	}
	check(t, s) // from Badger
	mustClose(t, s)
	for _, name := range []string{journalPath(dir, 0), journalPath(dir, 1), filepath.Join(dir, reachedFile)} {
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s after closing: %v", name, err)
		}
	}
	for _, journal := range []bool{false, true} {
		s := mustOpen(t, copyDir(t, crashed), Options{Journal: journal})
		check(t, s)
		putDurably(t, s, "k/3", "again")
		mustClose(t, s)
		s = mustOpen(t, s.dir, Options{Journal: !journal})
		wantValue(t, s, "k/3", "again")
		mustClose(t, s)
	}
}

// A View shows all that was durable when it began, and stays as it is.
func TestViewWaitsForBadger(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{Journal: true})
	for i := range 200 {
		want := fmt.Sprint(i)
		putDurably(t, s, "k", want)
		if err := s.View(func(v *View) error {
			got, err := v.Get([]byte("k"))
			if string(got) != want {
				t.Errorf("%q instead of %q", got, want)
			}
			sequence, e := v.Sequence()
			if sequence != uint64(i+1) {
				t.Errorf("group %d instead of %d", sequence, i+1)
			}
			return errors.Join(err, e)
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// The files take turns, and a turn that is over is used again only when Badger has all of it.
func TestJournalFilesTakeTurns(t *testing.T) {
	dir := quickDir(t)
	s := mustOpen(t, dir, Options{Journal: true})
	random := rand.New(rand.NewPCG(1, 2))
	want := map[string]string{}
	turns, before := 0, 0
	for i := range 400 {
		key, value := fmt.Sprintf("k/%d", random.IntN(40)), bytes.Repeat([]byte{byte('a' + i%26)}, 1+random.IntN(MaxValue))
		ticket, err := s.Join(func(g *Group) { g.Put([]byte(key), value) })
		if err != nil || ticket.Wait(context.Background()) != nil {
			t.Fatal(err)
		}
		want[key] = string(value)
		if now := s.journal.current; now != before { // read after the group was released: the committer waits for us
			turns, before = turns+1, now
		}
		if i%40 == 39 {
			crashed := quickDir(t)
			begunIdle(t, s)
			copyTo(t, dir, crashed)
			again := mustOpen(t, crashed, Options{})
			for k, v := range want {
				wantValue(t, again, k, v)
			}
			mustClose(t, again)
		}
	}
	if turns < 4 {
		t.Errorf("the journal turned only %d times", turns)
	}
	mustClose(t, s)
}

// begunIdle waits until Badger has everything and the sidecar says so.
func begunIdle(t testing.TB, s *Store) {
	t.Helper()
	if err := s.awaitBadger(s.Durable()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * settleAfter)
}

func TestP10DamageOfTheJournalIsSeenOrHarmless(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of directories")
	}
	dir := quickDir(t)
	s, _ := held(t, dir, 1)
	putDurably(t, s, "first", "in Badger")
	if err := s.awaitBadger(1); err != nil {
		t.Fatal(err)
	}
	older := quickDir(t)
	copyTo(t, dir, older)
	for i := range 30 {
		putDurably(t, s, fmt.Sprintf("k/%02d", i), fmt.Sprint("value ", i))
	}
	begun(t, s)
	base, whole := quickDir(t), quickDir(t)
	copyTo(t, dir, base)
	copyTo(t, dir, whole)
	want := everything(t, mustOpen(t, whole, Options{}))
	random := rand.New(rand.NewPCG(3, 4))
	refused, harmless := 0, 0
	try := func(how string, harm func(dir string) error) {
		t.Helper()
		dir := quickDir(t)
		defer os.RemoveAll(dir)
		copyTo(t, base, dir)
		if err := harm(dir); err != nil {
			t.Fatal(how, err)
		}
		s, err := Open(context.Background(), dir, Options{MinFree: 1, Journal: true})
		if err != nil {
			if !errors.Is(err, ErrLost) {
				t.Errorf("%s: %v", how, err)
			}
			refused++
			return
		}
		defer s.Close()
		harmless++
		got := everything(t, s)
		for k, v := range want {
			if k != headKey && got[k] != v {
				t.Fatalf("%s: SILENT LOSS: %q is %q instead of %q", how, k, got[k], v)
			}
		}
	}
	for _, name := range []string{"journal.0", "journal.1", reachedFile, sidecarFile} {
		b, err := os.ReadFile(filepath.Join(base, name))
		if err != nil {
			t.Fatal(err)
		}
		used := lastUsed(b)
		write := func(changed []byte) func(string) error {
			return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), changed, 0o600) }
		}
		try(name+" deleted", func(dir string) error { return os.Remove(filepath.Join(dir, name)) })
		try(name+" emptied", write(nil))
		try(name+" as it was earlier", func(dir string) error {
			was, err := os.ReadFile(filepath.Join(older, name))
			return errors.Join(err, os.WriteFile(filepath.Join(dir, name), was, 0o600))
		})
		for range 6 * *rounds {
			if used == 0 {
				break
			}
			at, n := random.IntN(used), random.IntN(200)
			try(fmt.Sprintf("%s cut at %d of %d", name, at, used), write(b[:at]))
			try(fmt.Sprintf("%s flipped at %d of %d", name, at, used), write(flip(bytes.Clone(b), at, random)))
			zeroed := bytes.Clone(b)
			clear(zeroed[at:min(at+n, used)])
			try(fmt.Sprintf("%s zeroed %d at %d of %d", name, n, at, used), write(zeroed))
			ends := bytes.Clone(b)
			clear(ends[at:])
			try(fmt.Sprintf("%s zeroed from %d of %d", name, at, used), write(ends))
		}
	}
	if refused < 20 || harmless == 0 {
		t.Errorf("%d refused, %d harmless", refused, harmless)
	}
}

func TestP10ErrorPoisonsWithAJournal(t *testing.T) {
	broken := errors.New("input/output error")
	for at, want := range map[Point]string{
		BeforeCommit: "before", AfterCommit: "after", BeforeRelease: "after",
		BeforeCheckpoint: "after", AfterCheckpoint: "after", BeforeSidecar: "after",
	} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			dir := newDir(t)
			var armed atomic.Bool
			s := mustOpen(t, dir, Options{Journal: true, Fault: func(p Point, _ uint64) error {
				if p == at && armed.Load() {
					return broken
				}
				return nil
			}})
			putDurably(t, s, "k", "before")
			begunIdle(t, s)
			armed.Store(true)
			ticket := put(t, s, "k", "after")
			err := ticket.Wait(context.Background())
			if told := at >= BeforeCheckpoint || at == BeforeSidecar; told != (err == nil) {
				t.Errorf("told %v: %v", told, err)
			}
			<-s.Failed()
			if err := s.Ready(); !errors.Is(err, ErrPoisoned) || !errors.Is(err, broken) {
				t.Error(err)
			}
			if _, err := s.Get([]byte("k")); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			if err := s.View(func(*View) error { return nil }); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			mustClose(t, s)
			s = mustOpen(t, dir, Options{Journal: true})
			wantValue(t, s, "k", want)
			putDurably(t, s, "k", "works again")
		})
	}
}

// FuzzReadRun: whatever is in the files, reading them ends, and groups go on without a gap.
func FuzzReadRun(f *testing.F) {
	id := identity{1, 2, 3}
	j := &journal{identity: id}
	var whole []byte
	for i := range 3 {
		g := newGroup(uint64(i + 5))
		g.Put([]byte("key"), []byte("value"))
		g.Delete([]byte("gone"))
		record := j.record(g, time.UnixMilli(1))
		j.previous = binary.BigEndian.Uint32(record[4:])
		whole = append(whole, record...)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add([]byte("PDJ1PDJ1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		run, _ := readRun(b, id)
		for i, r := range run {
			if i > 0 && r.sequence != run[i-1].sequence+1 {
				t.Fatal("a gap")
			}
		}
	})
}

// However large groups are, and however many wait for Badger, what it gets at once fits into a transaction.
func TestCheckpointsFitIntoBadger(t *testing.T) {
	s := mustOpen(t, quickDir(t), Options{Journal: true})
	const joins = 24
	for join := range joins {
		if _, err := s.Join(func(g *Group) {
			for i := range joinEntries {
				g.Put(fmt.Appendf(nil, "k/%d/%d", join, i), bytes.Repeat([]byte{'v'}, joinBytes/joinEntries-20))
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	ticket := put(t, s, "last", "one")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := ticket.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := s.Iterate([]byte("k/"), func(_, _ []byte) error { n++; return nil }); err != nil || n != joins*joinEntries {
		t.Errorf("%d keys, %v", n, err)
	}
}

// Wrote looks at Badger alone, and does not wait for what has not got there.
func TestWroteDoesNotWait(t *testing.T) {
	s, letGo := held(t, newDir(t), 0)
	putDurably(t, s, "k/1", "v")
	begun(t, s)
	if found, err := s.Wrote([]byte("k/")); err != nil || found {
		t.Errorf("%v, %v while Badger waits", found, err)
	}
	letGo()
	if err := s.Iterate([]byte("k/"), func(_, _ []byte) error { return nil }); err != nil { // waits for Badger
		t.Fatal(err)
	}
	for prefix, want := range map[string]bool{"k/": true, "k/1": true, "k/2": false, "l": false} {
		if found, err := s.Wrote([]byte(prefix)); err != nil || found != want {
			t.Errorf("%s: %v, %v", prefix, found, err)
		}
	}
}
