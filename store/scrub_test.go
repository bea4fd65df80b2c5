package store

// This file tests damage that comes while the store is in use: it is poisoned instead of showing other values.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// withTables is an open store whose keys "k/0" to "k/999" lie in a table, which it names.
func withTables(t *testing.T) (s *Store, file string) {
	t.Helper()
	dir := newDir(t)
	s = mustOpen(t, dir, Options{})
	for i := range 1000 {
		put(t, s, fmt.Sprint("k/", i), fmt.Sprintf("%0100d", i))
	}
	mustClose(t, s)
	s = mustOpen(t, dir, Options{})
	found, err := filepath.Glob(filepath.Join(dir, databaseDir, "*.sst"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	return s, found[0]
}

func flipInPlace(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err == nil {
		at := len(b) / 3
		_, err = f.WriteAt(flip(b, at, rand.New(rand.NewPCG(1, 1)))[at:at+1], int64(at))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestP10DamageInUsePoisons(t *testing.T) {
	scrubbed := func(s *Store, _ string) {
		c := scrub{}
		for range 2 { // makes its list, reads the table
			s.scrubOne(&c)
		}
	}
	ways := map[string]struct {
		harm func(t *testing.T, file string)
		find func(s *Store, file string)
	}{
		"a flip, and the next reading of the tables": {flipInPlace, scrubbed},
		"a file that is gone":                        {func(t *testing.T, file string) { os.Remove(file) }, scrubbed},
		"a flip, and a backup": {flipInPlace, func(s *Store, _ string) {
			var out bytes.Buffer
			if _, err := s.Backup(context.Background(), &out); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			if err := Restore(context.Background(), &out, newDir(t), Options{MinFree: 1}); !errors.Is(err, ErrBackup) {
				t.Error(err)
			}
		}},
		"pages that cannot be read": {func(t *testing.T, file string) { os.Truncate(file, 0) }, func(s *Store, _ string) {
			if _, err := s.Get([]byte("k/500")); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
		}},
		"pages that cannot be read in their order": {func(t *testing.T, file string) { os.Truncate(file, 0) }, func(s *Store, _ string) {
			if err := s.Iterate([]byte("k/"), func(_, _ []byte) error { return nil }); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
		}},
		"pages that cannot be read by an iterator of its own": {func(t *testing.T, file string) { os.Truncate(file, 0) }, func(s *Store, _ string) {
			err := s.View(func(v *View) (err error) { // as the audit reads the balances
				next, stop := iter.Pull(func(func(struct{}) bool) {
					err = v.Iterate([]byte("k/"), nil, func(_, _ []byte) error { return nil })
				})
				defer stop()
				next()
				return err
			})
			if !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
		}},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			s, file := withTables(t)
			way.harm(t, file)
			way.find(s, file)
			select {
			case <-s.Failed():
			case <-time.After(5 * time.Second):
				t.Fatal("the store goes on")
			}
			if err := s.Err(); !errors.Is(err, ErrPoisoned) || !errors.Is(err, ErrLost) {
				t.Error(err)
			}
			if _, err := s.Get([]byte("k/1")); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			s.Close()
			refused(t, s.dir, ErrLost, filepath.Base(file))
		})
	}
}

func TestScrubOfAWholeStoreFindsNothing(t *testing.T) {
	s, _ := withTables(t)
	c := scrub{}
	for range 5 {
		s.scrubOne(&c)
	}
	if c.next < scrubEvery || s.Err() != nil || len(c.queue) != 0 {
		t.Error(c, s.Err())
	}
}
