package btp

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"time"
)

func TestTroubleIsNotRepeated(t *testing.T) {
	var tr trouble
	at := time.Unix(1000, 0)
	for i, step := range []struct {
		why   string
		after time.Duration
		want  bool
	}{
		{"a", 0, true}, {"a", time.Hour, false}, {"b", 0, true}, {"c", 59 * time.Second, false}, {"c", time.Second, true}, {"c", time.Hour, false},
	} {
		at = at.Add(step.after)
		if got := tr.set(errors.New(step.why), at); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	tr.clear()
	if !tr.set(errors.New("c"), at) || tr.get() == nil {
		t.Error("a new trouble is not told")
	}
}

func TestBackoff(t *testing.T) {
	b := backoff{waits: standardTiming().waits, stable: 10 * time.Second, random: rand.Reader}
	check := func(want ...time.Duration) {
		t.Helper()
		for i, w := range want {
			if got := b.next(); got < w || got > w+w/4 {
				t.Errorf("wait %d is %v, want %v and at most a quarter more", i, got, w)
			}
		}
	}
	ms := time.Millisecond
	check(0, 100*ms, 500*ms, 1000*ms, 2000*ms, 5000*ms, 5000*ms, 5000*ms)
	b.lasted(9 * time.Second)
	check(5000 * ms)
	b.lasted(10 * time.Second)
	check(0, 100*ms)
	b.random = bytes.NewReader(nil)
	check(500 * ms)
}
