package store

// This file tests that this version opens the directories that every released format wrote, and reads the backups.

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files of the format that this version writes anew")

const goldenDir = "testdata/format1"

// goldenStore writes the contents of the golden directory.
func goldenStore(t *testing.T) (running, closed string, backedUp []byte) {
	t.Helper()
	dir := newDir(t)
	o := Options{
		Random: bytes.NewReader(bytes.Repeat([]byte("golden"), 20)), Tail: true,
		Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) },
	}
	s := mustOpen(t, dir, o)
	for i := range 50 {
		putDurably(t, s, fmt.Sprintf("k/%02d", i), fmt.Sprint("value ", i))
	}
	mustClose(t, s)
	s = mustOpen(t, dir, o)
	putDurably(t, s, "k/07", "changed")
	ticket, err := s.Join(func(g *Group) { g.Delete([]byte("k/08")) })
	if err != nil || ticket.Wait(context.Background()) != nil {
		t.Fatal(err)
	}
	waitUntilQuiet(t, dir)
	running = copyDir(t, dir)
	backedUp, _ = backup(t, s)
	mustClose(t, s)
	return running, dir, backedUp
}

func TestGoldenDirectoriesOpen(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	for _, state := range []string{"running", "closed", "backup"} {
		t.Run(state, func(t *testing.T) {
			dir := newDir(t)
			if state == "backup" {
				f, err := os.Open(filepath.Join(goldenDir, "backup"))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := Restore(context.Background(), f, dir, Options{MinFree: 1}); err != nil {
					t.Fatal(err)
				}
			} else {
				copyTo(t, filepath.Join(goldenDir, state), dir)
			}
			s := mustOpen(t, dir, Options{})
			all := everything(t, s)
			if len(all) != 49 || all["k/07"] != "changed" || all["k/49"] != "value 49" {
				t.Errorf("%d keys, %q, %q", len(all), all["k/07"], all["k/49"])
			}
			if want := uint64(52); state != "backup" && s.Durable() != want {
				t.Errorf("group %d, want %d", s.Durable(), want)
			}
			putDurably(t, s, "k/50", "new")
		})
	}
}

// writeGolden keeps what a store needs, without the zeros at the end of its logs.
func writeGolden(t *testing.T) {
	running, closed, backedUp := goldenStore(t)
	if err := os.RemoveAll(goldenDir); err != nil {
		t.Fatal(err)
	}
	for state, from := range map[string]string{"running": running, "closed": closed} {
		for _, file := range filesOf(t, from) {
			if !slices.Contains([]string{".mem", ".sst", "MANIFEST", "sidecar", "tail"}, kindOf(file)) {
				continue
			}
			b, err := os.ReadFile(filepath.Join(from, file))
			if err != nil {
				t.Fatal(err)
			}
			if kindOf(file) == ".mem" {
				b = used(b)
			}
			to := filepath.Join(goldenDir, state, file)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
				err = os.WriteFile(to, b, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(goldenDir, "backup"), backedUp, 0o644); err != nil {
		t.Fatal(err)
	}
}
