package store

// This file tests going on after a loss: with all that can be read, a record of what was given up, and no way back to silence.

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// everything reads a whole store.
func everything(t testing.TB, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := s.Iterate([]byte("k/"), func(k, v []byte) error { all[string(k)] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAcceptLossGoesOnWithWhatCanBeRead(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine, many directories")
	}
	running, closed, _, _ := lived(t, quickDir(t))
	whole := everything(t, mustOpen(t, copyDir(t, running), Options{}))
	random := rand.New(rand.NewPCG(1, 2))
	harmFile := func(pattern string, change func(b []byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(found) == 0 {
				t.Fatal(pattern, err)
			}
			b, err := os.ReadFile(found[len(found)-1])
			if err == nil {
				err = os.WriteFile(found[len(found)-1], change(used(b)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := []struct {
		name, base string
		harm       func(t *testing.T, dir string)
		least      int // per cent of the keys that must be there with their values
	}{
		{"a flip in the log", running, harmFile("db/*.mem", func(b []byte) []byte { return flip(b, len(b)/3, random) }), 80},
		{"half a log", running, harmFile("db/*.mem", func(b []byte) []byte { return b[:len(b)/2] }), 60},
		{"a log of another key", running, harmFile("db/*.mem", func(b []byte) []byte { return flip(b, 1, random) }), 90},
		{"no log", running, func(t *testing.T, dir string) { removeAll(t, dir, "*.mem") }, 50},
		{"a strange log", running, func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, databaseDir, "copy.mem"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 50},
		{"no MANIFEST", closed, func(t *testing.T, dir string) { removeAll(t, dir, "MANIFEST") }, 95},
		{"half a MANIFEST", closed, harmFile("db/MANIFEST", func(b []byte) []byte { return b[:len(b)/2] }), 95},
		{"a flip in a table", closed, harmFile("db/*.sst", func(b []byte) []byte { return flip(b, len(b)/3, random) }), 90},
		{"a flip in the index of a table", closed, harmFile("db/*.sst", func(b []byte) []byte { return flip(b, len(b)-30, random) }), 1},
		{"no table", closed, harmFile("db/*.sst", func([]byte) []byte { return nil }), 1},
		{"no table, and a log", running, func(t *testing.T, dir string) { removeAll(t, dir, "*.sst") }, 10}, // what a store begins with is in a table
		{"no table with the identity", closed, func(t *testing.T, dir string) {
			found, err := filepath.Glob(filepath.Join(dir, databaseDir, "*.sst"))
			if err != nil || len(found) < 2 || os.Truncate(found[0], 0) != nil {
				t.Fatal(found, err)
			}
		}, 1},
		{"a table that is not on the list instead of one that is", closed, func(t *testing.T, dir string) {
			found, err := filepath.Glob(filepath.Join(dir, databaseDir, "*.sst"))
			if err != nil || len(found) == 0 {
				t.Fatal(found, err)
			}
			if err := os.Rename(found[0], filepath.Join(dir, databaseDir, "000099.sst")); err != nil {
				t.Fatal(err)
			}
		}, 100},
		{"no sidecar", closed, func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, sidecarFile)) }, 100},
		{"a bad sidecar", running, harmFile("sidecar", func(b []byte) []byte { return b[:20] }), 100},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := quickDir(t)
			copyTo(t, c.base, dir)
			for i := range 2 { // TestAcceptLossTakesWhatTheTailHas
				os.Remove(tailPath(dir, i))
			}
			c.harm(t, dir)
			refused(t, dir, ErrLost, "--accept-loss")
			now := time.UnixMilli(1_800_000_000_000)
			logger, logs := observed()
			s := mustOpen(t, dir, Options{AcceptLoss: true, Logger: logger, Now: func() time.Time { return now }})
			kept, right := everything(t, s), 0
			for k, v := range whole {
				if kept[k] == v {
					right++
				}
			}
			if right*100 < c.least*len(whole) {
				t.Errorf("%d of %d keys are left", right, len(whole))
			}
			t.Logf("%d of %d keys are left", right, len(whole))
			losses, err := s.Losses()
			if err != nil || len(losses) != 1 || !losses[0].Time.Equal(now) || losses[0].Reason == "" || losses[0].Restored {
				t.Fatalf("%+v, %v", losses, err)
			}
			if s.Durable() <= losses[0].Acknowledged || s.Durable() <= losses[0].Held {
				t.Errorf("group %d after %+v", s.Durable(), losses[0])
			}
			if logs.FilterMessageSnippet(losses[0].Reason).Len() != 1 {
				t.Errorf("logged %v", logs.All())
			}
			putDurably(t, s, "later", "1")
			crashed := copyDir(t, dir)
			mustClose(t, s)
			for _, dir := range []string{crashed, dir} {
				again := mustOpen(t, dir, Options{AcceptLoss: true}) // nothing more is lost
				wantValue(t, again, "later", "1")
				if losses, err := again.Losses(); err != nil || len(losses) != 1 {
					t.Errorf("%+v, %v", losses, err)
				}
				mustClose(t, again)
			}
		})
	}
}

func TestAcceptLossOfEverythingIsRefused(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	putDurably(t, s, "k", "1")
	mustClose(t, s)
	if err := os.RemoveAll(filepath.Join(dir, databaseDir)); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), dir, Options{MinFree: 1, AcceptLoss: true})
	if !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "only a backup helps") {
		t.Fatal(err)
	}
}

