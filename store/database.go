package store

// This file is Badger: how it is opened, and how a group becomes one of its transactions.

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/internal/failpoint"
)

const (
	memtableSize = 16 << 20
	tableSize    = 2 << 20
)

// openDatabase opens Badger; cramped is without compaction, for which there is no space. fail is called with what goes wrong in Badger's own
// goroutines.
func openDatabase(dir string, logger *zap.Logger, cramped bool, fail func(error)) (db *badger.DB, err error) {
	path := filepath.Join(dir, databaseDir)
	defer func() {
		if r := recover(); r != nil { // all files were verified, but one never knows
			db, err = nil, fmt.Errorf("%w: the database in %s is damaged (%s); restore a backup", ErrLost, path, oneLine(fmt.Errorf("%v", r)))
		}
	}()
	o := databaseOptions(path, logger).WithLogger(badgerLog{logger.Named("badger").Sugar(), fail})
	if cramped {
		o = o.WithNumCompactors(0).WithNumLevelZeroTables(100).WithNumLevelZeroTablesStall(101)
	}
	db, err = badger.Open(o)
	if err != nil {
		return nil, fmt.Errorf("opening the database in %s: %w", path, err)
	}
	leaveValueLogAlone(db)
	return db, nil
}

// alarm tells a store what went wrong in Badger's goroutines, also before there was a store.
type alarm struct {
	mu    sync.Mutex
	store *Store
	err   error // the first one
}

func (a *alarm) ring(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.store != nil {
		a.store.Fail(err)
	} else if a.err == nil {
		a.err = err
	}
}

func (a *alarm) rung() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

func (a *alarm) answer(s *Store) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.store = s; a.err != nil {
		s.Fail(a.err)
	}
}

// databaseOptions are the settings that money needs.
func databaseOptions(path string, logger *zap.Logger) badger.Options {
	o := badger.DefaultOptions(path).
		WithLogger(badgerLog{logger.Named("badger").Sugar(), func(error) {}}).
		WithSyncWrites(true).                              // else a commit is durable only when the kernel likes
		WithChecksumVerificationMode(options.OnBlockRead). // of what was verified before opening, and of tables made since
		WithVerifyValueChecksum(true).                     // costs nothing: there are no values in the value log
		WithDetectConflicts(false).                        // there is one writer
		WithNumVersionsToKeep(1).                          // nobody reads what a key was
		WithMemTableSize(memtable()).                      // bounds memory, what opening replays, and what a full disk has to have room for
		WithNumMemtables(3).                               // at most this many wait to be flushed, beside one being flushed and one written
		WithValueLogFileSize(1 << 20).                     // the least there is: nothing is written to it, and its sync errors are only logged
		WithValueThreshold(min(1<<20, memtable()/8)).      // far above MaxValue, so that no value goes to the value log
		WithNumCompactors(2).                              // the least there is
		WithNumLevelZeroTables(2).                         // few, so that one compaction of level 0 writes little (space.go)
		WithNumLevelZeroTablesStall(3).                    // level 0 takes no fourth table before it was compacted (space.go)
		WithBaseTableSize(tableSize).                      // small tables: what one compaction of a lower level writes is little (space.go)
		WithCompression(options.None).                     // hashes do not compress, and without it no block has to be cached
		WithBlockCacheSize(0).                             // blocks are read from the page cache; the ledger caches balances itself
		WithIndexCacheSize(0).                             // used with encryption only: indices are mapped files, and the kernel bounds them
		WithMetricsEnabled(false).                         // its counters are global, and nobody reads them
		WithCompactL0OnClose(false)                        // closing has to be quick, and opening finds few tables anyway
	o.TableSizeMultiplier = 1 // tables are of one size in all levels
	return o
}

// memtable is memtableSize, except where the fault suite wants logs to be full sooner.
func memtable() int64 { return failpoint.Value("MEMTABLE", memtableSize) }

// disk is the sink that stores keep their groups in.
type disk struct {
	db      *badger.DB
	sidecar *sidecar
	list    *tableList
	logs    *logs
	puts    []badger.Entry // of the transaction under way; Badger needs them no more when it has committed
}

