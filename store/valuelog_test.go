package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
)

// The reach into Badger must find its mark in the version that go.mod names, and commits must go on being synced by the write-ahead log
// alone: nothing may ever be in the value log.
func TestValueLogIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	db, err := openDatabase(dir, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if !leaveValueLogAlone(db) {
		t.Error("this version of Badger keeps the option elsewhere")
	}
	if !db.Opts().SyncWrites {
		t.Error("commits are not synced")
	}
	d := &disk{db: db}
	for sequence := range uint64(20) {
		big := entry{key: []byte{'k', byte(sequence)}, value: bytes.Repeat([]byte("x"), MaxValue)}
		if err := d.commit([]entry{big}, head{sequence: sequence + 1}); err != nil {
			t.Fatal(err)
		}
	}
	const header = 20
	log, err := os.ReadFile(filepath.Join(dir, databaseDir, "000001.vlog"))
	if err != nil {
		t.Fatal(err)
	}
	if used := bytes.TrimRight(log[header:], "\x00"); len(used) > 0 {
		t.Errorf("%d bytes are in the value log", len(used))
	}
}
