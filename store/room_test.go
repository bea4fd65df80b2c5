package store

// This file tests that a group which may need a new log waits for room instead of ending the process.

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

func TestGroupsWaitForRoomForALog(t *testing.T) {
	var free atomic.Uint64
	free.Store(100 << 20)
	dir := newDir(t)
	s := mustOpen(t, dir, Options{MinFree: 64 << 20, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
	fillLog := func() (last Ticket) { // more than a log takes; follow-ups, since the guard refuses joins
		value := bytes.Repeat([]byte("x"), MaxValue)
		for i := range memtableSize/MaxValue + 20 {
			var err error
			if last, err = s.FollowUp(func(g *Group) { g.Put([]byte{'k', byte(i)}, value) }); err != nil {
				t.Fatal(err)
			}
		}
		return last
	}
	waiting := func(ticket Ticket) {
		t.Helper()
		select {
		case <-ticket.Done():
			t.Fatal("it did not wait")
		case <-time.After(500 * time.Millisecond):
		}
	}
	free.Store(31 << 20)
	last := fillLog()
	waiting(last)
	free.Store(100 << 20)
	if err := last.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	putDurably(t, s, "k", "after")
	free.Store(31 << 20)
	last = fillLog()
	waiting(last)
	s.Close() // it cannot wait for ever
	if err := last.Wait(context.Background()); !errors.Is(err, ErrPoisoned) || !errors.Is(err, ErrNoSpace) {
		t.Error(err)
	}
	free.Store(100 << 20)
	wantValue(t, mustOpen(t, dir, Options{}), "k", "after")
}

// With a journal a group may be durable for which Badger has no room yet. Who wants to read many keys is told so, and single keys can be read.
func TestViewDoesNotWaitForRoom(t *testing.T) {
	var free atomic.Uint64
	free.Store(100 << 20)
	s := mustOpen(t, newDir(t), Options{Journal: true, MinFree: 64 << 20, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
	putDurably(t, s, "single", "value")
	free.Store(31 << 20)
	value := bytes.Repeat([]byte("x"), MaxValue)
	var last Ticket
	for i := range memtableSize/MaxValue + 40 {
		var err error
		if last, err = s.FollowUp(func(g *Group) { g.Put([]byte{'k', byte(i)}, value) }); err != nil {
			t.Fatal(err)
		}
	}
	for before := uint64(0); before != s.Durable(); time.Sleep(500 * time.Millisecond) {
		before = s.Durable() // until it waits
	}
	read := make(chan error, 1)
	go func() { read <- s.View(func(*View) error { return nil }) }()
	select {
	case err := <-read:
		if !errors.Is(err, ErrNoSpace) || errors.Is(err, ErrPoisoned) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for room")
	}
	wantValue(t, s, "single", "value")
	free.Store(100 << 20)
	if err := last.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.View(func(*View) error { return nil }); err != nil {
		t.Error(err)
	}
}

// What is counted of a log is never less than what Badger has written to it, or a full log would be changed for one without blocks.
func TestEachLogGetsItsBlocksWhenItBegins(t *testing.T) {
	for name, size := range map[string]int{"tiny groups": 1, "huge values": MaxValue} {
		t.Run(name, func(t *testing.T) {
			if size > 1 && testing.Short() {
				t.Skip("writes some hundred MiB")
			}
			dir := quickDir(t)
			s := mustOpen(t, dir, Options{})
			value := bytes.Repeat([]byte("x"), size)
			groups := 2000
			if size > 1 {
				groups = 12 * memtableSize / (2 * size)
			}
			for i := range groups {
				ticket, err := s.Join(func(g *Group) {
					for k := range min(size, 1+i%3) {
						g.Put([]byte{'k', byte(i), byte(k)}, value)
					}
				})
				if err != nil || ticket.Wait(context.Background()) != nil {
					t.Fatal(err)
				}
				mustHaveCounted(t, s)
			}
			mustClose(t, s)
		})
	}
}

// mustHaveCounted looks at a store that commits nothing.
func mustHaveCounted(t *testing.T, s *Store) {
	t.Helper()
	found, _, err := listLogs(filepath.Join(s.dir, databaseDir))
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	l := s.disk.logs
	if newest := found[len(found)-1]; newest.number != l.number {
		t.Fatalf("log %d has begun, and log %d is the last that got blocks", newest.number, l.number)
	}
	if s.durable.Load()%500 != 0 {
		return
	}
	b, err := os.ReadFile(l.path(l.number))
	if err != nil {
		t.Fatal(err)
	}
	if n := lastUsed(b); n > l.most {
		t.Fatalf("the log has %d bytes, and %d were counted", n, l.most)
	}
}

// A store that was opened on a nearly full disk is opened anew when nobody reads it; a long backup must not make all others wait with it.
func TestReadersDoNotWaitForABackupWhileTheStoreIsOpenedAnew(t *testing.T) {
	var free atomic.Uint64
	dir := newDir(t)
	o := Options{MinFree: 64 << 20, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }}
	free.Store(100 << 20)
	s := mustOpen(t, dir, o)
	putDurably(t, s, "k", "1")
	mustClose(t, s)
	free.Store(60 << 20)
	o.MinFree = 128 << 20 // so that there is less than the half
	s = mustOpen(t, dir, o)
	if !s.space.cramped.Load() {
		t.Fatal("it was opened as ever")
	}
	reading, read := make(chan struct{}), make(chan error)
	go func() {
		read <- s.View(func(*View) error { <-reading; return nil })
	}()
	free.Store(200 << 20)
	time.Sleep(3 * careEvery)
	got := make(chan error, 1)
	go func() {
		_, err := s.Get([]byte("k"))
		got <- err
	}()
	select {
	case err := <-got:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a reader waits for another one")
	}
	close(reading)
	if err := <-read; err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(10 * time.Second); s.Ready() != nil; time.Sleep(careEvery / 5) {
		if time.Now().After(end) {
			t.Fatal(s.Ready())
		}
	}
	putDurably(t, s, "k", "2")
}