func FuzzDecodeLoss(f *testing.F) {
	f.Add(Loss{Time: time.UnixMilli(5), Held: 1, Acknowledged: 2, Reason: "x"}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := decodeLoss(b); err == nil && string(l.encode()) != string(b) {
			t.Fatal("a loss does not survive encoding")
		}
	})
}

// Whatever stands in a log, reading it ends, and finds transactions only before its end.
func FuzzWalkLog(f *testing.F) {
	f.Add(make([]byte, 100))
	f.Add(append(make([]byte, logHeader), 0x40, 0, 9, 1, 0, 'k', 0, 0, 0, 0, 0, 0, 0, 1, 'v'))
	f.Fuzz(func(t *testing.T, b []byte) {
		if end := walkLog(b, func([]logEntry) {}); end > len(b) {
			t.Fatal(end)
		}
		if len(b) > logHeader && nextTransaction(b, logHeader) <= 0 {
			t.Fatal("no progress")
		}
		if n := wholeRecords(b); n > len(b) {
			t.Fatal(n)
		}
	})
}

// What Badger has lost and the tail still has is not lost.
func TestAcceptLossTakesWhatTheTailHas(t *testing.T) {
	dir := quickDir(t)
	s := mustOpen(t, dir, Options{Tail: true})
	for i := range 20 {
		putDurably(t, s, fmt.Sprint("k/", i), "v")
	}
	waitUntilQuiet(t, dir)
	base, whole := copyDir(t, dir), everything(t, s)
	mustClose(t, s)
	harms := map[string]func(t *testing.T, dir string){
		"no sidecar": func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, sidecarFile)) },
		"half a log": func(t *testing.T, dir string) {
			path := filepath.Join(dir, databaseDir, "00001.mem")
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, used(b)[:len(used(b))/2], 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"a flip in one": cutLog,
	}
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, base)
			harm(t, dir)
			refused(t, dir, ErrLost)
			s := mustOpen(t, dir, Options{AcceptLoss: true})
			if kept := everything(t, s); len(kept) != len(whole) {
				t.Errorf("%d of %d keys are left", len(kept), len(whole))
			}
			if losses, err := s.Losses(); err != nil || len(losses) != 1 {
				t.Errorf("%+v, %v", losses, err)
			}
			putDurably(t, s, "k/later", "1")
			mustClose(t, s)
			wantValue(t, mustOpen(t, dir, Options{Tail: true}), "k/later", "1")
		})
	}
}
