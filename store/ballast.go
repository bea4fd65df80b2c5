package store

// This file keeps room on the disk: a ballast file that is given up so that a store can be opened on a full disk, and blocks under
// Badger's logs.
//
// Badger writes its logs through maps of sparse files. Where the disk has no block for a page, that is not an error but a SIGBUS, which ends
// the process. So each log gets its blocks as soon as it is there, and a group that may need a new log waits until there is room for one.

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

const (
	// DefaultBallast is the size of the ballast file: 64 MiB.
	DefaultBallast = 64 << 20

	ballastFile = "ballast"

	logRoom   = memtableSize + 2<<20           // a log takes no more than a memtable and a group
	openRoom  = logRoom + memtableSize + 6<<20 // opening without compaction: a new log, and the table of an old one, whose blocks are free then
	entryRoom = 128                            // what an entry takes in a memtable beside its key and value, at most
	groupRoom = headSize + 3*entryRoom         // what a group takes beside its entries: its head, and the end of the transaction
	careEvery = 250 * time.Millisecond
)

// ballast is the file that is given up to open a store on a full disk.
type ballast struct {
	path string
	size int64 // 0: there shall be none
}

func newBallast(dir string, o Options) ballast {
	size := o.Ballast
	if size == 0 {
		size = int64(min(DefaultBallast, o.MinFree/4))
	}
	return ballast{path: filepath.Join(dir, ballastFile), size: max(size, 0)}
}

// there is the size of the file, 0 if there is none.
func (b ballast) there() uint64 {
	info, err := os.Lstat(b.path)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return uint64(info.Size())
}

func (b ballast) giveUp() error {
	if err := os.Remove(b.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// make makes the file, with blocks that are its own. A file of another size is replaced.
func (b ballast) make() error {
	if b.there() == uint64(b.size) {
		return nil
	}
	if err := b.giveUp(); err != nil || b.size == 0 {
		return err
	}
	f, err := os.OpenFile(b.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err = allocate(f, b.size); errors.Is(err, errors.ErrUnsupported) {
		_, err = io.CopyN(f, zeros{}, b.size)
	}
	err = errors.Join(err, f.Truncate(b.size), f.Close())
	if err == nil {
		err = os.Rename(b.path+".new", b.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(b.path+".new"))
	}
	return nil
}

// zeros is read as zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// makeRoomToOpen gives up the ballast if nothing less helps. cramped says that there is no room for compaction: Badger has to be opened
// without it, and anew once there is.
func (s *space) makeRoomToOpen(b ballast, log *zap.Logger) (cramped bool, err error) {
	needed := min(s.floor/2, openRoom)
	if s.measure(s.floor/2) == nil {
		return false, nil
	}
	if s.measure(needed) == nil {
		return true, nil
	}
	size := b.there()
	if free, err := s.free(s.dir); size == 0 || err != nil || free+size < needed {
		return false, s.measure(needed)
	}
	if err := b.giveUp(); err != nil {
		return false, err
	}
	log.Warn("gave up the ballast file to open the store on a full disk", zap.String("file", b.path), zap.Uint64("bytes", size))
	return true, s.measure(needed)
}

// logs knows which log Badger writes, and when it may begin another.
type logs struct {
	database string
	number   int          // of the log that has its blocks
	most     int          // bytes that may be in the memtable of that log, at most
	latest   int          // of it, those of the latest group
	room     func() error // nil once there is room for another log
}

// begin finds the log that Badger has begun at opening, and gives it its blocks.
func (l *logs) begin() error {
	found, damage, err := listLogs(l.database)
	if err != nil || damage != "" || len(found) == 0 {
		return errors.Join(err, errors.New("Badger has begun no log "+damage))
	}
	l.number, l.most = found[len(found)-1].number, 0
	return l.giveBlocks()
}

// before returns when entries can be written without fear.
func (l *logs) before(entries []entry) error {
	l.latest = groupRoom
	for i := range entries {
		l.latest += entryRoom + len(entries[i].key) + len(entries[i].value)
	}
	l.most += l.latest
	if int64(l.most) < memtable() {
		return nil
	}
	return l.room()
}

// after gives a log that Badger has begun meanwhile its blocks.
func (l *logs) after() error {
	if int64(l.most) < memtable() {
		return nil
	}
	if _, err := os.Lstat(l.path(l.number + 1)); err != nil {
		return nil
	}
	l.number, l.most = l.number+1, l.latest // which is the first one in it
	return l.giveBlocks()
}

func (l *logs) giveBlocks() error {
	f, err := os.OpenFile(l.path(l.number), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = allocate(f, logRoom)
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil // what can be done is done by MinFree
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%w: %s gets no blocks: %w", ErrNoSpace, l.path(l.number), err)
	}
	return nil
}

func (l *logs) path(number int) string {
	return filepath.Join(l.database, fmt.Sprintf("%05d.mem", number))
}
