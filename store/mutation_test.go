package store

// This file tests damage of every kind to every file of a store: it is refused in a clear line, or nothing was lost by it.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var rounds = flag.Int("rounds", 1, "how many times each file is harmed in each way, in each of two states of a store")

// contents is a hash over all keys and values, the store's own ones included.
func contents(t testing.TB, s *Store) string {
	t.Helper()
	h := sha256.New()
	var size [4]byte
	part := func(b []byte) {
		binary.BigEndian.PutUint32(size[:], uint32(len(b)))
		h.Write(size[:])
		h.Write(b)
	}
	if err := s.Iterate(nil, func(k, v []byte) error { part(k); part(v); return nil }); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// lived is a store with some life behind it: tables of several levels, a log, and a tail. It returns copies of it as it ran, with nothing under
// way, and closed, and one of an earlier time.
func lived(t *testing.T, dir string) (running, closed, older, want string) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 7))
	value := make([]byte, 200)
	for session := range 7 {
		s := mustOpen(t, dir, Options{Tail: session > 4})
		for range 20 {
			ticket, err := s.Join(func(g *Group) {
				for range 60 {
					for i := range value {
						value[i] = byte(random.Uint32())
					}
					key := fmt.Appendf(nil, "k/%05d", random.IntN(4000))
					if g.Put(key, value); random.IntN(10) == 0 {
						g.Delete(key)
					}
				}
			})
			if err != nil || ticket.Wait(context.Background()) != nil {
				t.Fatal(err)
			}
		}
		waitUntilQuiet(t, dir)
		if session == 5 {
			older = copyDir(t, dir)
		}
		if session == 6 {
			running, want = copyDir(t, dir), contents(t, s)
		}
		mustClose(t, s)
	}
	return running, dir, older, want
}

