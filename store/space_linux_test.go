package store

// This file tests on a simulated small disk that what is written after the space guard has closed fits into what it keeps free.

import (
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestFreeBlocksAreCountedInTheirOwnSize(t *testing.T) {
	for name, test := range map[string]struct {
		of   unix.Statfs_t
		want uint64
	}{
		"as usual":         {unix.Statfs_t{Bavail: 100, Bsize: 4096, Frsize: 4096}, 409600},
		"read in larger":   {unix.Statfs_t{Bavail: 100, Bsize: 1 << 20, Frsize: 4096}, 409600},
		"without fragment": {unix.Statfs_t{Bavail: 100, Bsize: 4096}, 409600},
	} {
		if got := freeBytes(test.of); got != test.want {
			t.Errorf("%s: %d bytes, want %d", name, got, test.want)
		}
	}
}

// allocated counts the bytes that the files below dir take on the disk, without their holes.
func allocated(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // files come and go
		}
		if info, err := d.Info(); err == nil {
			n += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return nil
	})
	return n
}

func TestWhatIsWrittenAfterTheGuardHasClosedFits(t *testing.T) {
	if testing.Short() {
		t.Skip("writes some hundred MiB")
	}
	const disk = DefaultMinFree + 220<<20
	dir := newDir(t)
	s := mustOpen(t, dir, Options{MinFree: DefaultMinFree, FreeSpace: func(dir string) (uint64, error) {
		return uint64(max(0, disk-allocated(dir))), nil
	}})
	var lowest atomic.Int64
	lowest.Store(math.MaxInt64)
	tables := 0
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
			}
			lowest.Store(min(lowest.Load(), disk-allocated(dir)))
			tables = max(tables, s.db.Levels()[0].NumTables)
		}
	})
	random := rand.NewChaCha8([32]byte{1})
	key, value := make([]byte, 32), make([]byte, 1000)
	var err error
	for end := time.Now().Add(2 * time.Minute); err == nil && time.Now().Before(end); {
		_, err = s.Join(func(g *Group) {
			for range 100 {
				random.Read(key)
				g.Put(key, value)
			}
		})
		for s.Backlog() > 8 {
			time.Sleep(time.Millisecond)
		}
	}
	if err == nil {
		t.Skip("this machine takes too long to fill the disk")
	}
	for quiet := time.Now(); time.Since(quiet) < time.Second; time.Sleep(20 * time.Millisecond) { // until compaction is over
		if before := lowest.Load(); disk-allocated(dir) < before {
			quiet = time.Now()
		}
	}
	close(stop)
	watch.Wait()
	t.Logf("at least %d MiB stayed free, at most %d tables in level 0", lowest.Load()>>20, tables)
	if lowest.Load() < DefaultMinFree/4 {
		t.Errorf("only %d MiB stayed free", lowest.Load()>>20)
	}
	if tables > 3 {
		t.Errorf("%d tables in level 0, which one compaction writes anew", tables)
	}
}
