package store

// This file tests what a store tells of itself.

import (
	"sync"
	"testing"
)

func TestObserveIsToldOfEachGroup(t *testing.T) {
	var mu sync.Mutex
	var seen []Commit
	s := mustOpen(t, newDir(t), Options{Observe: func(c Commit) { mu.Lock(); seen = append(seen, c); mu.Unlock() }})
	putDurably(t, s, "a", "12")
	putDurably(t, s, "bc", "3")
	mustClose(t, s)
	if len(seen) != 2 {
		t.Fatalf("%+v", seen)
	}
	for i, c := range seen {
		if c.Sequence != uint64(i+1) || c.Joins != 1 || c.Entries != 1 || c.Bytes != 3 || c.Took <= 0 {
			t.Errorf("%+v", c)
		}
	}
}

func TestSpaceSaysWhatTheGuardSees(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{MinFree: 5, FreeSpace: func(string) (uint64, error) { return 7 << 30, nil }})
	if free, floor, err := s.Space(); free != 7<<30 || floor != 5 || err != nil {
		t.Error(free, floor, err)
	}
}
