package store

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// The reach into Badger must find its mark in the version that go.mod names, and commits must go on being synced by the write-ahead log
// alone: nothing may ever be in the value log.
func TestValueLogIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if !leaveValueLogAlone(s.db) {
		t.Error("this version of Badger keeps the option elsewhere")
	}
	if !s.db.Opts().SyncWrites {
		t.Error("commits are not synced")
	}
	for i := range 20 {
		ticket, err := s.Join(func(g *Group) { g.Put([]byte{'k', byte(i)}, bytes.Repeat([]byte("x"), MaxValue)) })
		if err == nil {
			err = ticket.Wait(context.Background())
		}
		if err != nil {
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
