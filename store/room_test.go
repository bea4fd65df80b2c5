package store

// This file tests that a group which may need a new log waits for room instead of ending the process.

import (
	"bytes"
	"context"
	"errors"
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
