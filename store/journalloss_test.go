package store

// This file tests that nothing the journal has is forgotten: by who accepts a loss, by an opening that fails, or by a sidecar that is damaged.

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Who accepts a loss keeps what the journal still has.
func TestAcceptLossTakesWhatTheJournalHas(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine, many directories")
	}
	dir := quickDir(t)
	s, _ := held(t, dir, 1)
	putDurably(t, s, "first", "in Badger")
	if err := s.awaitBadger(1); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		putDurably(t, s, fmt.Sprintf("k/%02d", i), "value")
	}
	begun(t, s)
	for name, c := range map[string]struct {
		harm func(dir string) error
		keys int
	}{
		"no sidecar":  {func(dir string) error { return os.Remove(filepath.Join(dir, sidecarFile)) }, 31},
		"no reached":  {func(dir string) error { return os.Remove(filepath.Join(dir, reachedFile)) }, 31},
		"no journal":  {func(dir string) error { return os.Remove(journalPath(dir, 0)) }, 1},
		"half of it":  {func(dir string) error { return os.Truncate(journalPath(dir, 0), 1200) }, 20},
		"no database": {func(dir string) error { removeAll(t, dir, "*.mem"); return nil }, 31},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, dir)
			if err := c.harm(dir); err != nil {
				t.Fatal(err)
			}
			refused(t, dir, ErrLost, dir)
			s := mustOpen(t, dir, Options{AcceptLoss: true, Journal: true})
			n := 0
			for _, prefix := range []string{"first", "k/"} {
				if err := s.Iterate([]byte(prefix), func(_, _ []byte) error { n++; return nil }); err != nil {
					t.Fatal(err)
				}
			}
			losses, err := s.Losses()
			if n != c.keys || err != nil || len(losses) != 1 {
				t.Errorf("%d keys instead of %d, losses %v, %v", n, c.keys, losses, err)
			}
			if s.Durable() <= 31 {
				t.Errorf("group %d would be given out twice", s.Durable()+1)
			}
			putDurably(t, s, "k/new", "works")
			mustClose(t, s)
			wantValue(t, mustOpen(t, dir, Options{Journal: true}), "k/new", "works")
		})
	}
}

// While groups may be in the journal alone, each slot of the sidecar says that there is one: damage of the newer one must not hide it.
func TestBothSlotsAskForTheJournal(t *testing.T) {
	dir := newDir(t)
	for range 3 {
		s, _ := held(t, dir, 0)
		b, err := os.ReadFile(filepath.Join(dir, sidecarFile))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			if slot, ok := decodeSlot(b[i*slotSpacing:]); !ok || !slot.journal || slot.acknowledged != 0 {
				t.Errorf("slot %d: %v %+v", i, ok, slot)
			}
		}
		mustClose(t, s)
	}
}

// An opening that fails before Badger has all groups leaves the journal to the next one.
func TestP1FailedOpenKeepsTheJournal(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{Journal: true})
	putDurably(t, s, "k", "value")
	ticket := put(t, s, "!badger!k", "Badger refuses this key")
	if err := ticket.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-s.Failed()
	mustClose(t, s)
	for i := range 3 {
		s, err := Open(context.Background(), dir, Options{MinFree: 1, Journal: true})
		if err == nil {
			mustClose(t, s)
			t.Fatalf("opening %d forgot a durable group", i)
		}
	}
}

// What Badger has lost may be older than what it still has, and the journal may have that too.
func TestAcceptLossTakesWhatBadgerLost(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine, many directories")
	}
	dir := quickDir(t)
	s, _ := held(t, dir, 3)
	for i, key := range []string{"k/1", "k/2", "k/3"} {
		putDurably(t, s, key, "value of "+key)
		if err := s.awaitBadger(uint64(i + 1)); err != nil {
			t.Fatal(err)
		}
	}
	putDurably(t, s, "k/3", "the last")
	begun(t, s)
	harmed := copyDir(t, dir)
	logs, err := filepath.Glob(filepath.Join(harmed, databaseDir, "*.mem"))
	if err != nil || len(logs) != 1 {
		t.Fatal(logs, err)
	}
	b, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("value of k/2"))] ^= 1
	if err := os.WriteFile(logs[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, harmed, ErrLost, harmed)
	s = mustOpen(t, harmed, Options{AcceptLoss: true, Journal: true})
	wantValue(t, s, "k/1", "value of k/1")
	wantValue(t, s, "k/2", "value of k/2")
	wantValue(t, s, "k/3", "the last")
}
