package ilpcore_test

// This file ends bursts.

import (
	"slices"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

// noting notes its flushes.
type noting struct {
	name string
	to   *[]string
}

func (n noting) Flush() { *n.to = append(*n.to, n.name) }

// What is left to the end of a burst happens once there; what belongs to no burst, at once.
func TestBurst(t *testing.T) {
	var flushed []string
	one, two := noting{"one", &flushed}, noting{"two", &flushed}
	want := func(names ...string) {
		t.Helper()
		if !slices.Equal(flushed, names) {
			t.Errorf("flushed %q, want %q", flushed, names)
		}
	}
	var burst ilpcore.Burst
	for _, f := range []ilpcore.Flusher{one, two, one, one, two} {
		burst.Later(f)
	}
	want()
	burst.End()
	want("one", "two")
	burst.End()
	want("one", "two")
	burst.Later(two)
	burst.End()
	want("one", "two", "two")
	var none *ilpcore.Burst
	none.Later(one)
	want("one", "two", "two", "one")
}
