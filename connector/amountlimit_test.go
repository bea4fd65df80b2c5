package connector

import (
	"testing"
	"time"
)

// Packets that come at once get here in another order than their times were taken in: no moment fills the bucket twice. A clock that was set
// back by more starts anew.
func TestNoTimeFillsABucketTwice(t *testing.T) {
	b := newAmountBucket(60_000, noon)
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	if !b.take(60_000, at(0)) {
		t.Fatal("a new bucket is not full")
	}
	for ms := 10; ms <= 1000; ms += 10 {
		b.take(0, at(ms))
		b.take(0, at(ms-10)) // had to wait for its turn
	}
	if b.level != 1000 {
		t.Errorf("%d units after a second of 1000", b.level)
	}
	b.take(0, at(-3_600_000))
	b.take(0, at(-3_599_000))
	if b.level != 2000 {
		t.Errorf("%d units a second after the clock was set back", b.level)
	}
}
