package store

// This file stands between Badger and its MANIFEST, the list of its tables, so that no compaction removes a table before what was in it is
// known to be in others. Badger needs that: when it cannot write one of the tables that a compaction makes (no file descriptor is left, or a
// sync fails), it forgets the error, puts the other new ones on the list, and deletes those it has read.
//
// Badger writes each change of the list at the end of it, syncs it, and only then deletes anything. The sync is a function that it holds in a
// variable, which is ours here. It judges the change first (compaction.go). One that loses something is taken off the list again, and the store fails:
// all tables are still there for the next opening.

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	_ "unsafe" // for go:linkname

	"github.com/dgraph-io/badger/v4"
)

// badgerSync is what Badger syncs the list with.
//
//go:linkname badgerSync github.com/dgraph-io/badger/v4.syncFunc
var badgerSync func(f *os.File) error

func init() { badgerSync = syncList }

// watched are the databases whose lists are judged, by directory: *tableList. Badger's variable is one for all of the process.
var watched sync.Map

func syncList(f *os.File) error {
	if l, ok := watched.Load(filepath.Dir(f.Name())); ok {
		return l.(*tableList).sync(f)
	}
	return f.Sync()
}

// tableList is the list of an open database.
type tableList struct {
	database string
	fail     func(error)
	judged   atomic.Pointer[judgedList]
}

// judgedList is a list as it was when it was last found right.
type judgedList struct {
	bytes  []byte
	tables map[uint64]int // the level of each
	note   manifestNote
}

// watchTables must be called before Badger opens the database, and forget when it is closed. fail is called with the reason when a change was
// refused; Badger is told too, and keeps the tables it has.
func watchTables(database string, fail func(error)) (*tableList, error) {
	l := &tableList{database: database, fail: fail}
	b, err := os.ReadFile(l.path())
	if err == nil {
		err = l.accept(b[:wholeRecords(b)])
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	watched.Store(database, l)
	return l, nil
}

func (l *tableList) path() string { return filepath.Join(l.database, badger.ManifestFilename) }

func (l *tableList) forget() { watched.Delete(l.database) }

// note describes the list for a slot of the sidecar, as far as it was judged.
func (l *tableList) note() (manifestNote, error) {
	if j := l.judged.Load(); j != nil {
		return j.note, nil
	}
	b, err := os.ReadFile(l.path()) // of a new database: it has no tables, so nothing changes it just now
	if err == nil {
		err = l.accept(b)
	}
	if err != nil {
		return manifestNote{}, err
	}
	return l.judged.Load().note, nil
}

func (l *tableList) accept(b []byte) error {
	tables, err := tablesOf(b)
	if err != nil {
		return err
	}
	l.judged.Store(&judgedList{bytes: b, tables: tables, note: noteManifest(b)})
	return nil
}

// sync returns when the list is on disk with the change that Badger has just written, or without it. Badger makes one change after the other.
func (l *tableList) sync(f *os.File) error {
	before := l.judged.Load()
	if before == nil {
		before = &judgedList{}
	}
	b, err := os.ReadFile(l.path())
	if err == nil {
		err = l.judge(before, b)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		return l.accept(b)
	}
	err = fmt.Errorf("changing the list of tables: %w", errors.Join(err, takeBack(f, b, before.bytes)))
	l.fail(err)
	return err
}

func (l *tableList) judge(before *judgedList, b []byte) error {
	if n := wholeRecords(b); n < len(b) {
		return fmt.Errorf("%s is damaged after byte %d", l.path(), n)
	}
	after, err := tablesOf(b)
	if err != nil {
		return err
	}
	return judgeCompaction(l.database, before.tables, after)
}

// takeBack makes the list what it was. Badger goes on writing at the end of it.
func takeBack(f *os.File, now, before []byte) error {
	if len(before) == 0 {
		return nil // a new database has no tables to lose
	}
	_, err := f.WriteAt(before, 0)
	if err == nil && len(now) > len(before) {
		err = f.Truncate(int64(len(before)))
	}
	if err == nil {
		_, err = f.Seek(int64(len(before)), 0)
	}
	return errors.Join(err, f.Sync())
}