// waitUntilQuiet returns when the sidecar is settled and Badger's files do not change any more.
func waitUntilQuiet(t *testing.T, dir string) {
	t.Helper()
	files := func() string {
		found, err := filepath.Glob(filepath.Join(dir, databaseDir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(found, " ")
	}
	for before := ""; before != files(); {
		before = files()
		time.Sleep(5 * settleAfter)
	}
}

// mutation changes the bytes of a file; remove says that the file shall go.
type mutation struct {
	name   string
	change func(b, older []byte, random *rand.Rand) (after []byte, remove bool)
}

func mutations() (all []mutation) {
	cut := func(name string, length func(n int) int) {
		all = append(all, mutation{name, func(b, _ []byte, _ *rand.Rand) ([]byte, bool) { return b[:max(length(len(b)), 0)], false }})
	}
	for _, at := range []int{0, 33, 66} {
		all = append(all, mutation{fmt.Sprintf("flip at %d %%", at), func(b, _ []byte, r *rand.Rand) ([]byte, bool) {
			return flip(b, len(b)*at/100, r), false
		}})
	}
	all = append(all,
		mutation{"flip in the last block", func(b, _ []byte, r *rand.Rand) ([]byte, bool) {
			return flip(b, max(0, len(b)-r.IntN(4096)-1), r), false
		}},
		mutation{"delete", func(b, _ []byte, _ *rand.Rand) ([]byte, bool) { return nil, true }},
		mutation{"zero", func(b, _ []byte, _ *rand.Rand) ([]byte, bool) { return make([]byte, len(b)), false }},
		mutation{"swap with an older copy", func(_, older []byte, _ *rand.Rand) ([]byte, bool) { return older, older == nil }},
	)
	cut("truncate to 0", func(int) int { return 0 })
	cut("truncate to half", func(n int) int { return n / 2 })
	cut("truncate by 1", func(n int) int { return n - 1 })
	return all
}

func flip(b []byte, at int, r *rand.Rand) []byte {
	if b = bytes.Clone(b); len(b) > 0 {
		b[at] ^= 1 << r.IntN(8)
	}
	return b
}

// used is the part of a file in which there is anything, so that damage hits it and not the zeros behind.
func used(b []byte) []byte { return b[:lastUsed(b)] }

func TestP10DamageOfAnyFileIsSeenOrHarmless(t *testing.T) {
	running, closed, older, want := lived(t, quickDir(t))
	counts := map[string]map[string]int{}
	total := 0
	for seed := range 2 * *rounds {
		if seed > 0 && testing.Short() {
			break
		}
		base := []string{running, closed}[seed%2]
		random := rand.New(rand.NewPCG(uint64(seed), 4))
		for _, file := range filesOf(t, base) {
			kind := kindOf(file)
			if seed > 0 && slices.Contains([]string{".vlog", "LOCK", "lock", "DISCARD", "KEYREGISTRY"}, kind) {
				continue // once is enough for files that hold nothing
			}
			if counts[kind] == nil {
				counts[kind] = map[string]int{}
			}
			for i, m := range mutations() {
				if i%4 != 0 && testing.Short() {
					continue
				}
				outcome := mutate(t, base, older, file, m, random, want)
				counts[kind][outcome]++
				if total++; outcome == "silent" || outcome == "unclear" {
					t.Errorf("seed %d: %s, %s: %s", seed, file, m.name, outcome)
				}
			}
		}
	}
	for kind, c := range counts {
		t.Logf("%-12s %3d refused, %3d identical", kind, c["refused"], c["identical"])
	}
	if total < 150 && !testing.Short() {
		t.Errorf("only %d mutations", total)
	}
	t.Logf("%d mutations", total)
}

// filesOf lists the files of a store below dir, at most three tables.
func filesOf(t *testing.T, dir string) (files []string) {
	t.Helper()
	tables := 0
	for _, pattern := range []string{"*", "db/*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			info, err := os.Stat(f)
			if kindOf(f) == ".sst" {
				tables++
			}
			if err == nil && info.Mode().IsRegular() && (kindOf(f) != ".sst" || tables <= 3) {
				files = append(files, strings.TrimPrefix(f, dir))
			}
		}
	}
	return files
}

func kindOf(file string) string {
	if ext := filepath.Ext(file); ext == ".mem" || ext == ".sst" || ext == ".vlog" {
		return ext
	}
	return strings.TrimRight(filepath.Base(file), ".0123456789")
}

// mutate harms one file of a copy of base and says what Open made of it.
func mutate(t *testing.T, base, older, file string, m mutation, random *rand.Rand, want string) string {
	t.Helper()
	dir := quickDir(t)
	defer os.RemoveAll(dir)
	copyTo(t, base, dir)
	path := filepath.Join(dir, file)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(older, file))
	after, remove := m.change(used(b), before, random)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !remove {
		if err := os.WriteFile(path, after, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(context.Background(), dir, Options{LockWait: time.Millisecond, MinFree: 1})
	if err != nil {
		clear := errors.Is(err, ErrLost) && strings.Contains(err.Error(), dir) && !strings.Contains(err.Error(), "\n") &&
			strings.Contains(err.Error(), "acknowledged") && strings.Contains(err.Error(), "backup")
		if !clear {
			t.Log(err)
			return "unclear"
		}
		return "refused"
	}
	defer s.Close()
	if contents(t, s) != want {
		return "silent"
	}
	return "identical"
}

// memory is a directory in memory if there is one: syncing some hundred copies to a disk takes long.
func memory() string {
	const dir = "/dev/shm"
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	return ""
}

// quickDir is newDir in memory.
func quickDir(t testing.TB) string {
	t.Helper()
	top, err := os.MkdirTemp(memory(), "store")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	return filepath.Join(top, "store")
}

// Files that are not of a store, or were left by somebody who looked into it, do no harm; one that Badger would take for its own is refused.
func TestStrayFiles(t *testing.T) {
	for file, want := range map[string]error{
		"notes.txt": nil, "sidecar.new": nil, "ballast.new": nil, "db/notes.txt": nil, "db/000900.sst": nil, "db/x.sst": nil, "db/x.vlog": nil,
		"db/00009.mem": nil, "db/MANIFEST-REWRITE": nil, "db/x.mem": ErrLost,
	} {
		dir := quickDir(t)
		s := mustOpen(t, dir, Options{})
		putDurably(t, s, "k", "1")
		mustClose(t, s)
		if err := os.WriteFile(filepath.Join(dir, file), []byte("stray"), 0o600); err != nil {
			t.Fatal(err)
		}
		if want != nil {
			refused(t, dir, want, filepath.Base(file))
			continue
		}
		s = mustOpen(t, dir, Options{})
		wantValue(t, s, "k", "1")
		mustClose(t, s)
	}
}

// A crash can leave two logs, the older one whole. What is in it must not be missed when the newer one goes on without it.
func TestP10TheOlderOfTwoLogsIsNotMissed(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	for i := range 10 {
		putDurably(t, s, fmt.Sprint("k", i), "v")
	}
	want := contents(t, s)
	time.Sleep(3 * settleAfter)
	base := copyDir(t, dir)
	mustClose(t, s)
	splitLog(t, base)
	first, second := filepath.Join(base, databaseDir, "00001.mem"), filepath.Join(base, databaseDir, "00002.mem")
	s = mustOpen(t, copyDir(t, base), Options{})
	if contents(t, s) != want {
		t.Fatal("two logs are not read as one")
	}
	mustClose(t, s)
	b, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	harms := map[string]func(dir string) error{
		"gone": func(dir string) error { return os.Remove(strings.Replace(first, base, dir, 1)) },
		"flipped": func(dir string) error {
			return os.WriteFile(strings.Replace(first, base, dir, 1), flip(b, len(b)-40, rand.New(rand.NewPCG(1, 1))), 0o600)
		},
		"empty":      func(dir string) error { return os.Truncate(strings.Replace(first, base, dir, 1), 0) },
		"newer gone": func(dir string) error { return os.Remove(strings.Replace(second, base, dir, 1)) },
		"renumbered": func(dir string) error {
			return os.Rename(strings.Replace(second, base, dir, 1), filepath.Join(dir, databaseDir, "00003.mem"))
		},
	}
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, base)
			if err := harm(dir); err != nil {
				t.Fatal(err)
			}
			refused(t, dir, ErrLost, "acknowledged", dir)
		})
	}
}

// splitLog makes two logs of the one in dir, as Badger does when one is full.
func splitLog(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, databaseDir, "00001.mem")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = used(b)
	transactions, half := 0, 0
	walkLog(b, func([]logEntry) { transactions++ })
	for n := range b { // where the first half of the transactions ends
		count := 0
		if half = walkLog(b[:n], func([]logEntry) { count++ }); count == transactions/2 && half == n {
			break
		}
	}
	second := slices.Concat(b[:logHeader], b[half:])
	if err := errors.Join(os.WriteFile(path, b[:half], 0o600), os.WriteFile(filepath.Join(dir, databaseDir, "00002.mem"), second, 0o600)); err != nil {
		t.Fatal(err)
	}
}
