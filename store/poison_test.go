package store

// This file tests failing: the store stops at the first error, says so to all who wait, and opens to one of the two outcomes.

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestP10ErrorPoisons(t *testing.T) {
	broken := errors.New("input/output error")
	points := map[string]struct {
		at   Point
		want string // of "k" after reopening; the change failed, and may be there
	}{
		"nothing was written":       {BeforeCommit, "before"},
		"written, and an error":     {AfterCommit, "after"},
		"written, and no slot":      {BeforeSidecar, "after"},
		"both written, and a crash": {BeforeRelease, "after"},
	}
	for name, p := range points {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			hold := make(chan struct{})
			var calls atomic.Int64
			s := mustOpen(t, dir, Options{Fault: func(at Point, n uint64) error {
				if at != p.at || n == 1 {
					return nil
				}
				calls.Add(1)
				<-hold
				return broken
			}})
			putDurably(t, s, "k", "before")
			var called atomic.Bool
			failing, err := s.Join(func(g *Group) {
				g.Put([]byte("k"), []byte("after"))
				g.AfterCommit(func() { called.Store(true) })
			})
			if err != nil {
				t.Fatal(err)
			}
			for calls.Load() == 0 { // until the committer is at work, so that the next join is in a later group
				if s.Err() != nil {
					t.Fatal(s.Err())
				}
			}
			next := put(t, s, "k", "never")
			if failing.Sequence() == next.Sequence() {
				t.Fatal("one group")
			}
			close(hold)
			for _, ticket := range []Ticket{failing, next} {
				if err := ticket.Wait(context.Background()); !errors.Is(err, ErrPoisoned) || !errors.Is(err, broken) {
					t.Fatal(err)
				}
			}
			<-s.Failed()
			if _, err := s.Join(func(*Group) { t.Error("called") }); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			if _, err := s.Get([]byte("k")); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			if err := s.Ready(); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			mustClose(t, s)
			if calls.Load() != 1 || called.Load() {
				t.Errorf("%d commits after the error, callback %v", calls.Load()-1, called.Load())
			}
			s = mustOpen(t, dir, Options{})
			wantValue(t, s, "k", p.want)
			putDurably(t, s, "k", "works again")
		})
	}
}
