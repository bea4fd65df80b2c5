package store

// This file tests that no compaction loses anything: Badger forgets that it could not write a table.

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
)

// TestP10CompactionThatCannotWrite has the tables of a compaction fail, which Badger says nothing of: where they should go, there is something else.
func TestP10CompactionThatCannotWrite(t *testing.T) {
	dir := newDir(t)
	database := filepath.Join(dir, databaseDir)
	want := map[string]string{}
	fill := func(s *Store, round int) {
		for i := range 50 {
			key, value := fmt.Sprintf("key %03d", (i*7+round*31)%90), fmt.Sprintf("round %d", round)
			want[key] = value
			putDurably(t, s, key, value)
		}
	}
	s := mustOpen(t, dir, Options{})
	fill(s, 0)
	mustClose(t, s)
	s = mustOpen(t, dir, Options{})
	fill(s, 1)
	mustClose(t, s) // two tables in level 0, which is when Badger compacts it
	inTheWay := blockTables(t, database, 3, 40)
	s = mustOpen(t, dir, Options{})
	select {
	case <-s.Failed():
	case <-time.After(10 * time.Second):
		t.Fatal("a compaction that could not write its tables passed for a good one")
	}
	if err := s.Err(); !errors.Is(err, ErrPoisoned) || !strings.Contains(err.Error(), "compaction") {
		t.Errorf("the store failed of %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, path := range inTheWay {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	s = mustOpen(t, dir, Options{})
	for key, value := range want {
		wantValue(t, s, key, value)
	}
	mustClose(t, s)
}

// TestP10CompactionThatWasNotJudged has the process end after Badger has written such a change and before it was taken back.
func TestP10CompactionThatWasNotJudged(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	for i := range 50 {
		putDurably(t, s, fmt.Sprint("key ", i), "value")
	}
	mustClose(t, s)
	path := filepath.Join(dir, databaseDir, "MANIFEST")
	list, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := tablesOf(list)
	if err != nil || len(tables) != 1 {
		t.Fatalf("%v, %v", tables, err)
	}
	longer := append(bytes.Clone(list), listRecord(t, nil, slices.Collect(maps.Keys(tables))...)...)
	if err := os.WriteFile(path, longer, 0o600); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{})
	for i := range 50 {
		wantValue(t, s, fmt.Sprint("key ", i), "value")
	}
	mustClose(t, s)
}

// TestJudgeCompaction compares tables that are made for it.
func TestJudgeCompaction(t *testing.T) {
	live := func(key string, version uint64, value string) tableEntry { return tableEntry{key, version, value, 0} }
	gone := func(key string, version uint64) tableEntry { return tableEntry{key, version, "", metaDelete} }
	old := [][]tableEntry{{live("a", 5, "new"), gone("b", 6)}, {live("a", 2, "old"), live("c", 1, "kept")}} // in level 0
	tests := map[string]struct {
		made  []tableEntry // in level 5
		below []tableEntry // in level 6
		fine  bool
	}{
		"all, and what was deleted":          {made: []tableEntry{live("a", 5, "new"), gone("b", 6), live("c", 1, "kept")}, fine: true},
		"without what was deleted":           {made: []tableEntry{live("a", 5, "new"), live("c", 1, "kept")}, fine: true},
		"deleted, and not below":             {made: []tableEntry{live("a", 5, "new"), live("c", 1, "kept")}, below: []tableEntry{live("a", 1, ""), live("bb", 1, "")}, fine: true},
		"also old versions":                  {made: []tableEntry{live("a", 5, "new"), live("a", 2, "old"), live("c", 1, "kept")}, fine: true},
		"deleted, and older below":           {made: []tableEntry{live("a", 5, "new"), live("c", 1, "kept")}, below: []tableEntry{live("b", 1, "old")}},
		"no last key":                        {made: []tableEntry{live("a", 5, "new"), gone("b", 6)}},
		"no first key":                       {made: []tableEntry{live("c", 1, "kept")}},
		"an old version":                     {made: []tableEntry{live("a", 2, "old"), live("c", 1, "kept")}},
		"another value of the right version": {made: []tableEntry{live("a", 5, "old"), live("c", 1, "kept")}},
		"nothing":                            {},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			before, after := map[uint64]int{1: 0, 2: 0}, map[uint64]int{}
			makeTable(t, dir, 1, old[0])
			makeTable(t, dir, 2, old[1])
			if test.made != nil {
				makeTable(t, dir, 3, test.made)
				after[3] = 5
			}
			if test.below != nil {
				makeTable(t, dir, 4, test.below)
				before[4], after[4] = 6, 6
			}
			if err := judgeCompaction(dir, before, after); (err == nil) != test.fine || err != nil && !errors.Is(err, errDropped) {
				t.Error(err)
			}
		})
	}
	t.Run("damaged", func(t *testing.T) {
		dir := t.TempDir()
		makeTable(t, dir, 1, old[0])
		makeTable(t, dir, 2, old[0])
		path := table.NewFilename(1, dir)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[10] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := judgeCompaction(dir, map[uint64]int{1: 0}, map[uint64]int{2: 5}); !errors.Is(err, errDropped) || !strings.Contains(err.Error(), path) {
			t.Error(err)
		}
	})
}

type tableEntry struct {
	key     string
	version uint64
	value   string
	meta    byte
}

func makeTable(t *testing.T, dir string, id uint64, entries []tableEntry) {
	t.Helper()
	b := table.NewTableBuilder(table.Options{BlockSize: 4096, TableSize: 1 << 20, ChkMode: options.OnBlockRead})
	defer b.Close()
	for _, e := range entries {
		b.Add(y.KeyWithTs([]byte(e.key), e.version), y.ValueStruct{Value: []byte(e.value), Meta: e.meta}, 0)
	}
	if err := os.WriteFile(table.NewFilename(id, dir), b.Finish(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// blockTables puts something where Badger wants to create tables, from the given number on.
func blockTables(t *testing.T, database string, from, to uint64) (paths []string) {
	t.Helper()
	for id := from; id < to; id++ {
		path := table.NewFilename(id, database)
		if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
