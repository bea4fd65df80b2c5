package store

// This file tests what the operator is told: failing, once and with the cause, and the space guard, each time that it changes.

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func observed() (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	return zap.New(core), logs
}

func TestFailingIsLoggedOnceWithItsCause(t *testing.T) {
	broken := errors.New("input/output error")
	ways := map[string]func(s *Store){
		"commit": func(s *Store) {
			ticket := put(t, s, "k", "v")
			if err := ticket.Wait(context.Background()); !errors.Is(err, broken) {
				t.Error(err)
			}
		},
		"user": func(s *Store) { s.Fail(broken) },
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			logger, logs := observed()
			dir := newDir(t)
			s := mustOpen(t, dir, Options{Logger: logger, Fault: func(at Point, _ uint64) error {
				if at == BeforeCommit {
					return broken
				}
				return nil
			}})
			way(s)
			<-s.Failed()
			if err := s.Ready(); !errors.Is(err, ErrPoisoned) || !errors.Is(err, broken) {
				t.Error(err)
			}
			s.Fail(errors.New("another error"))
			if _, err := s.Join(func(*Group) { t.Error("called") }); !errors.Is(err, ErrPoisoned) {
				t.Error(err)
			}
			mustClose(t, s)
			said := logs.FilterLevelExact(zapcore.ErrorLevel).All()
			if len(said) != 1 || said[0].ContextMap()["error"] != broken.Error() && !strings.Contains(said[0].ContextMap()["error"].(string), broken.Error()) {
				t.Fatalf("logged %v", said)
			}
			if said[0].ContextMap()["directory"] != dir {
				t.Errorf("logged %v", said[0].ContextMap())
			}
		})
	}
}

func TestTheSpaceGuardSaysWhenItClosesAndOpens(t *testing.T) {
	logger, logs := observed()
	var free atomic.Uint64
	var elapsed atomic.Int64
	free.Store(10 << 20)
	g := &space{dir: "/data", log: logger, floor: 10 << 20, since: func() time.Duration { return time.Duration(elapsed.Add(int64(spaceInterval))) },
		free: func(string) (uint64, error) { return free.Load(), nil }}
	states := []struct {
		free           uint64
		closed, opened int // messages so far
	}{{10 << 20, 0, 0}, {9<<20 - 1, 1, 0}, {8 << 20, 1, 0}, {20 << 20, 1, 1}, {20 << 20, 1, 1}, {0, 2, 1}}
	for _, state := range states {
		free.Store(state.free)
		if err := g.check(); errors.Is(err, ErrNoSpace) != (state.free < 10<<20) {
			t.Errorf("%d bytes free: %v", state.free, err)
		}
		closed, opened := logs.FilterLevelExact(zapcore.WarnLevel).Len(), logs.FilterLevelExact(zapcore.InfoLevel).Len()
		if closed != state.closed || opened != state.opened {
			t.Errorf("%d bytes free: %d warnings, %d all-clears", state.free, closed, opened)
		}
	}
	err := logs.FilterLevelExact(zapcore.WarnLevel).All()[0].ContextMap()["error"].(string)
	if !strings.Contains(err, "8 MiB are free in the file system of /data, and at least 10 MiB are needed; free 2 MiB there") {
		t.Error(err)
	}
	if _, err := g.makeRoomToOpen(ballast{}, logger); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "at least 5 MiB are needed; free 5 MiB there") {
		t.Error(err)
	}
}
