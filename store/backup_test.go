package store

// This file tests backups: whole ones are restored as they were, all others are refused, and a restored store says that it is one.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func backup(t testing.TB, s *Store) (b []byte, sequence uint64) {
	t.Helper()
	var out bytes.Buffer
	sequence, err := s.Backup(context.Background(), &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), sequence
}

func TestRestoreMakesTheStoreThatWasBackedUp(t *testing.T) {
	ctx := context.Background()
	s := mustOpen(t, newDir(t), Options{})
	for i := range 3000 {
		put(t, s, fmt.Sprintf("k/%d", i), strings.Repeat("v", i%100))
	}
	putDurably(t, s, "last", "1")
	want := everything(t, s)
	b, sequence := backup(t, s)
	if sequence != s.Durable() {
		t.Errorf("a backup at %d, and %d are durable", sequence, s.Durable())
	}
	putDurably(t, s, "after", "1")
	dir, now := newDir(t), time.UnixMilli(1_900_000_000_000)
	if err := Restore(ctx, bytes.NewReader(b), dir, Options{MinFree: 1, Now: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, dir, Options{})
	got := everything(t, again)
	for k, v := range want {
		if got[k] != v {
			t.Fatalf("%s = %q, want %q", k, got[k], v)
		}
	}
	wantValue(t, again, "after", "")
	if len(got) != len(want) || again.Durable() != sequence+1 {
		t.Errorf("%d keys of %d, group %d after %d", len(got), len(want), again.Durable(), sequence)
	}
	losses, err := again.Losses()
	if err != nil || len(losses) != 1 || !losses[0].Restored || losses[0].Held != sequence || !losses[0].Time.Equal(now) {
		t.Errorf("%+v, %v", losses, err)
	}
	if again.identity == s.identity {
		t.Error("a restored store passes for the one that was backed up")
	}
	putDurably(t, again, "later", "1")

	third := newDir(t) // a backup of a restored store still says so
	b, _ = backup(t, again)
	if err := Restore(ctx, bytes.NewReader(b), third, Options{MinFree: 1}); err != nil {
		t.Fatal(err)
	}
	if losses, err := mustOpen(t, third, Options{}).Losses(); err != nil || len(losses) != 2 {
		t.Errorf("%+v, %v", losses, err)
	}
	if err := Restore(ctx, bytes.NewReader(b), third, Options{MinFree: 1}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restored over a store: %v", err)
	}
	wantValue(t, mustOpen(t, dir, Options{LockWait: time.Second, MinFree: 1}.afterClose(t, again)), "later", "1")
}

// afterClose closes s first.
func (o Options) afterClose(t *testing.T, s *Store) Options {
	mustClose(t, s)
	return o
}

func TestBackupOfAnEmptyStore(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	b, sequence := backup(t, s)
	dir := newDir(t)
	if err := Restore(context.Background(), bytes.NewReader(b), dir, Options{MinFree: 1}); err != nil || sequence != 0 {
		t.Fatal(sequence, err)
	}
	putDurably(t, mustOpen(t, dir, Options{}), "k", "1")
}

// A backup that is written under load shows one moment: two keys that always change together are equal in it.
func TestBackupIsOfOneMoment(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	stop := make(chan struct{})
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				ticket, err := s.Join(func(g *Group) {
					g.Put(fmt.Appendf(nil, "a/%d", w), fmt.Append(nil, n))
					g.Put(fmt.Appendf(nil, "z/%d", w), fmt.Append(nil, n))
				})
				if err != nil || ticket.Wait(context.Background()) != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 5 {
		for s.Durable() < uint64(20*(i+1)) {
			time.Sleep(time.Millisecond)
		}
		b, _ := backup(t, s)
		dir := newDir(t)
		if err := Restore(context.Background(), bytes.NewReader(b), dir, Options{MinFree: 1}); err != nil {
			t.Fatal(err)
		}
		r := mustOpen(t, dir, Options{})
		for w := range 4 {
			if a, z := readCount(r, fmt.Sprintf("a/%d", w)), readCount(r, fmt.Sprintf("z/%d", w)); a != z {
				t.Errorf("%d and %d", a, z)
			}
		}
		mustClose(t, r)
	}
	close(stop)
	work.Wait()
}

func TestBackupThatIsNotWholeIsRefused(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	for i := range 40 {
		putDurably(t, s, fmt.Sprint("k", i), "value")
	}
	whole, _ := backup(t, s)
	seal := func(b []byte) []byte { // with the right hash
		sum := sha256.Sum256(b)
		return append(b, sum[:]...)
	}
	empty := bytes.Clone(whole[:backupHeader])
	changes := map[string][]byte{
		"nothing":       nil,
		"something":     []byte("hello, I am no backup"),
		"more":          append(bytes.Clone(whole), 0),
		"no end":        whole[:len(whole)-41],
		"count":         seal(append(bytes.Clone(empty), 0, 0, 0, 0, 0, 0, 0, 0, 1)),
		"reserved key":  seal(append(append(bytes.Clone(empty), appendEntry(nil, &entry{key: []byte(headKey)})...), 0, 0, 0, 0, 0, 0, 0, 0, 1)),
		"order of keys": seal(append(append(append(bytes.Clone(empty), appendEntry(nil, &entry{key: []byte("b")})...), appendEntry(nil, &entry{key: []byte("a")})...), 0, 0, 0, 0, 0, 0, 0, 0, 2)),
	}
	for at := 0; at < len(whole); at += max(1, len(whole)/60) {
		changes[fmt.Sprint("cut at ", at)] = whole[:at]
		if flipped := bytes.Clone(whole); at < 8 || at > 11 { // the versions have a case of their own
			flipped[at] ^= 4
			changes[fmt.Sprint("flip at ", at)] = flipped
		}
	}
	dir := quickDir(t)
	for name, b := range changes {
		err := Restore(context.Background(), bytes.NewReader(b), dir, Options{MinFree: 1})
		if !errors.Is(err, ErrBackup) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
		if found, err := os.ReadDir(dir); err != nil || len(found) > 0 {
			t.Fatalf("%s leaves %v, %v", name, found, err)
		}
	}
	for _, at := range []int{9, 11} {
		newer := bytes.Clone(whole)
		newer[at]++
		if err := Restore(context.Background(), bytes.NewReader(newer), dir, Options{MinFree: 1}); !errors.Is(err, ErrFormat) {
			t.Errorf("newer: %v", err)
		}
	}
	if err := Restore(context.Background(), bytes.NewReader(whole), dir, Options{}); err != nil {
		t.Fatal(err)
	}
}

func TestInterruptedRestoreIsRefused(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	putDurably(t, s, "k", "1")
	b, _ := backup(t, s)
	dir := newDir(t)
	if err := Restore(context.Background(), bytes.NewReader(b), dir, Options{MinFree: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, restoringFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, ErrFormat, dir, "interrupted")
}

func TestBackupEndsWithItsContext(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	putDurably(t, s, "k", "1")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Backup(ctx, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b, _ := backup(t, s)
	if err := Restore(ctx, bytes.NewReader(b), newDir(t), Options{MinFree: 1, LockWait: time.Second}); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzReadBackup(f *testing.F) {
	var out bytes.Buffer
	w := newBackupWriter(&out, backupHead{sequence: 3, at: time.UnixMilli(5)})
	_ = w.entry([]byte("k"), []byte("v"))
	_ = w.end()
	f.Add(out.Bytes())
	f.Add(out.Bytes()[:backupHeader])
	f.Fuzz(func(t *testing.T, b []byte) {
		var again bytes.Buffer
		var w *backupWriter
		h, err := readBackup(bytes.NewReader(b), func(h backupHead, key, value []byte) error {
			if w == nil {
				w = newBackupWriter(&again, h)
			}
			return w.entry(key, value)
		})
		if err != nil {
			return
		}
		if w == nil {
			w = newBackupWriter(&again, h)
		}
		if err := w.end(); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Fatal("a backup does not survive writing")
		}
	})
}

// awaiting is a context that tells when somebody waits for its end.
type awaiting struct {
	context.Context
	awaited chan struct{} // has room for one
}

func (a awaiting) Done() <-chan struct{} {
	select {
	case a.awaited <- struct{}{}:
	default:
	}
	return a.Context.Done()
}

// Whoever waits for another one to leave an empty directory must not restore into what that one has made there meanwhile.
func TestRestoreLooksAgainAtADirectoryThatItWaitedFor(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	putDurably(t, s, "k", "old")
	b, _ := backup(t, s)
	dir := newDir(t)
	if err := prepareDirectory(dir); err != nil {
		t.Fatal(err)
	}
	lock, err := lockDirectory(context.Background(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, restored := awaiting{context.Background(), make(chan struct{}, 1)}, make(chan error, 1)
	go func() { restored <- Restore(ctx, bytes.NewReader(b), dir, Options{MinFree: 1, LockWait: time.Minute}) }()
	select {
	case <-ctx.awaited:
	case err := <-restored:
		t.Fatal("it does not wait for the lock: ", err)
	}
	other, err := openLocked(dir, Options{MinFree: 1}.withDefaults()) // it was the first to have the lock
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.closeFiles(), lock.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-restored; err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Error("it has restored over another store: ", err)
	}
	wantValue(t, mustOpen(t, dir, Options{}), "k", "")
}
