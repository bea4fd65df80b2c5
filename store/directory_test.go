package store

// This file tests what a store asks of its directory: privacy, being alone, and space.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestDirectoryIsPrivate(t *testing.T) {
	dir := filepath.Join(newDir(t), "below")
	old := syscall.Umask(0o027)
	s := mustOpen(t, dir, Options{})
	syscall.Umask(old)
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", d, info.Mode(), err)
		}
	}
	mustClose(t, s)
	for _, mode := range []os.FileMode{0o750, 0o705, 0o701, 0o720} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), dir, Options{})
		if !errors.Is(err, ErrPermissions) || !strings.Contains(err.Error(), "chmod 700 "+dir) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), file, Options{}); err == nil {
		t.Error("a file was opened")
	}
}

func TestEachMadeDirectoryIsSyncedIntoItsParent(t *testing.T) {
	top := t.TempDir()
	var synced []string
	note := func(path string) error { synced = append(synced, path); return nil }
	if err := makeDirectory(filepath.Join(top, "a", "b", "c"), note); err != nil {
		t.Fatal(err)
	}
	want := []string{top, filepath.Join(top, "a"), filepath.Join(top, "a", "b")}
	if !slices.Equal(synced, want) {
		t.Errorf("synced %v, want %v", synced, want)
	}
	broken := errors.New("input/output error")
	if err := makeDirectory(filepath.Join(top, "x", "y"), func(string) error { return broken }); err != broken {
		t.Error(err)
	}
}

func TestEmptyLogsOfAKilledProcessAreRemoved(t *testing.T) {
	for _, name := range []string{"00090.mem", "000090.vlog"} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			s := mustOpen(t, dir, Options{})
			putDurably(t, s, "a", "1")
			mustClose(t, s)
			left := filepath.Join(dir, databaseDir, name)
			if err := os.WriteFile(left, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			s = mustOpen(t, dir, Options{})
			wantValue(t, s, "a", "1")
			putDurably(t, s, "a", "2")
			if info, err := os.Stat(left); err == nil && info.Size() == 0 {
				t.Error("the empty log is still there")
			}
		})
	}
}

func TestASecondStoreIsRefusedAndAClosingOneWaitedFor(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	_, err := Open(context.Background(), dir, Options{LockWait: time.Millisecond})
	if !errors.Is(err, ErrLocked) || err.Error() != fmt.Sprintf("another process uses this directory: %s (process %d)", dir, os.Getpid()) {
		t.Fatal(err)
	}
	if err := Await(context.Background(), dir, Options{LockWait: time.Millisecond}); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	putDurably(t, s, "a", "1")
	closed := make(chan error, 1)
	time.AfterFunc(20*time.Millisecond, func() { closed <- s.Close() })
	if err := Await(context.Background(), dir, Options{}); err != nil {
		t.Fatal(err)
	}
	second := mustOpen(t, dir, Options{})
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	wantValue(t, second, "a", "1")
}

func TestALockWithoutANumberNamesNobody(t *testing.T) {
	for _, text := range []string{"", "x", "-1", "0", "123456789012345678901234567890"} {
		dir := newDir(t)
		s := mustOpen(t, dir, Options{})
		if err := os.WriteFile(filepath.Join(dir, lockFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), dir, Options{LockWait: time.Millisecond})
		if !errors.Is(err, ErrLocked) || !strings.HasSuffix(err.Error(), dir) {
			t.Errorf("%q: %v", text, err)
		}
		mustClose(t, s)
	}
}

func TestAwaitMakesNothing(t *testing.T) {
	dir := filepath.Join(newDir(t), "below")
	if err := Await(context.Background(), dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("there is a directory")
	}
}

func TestNearlyFullDiskRefusesJoinsWithoutPoison(t *testing.T) {
	var free atomic.Uint64
	free.Store(100 << 20)
	dir := newDir(t)
	s := mustOpen(t, dir, Options{MinFree: 64 << 20, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
	putDurably(t, s, "a", "1")
	eventually := func(what string, f func() bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(what)
			}
		}
	}
	free.Store(63 << 20)
	eventually("no ErrNoSpace", func() bool { return errors.Is(s.Ready(), ErrNoSpace) })
	if _, err := s.Join(func(*Group) { t.Error("called") }); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), dir) {
		t.Fatal(err)
	}
	if ticket, err := s.FollowUp(func(g *Group) { g.Put([]byte("a"), []byte("2")) }); err != nil || ticket.Wait(context.Background()) != nil {
		t.Fatal("a follow-up was refused")
	}
	wantValue(t, s, "a", "2")
	mustClose(t, s)
	free.Store(31 << 20)
	o := Options{MinFree: 64 << 20, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }}
	if _, err := Open(context.Background(), dir, o); !errors.Is(err, ErrNoSpace) {
		t.Fatalf("opened on a full disk: %v", err)
	}
	free.Store(32 << 20)
	s = mustOpen(t, dir, o)
	wantValue(t, s, "a", "2")
	if _, err := s.Join(func(*Group) { t.Error("called") }); !errors.Is(err, ErrNoSpace) {
		t.Fatal(err)
	}
	free.Store(64 << 20)
	eventually("still ErrNoSpace", func() bool { return s.Ready() == nil })
	putDurably(t, s, "a", "3")
}
