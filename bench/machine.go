//go:build linux

package main

// This file says what the figures were measured on, and how much of it others used meanwhile.

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// describeMachine names processor, kernel, software and disk, and measures how long a sync takes in dir. It refuses a directory in
// memory, where durable charges would look free.
func describeMachine(dir, binary string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return "", err
	}
	if fs.Type == unix.TMPFS_MAGIC {
		return "", fmt.Errorf("%s is in memory, where a sync costs nothing: name a directory on a disk with -dir", filepath.Dir(dir))
	}
	sync, err := syncTime(dir)
	if err != nil {
		return "", err
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", err
	}
	software, err := versions(binary)
	return fmt.Sprintf("%d × %s (%d ns of CPU for a SHA-256 of 32 bytes), Linux %s, %s; a sync of the disk takes %d µs", runtime.NumCPU(),
		processor(), hashTime().Nanoseconds(), unix.ByteSliceToString(u.Release[:]), software, sync.Microseconds()), err
}

// hashTime is the CPU time of one hash, by which the speed of the processor at this time can be told from that of the software: the
// best of several, as others may use the same core.
func hashTime() time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const each = 100_000
	var sum [sha256.Size]byte
	best := time.Duration(math.MaxInt64)
	for range 10 {
		var begin, end unix.Timespec
		err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &begin)
		for range each {
			sum = sha256.Sum256(sum[:])
		}
		if err = errors.Join(err, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &end)); err != nil {
			return 0 // no Linux lacks this clock
		}
		best = min(best, time.Duration(end.Nano()-begin.Nano())/each)
	}
	return best
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // what it cannot say is left out
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// versions are those that matter of what is in the binary.
func versions(binary string) (string, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "", fmt.Errorf("%s is no Go program: %w", binary, err)
	}
	said := []string{strings.Replace(info.GoVersion, "go", "Go ", 1)}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/caddyserver/caddy/v2":
			said = append(said, "Caddy "+m.Version)
		case "github.com/dgraph-io/badger/v4":
			said = append(said, "Badger "+m.Version)
		}
	}
	return strings.Join(said, ", "), nil
}

// syncTime is the median of writing a block and syncing it.
func syncTime(dir string) (_ time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, 4096)
	var times []time.Duration
	for i := range 300 {
		begin := time.Now()
		if _, err := f.WriteAt(block, int64(i%64)*4096); err != nil {
			return 0, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// usage is what the processors had done at a moment.
type usage struct {
	at   time.Time
	busy time.Duration // all processes
	ours time.Duration // this one
}

// watchMachine starts to look at what others use.
func watchMachine() (usage, error) {
	busy, err := busyTime()
	if err != nil {
		return usage{}, err
	}
	ours, err := processTime(os.Getpid())
	return usage{at: time.Now(), busy: busy, ours: ours}, err
}

// others is the share of the processors that neither we nor these gateways, all of whose time counts, have used since u.
func (u usage) others(gateways ...*gateway) (share float64, err error) {
	now, err := watchMachine()
	if err != nil {
		return 0, err
	}
	others := now.busy - u.busy - (now.ours - u.ours)
	for _, g := range gateways {
		used, err := g.cpu()
		if err != nil {
			return 0, err
		}
		others -= used
	}
	return max(0, float64(others)/float64(now.at.Sub(u.at))/float64(runtime.NumCPU())), nil
}

// busyTime is what all processors have worked since the machine started, as /proc/stat counts it in ticks of 10 ms.
func busyTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	var user, nice, system, idle, wait, hard, soft, steal int64
	if _, err := fmt.Sscanf(string(first), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &hard, &soft, &steal); err != nil {
		return 0, fmt.Errorf("reading /proc/stat: %w", err)
	}
	return time.Duration(user+nice+system+hard+soft+steal) * 10 * time.Millisecond, nil
}
