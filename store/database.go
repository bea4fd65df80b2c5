package store

// This file is Badger: how it is opened, and how a group becomes one of its transactions.

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/internal/failpoint"
)

const (
	memtableSize = 16 << 20
	tableSize    = 2 << 20
)

// openDatabase opens Badger with the settings that money needs: each transaction synced, every block's checksum verified, and no use
// of the value log, whose sync errors Badger only logs: values stay far below the threshold, and nothing expires by itself.
// What one compaction can write is kept small, for the space guard: level 0 takes no fourth table before it was compacted, and
// tables are of one size in all levels.
func openDatabase(dir string, logger *zap.Logger) (db *badger.DB, err error) {
	path := filepath.Join(dir, databaseDir)
	defer func() {
		if r := recover(); r != nil { // Badger panics on some damaged files
			db, err = nil, fmt.Errorf("%w: the database in %s is damaged (%v); restore the directory from a backup", ErrLost, path, r)
		}
	}()
	memtable := failpoint.Value("MEMTABLE", memtableSize)
	o := badger.DefaultOptions(path).
		WithLogger(badgerLog{logger.Named("badger").Sugar()}).
		WithSyncWrites(true).
		WithChecksumVerificationMode(options.OnTableAndBlockRead).
		WithVerifyValueChecksum(true).
		WithDetectConflicts(false). // there is one writer
		WithNumVersionsToKeep(1).
		WithMemTableSize(memtable).
		WithNumMemtables(3).
		WithValueLogFileSize(memtableSize).
		WithValueThreshold(min(1<<20, memtable/8)). // Badger wants it below its batch, a part of the memtable
		WithNumCompactors(2).
		WithNumLevelZeroTables(2).
		WithNumLevelZeroTablesStall(3).
		WithBaseTableSize(tableSize).
		WithCompression(options.None). // hashes do not compress
		WithBlockCacheSize(0).
		WithMetricsEnabled(false)
	o.TableSizeMultiplier = 1
	db, err = badger.Open(o)
	if err != nil {
		return nil, fmt.Errorf("opening the database in %s: %w", path, err)
	}
	leaveValueLogAlone(db)
	return db, nil
}

// disk is the sink that stores keep their groups in.
type disk struct {
	db      *badger.DB
	sidecar *sidecar
	puts    []badger.Entry // of the transaction under way; Badger needs them no more when it has committed
}

// commit returns when the entries and the head are on disk, in one transaction. After an error either may be true: Badger shows, and may
// yet make durable, what it failed to sync.
func (d *disk) commit(entries []entry, h head) error {
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
	if err := txn.Set([]byte(headKey), h.encode()); err != nil {
		return err
	}
	err := txn.Commit()
	clear(d.puts)
	return err
}

func (d *disk) mark(s slot) error { return d.sidecar.write(s) }

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

// badgerLog passes Badger's messages on. It says at info level what only its makers want to know.
type badgerLog struct{ log *zap.SugaredLogger }

func (l badgerLog) Errorf(f string, a ...any)   { l.log.Error(line(f, a)) }
func (l badgerLog) Warningf(f string, a ...any) { l.log.Warn(line(f, a)) }
func (l badgerLog) Infof(f string, a ...any)    { l.debug(f, a) }
func (l badgerLog) Debugf(f string, a ...any)   { l.debug(f, a) }

func (l badgerLog) debug(f string, a []any) {
	if l.log.Level().Enabled(zap.DebugLevel) {
		l.log.Debug(line(f, a))
	}
}

func line(f string, a []any) string { return strings.TrimSpace(fmt.Sprintf(f, a...)) }

var _ badger.Logger = badgerLog{}
