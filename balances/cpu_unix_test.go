//go:build unix

package balances

// This file measures what benchmarks cost: the processor time of the whole process, the store and the garbage collector included.

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
