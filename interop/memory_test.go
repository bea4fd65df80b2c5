package interop

// This file reads how much memory a process has from Linux's /proc.

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// memoryWatch compares the most resident memory a process had with what it had when the watch began.
type memoryWatch struct {
	pid   int
	start int // bytes
}

// watchMemory begins a watch: it resets the process's high-water mark. Without /proc the test is skipped; with PAYDOOR_INTEROP=1 it fails.
func watchMemory(t *testing.T, pid int) memoryWatch {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		missing := fmt.Sprintf("this system does not tell how much memory a process had at most: %v", err)
		if required() {
			t.Fatalf("PAYDOOR_INTEROP=1, but %s", missing)
		}
		t.Skip(missing)
	}
	return memoryWatch{pid, readMemory(t, pid, "VmRSS")}
}

// wantRise fails the test when the process at any moment had more than limit bytes above its start.
func (w memoryWatch) wantRise(t *testing.T, limit int) {
	t.Helper()
	rise := readMemory(t, w.pid, "VmHWM") - w.start
	t.Logf("resident memory rose from %.1f MiB by at most %.1f MiB; %.1f MiB are allowed", mib(w.start), mib(rise), mib(limit))
	if rise > limit && !withRace() { // the race detector's own memory grows with use
		t.Errorf("resident memory rose by %.1f MiB, more than the %.1f MiB allowed", mib(rise), mib(limit))
	}
}

// readMemory returns a field of /proc/PID/status in bytes.
func readMemory(t *testing.T, pid int, field string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		rest, found := strings.CutPrefix(line, field+":")
		if !found {
			continue
		}
		kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
		if err != nil {
			t.Fatalf("/proc/%d/status says %q", pid, line)
		}
		return kib << 10
	}
	t.Fatalf("/proc/%d/status has no %s", pid, field)
	return 0
}

func mib(n int) float64 { return float64(n) / (1 << 20) }