// commit returns when the entries and the head are on disk, in one transaction. After an error either may be true: Badger shows, and may
// yet make durable, what it failed to sync.
func (d *disk) commit(entries []entry, h head) error { return d.write(entries, h.encode()) }

// write is commit without a head if that is nil.
func (d *disk) write(entries []entry, head []byte) error {
	if err := d.logs.before(entries); err != nil {
		return err
	}
	txn := d.db.NewTransaction(true)
	defer txn.Discard()
	d.puts = slices.Grow(d.puts[:0], len(entries)) // never grown below: the transaction points into it
	for i := range entries {
		e := &entries[i]
		var err error
		if e.remove {
			err = txn.Delete(e.key)
		} else {
			d.puts = append(d.puts, badger.Entry{Key: e.key, Value: e.value})
			err = txn.SetEntry(&d.puts[len(d.puts)-1])
		}
		if err != nil {
			return err
		}
	}
	if head != nil {
		if err := txn.Set([]byte(headKey), head); err != nil {
			return err
		}
	}
	err := txn.Commit()
	clear(d.puts)
	if err != nil {
		return err
	}
	return d.logs.after()
}

// mark returns when the slot is on disk, with a note of Badger's list of tables as it was last found right (tablelist.go).
func (d *disk) mark(s slot) (err error) {
	if s.manifest, err = d.list.note(); err != nil {
		return err
	}
	return d.sidecar.write(s)
}

// readIdentity returns the identity of the store in db and its last group; found is false for a database without any record.
func readIdentity(db *badger.DB) (id identity, h head, found bool, err error) {
	err = db.View(func(txn *badger.Txn) error {
		format, err := readValue(txn, formatKey)
		if err != nil || format == nil {
			return errors.Join(err, refuseStrangers(txn))
		}
		found = true
		if id, err = decodeFormat(format); err != nil {
			return err
		}
		last, err := readValue(txn, headKey)
		if err != nil || last == nil {
			h = genesis(id)
			return err
		}
		h, err = decodeHead(last)
		return err
	})
	return id, h, found, err
}

// refuseStrangers makes sure that a database without a format record is new and not somebody else's.
func refuseStrangers(txn *badger.Txn) error {
	it := txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	if it.Rewind(); it.Valid() {
		return fmt.Errorf("%w: it has records but no %s", ErrFormat, formatKey)
	}
	return nil
}

func readValue(txn *badger.Txn, key string) ([]byte, error) {
	item, err := txn.Get([]byte(key))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return item.ValueCopy([]byte{}) // not nil, also for an empty value
}

// badgerLog passes Badger's messages on. It says at info level what only its makers want to know. And it only says that it could not write a
// table or its list of tables, and goes on, though the list may then be one that the next opening has to refuse: so that fails the store.
type badgerLog struct {
	log  *zap.SugaredLogger
	fail func(error)
}

func (l badgerLog) Errorf(f string, a ...any) {
	l.log.Error(line(f, a))
	l.failOf(a)
}

func (l badgerLog) Warningf(f string, a ...any) {
	l.log.Warn(line(f, a))
	l.failOf(a)
}

// passing is in the errors after which Badger may well try again: of a moment without file descriptors, of a full disk, and of two compactions
// that met.
var passing = []string{syscall.EMFILE.Error(), syscall.ENFILE.Error(), syscall.ENOSPC.Error(), "there is a non-empty level"}

// failOf passes the other errors on. They are told by their text, which is all that Badger keeps of them.
func (l badgerLog) failOf(a []any) {
	for _, v := range a {
		err, ok := v.(error)
		if ok && !slices.ContainsFunc(passing, func(text string) bool { return strings.Contains(err.Error(), text) }) {
			l.fail(fmt.Errorf("in the background: %s", oneLine(err)))
		}
	}
}

func (l badgerLog) Infof(f string, a ...any)  { l.debug(f, a) }
func (l badgerLog) Debugf(f string, a ...any) { l.debug(f, a) }

func (l badgerLog) debug(f string, a []any) {
	if l.log.Level().Enabled(zap.DebugLevel) {
		l.log.Debug(line(f, a))
	}
}

func line(f string, a []any) string { return strings.TrimSpace(fmt.Sprintf(f, a...)) }

var _ badger.Logger = badgerLog{}
