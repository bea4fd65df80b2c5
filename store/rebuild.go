package store

// This file makes a new database of what can be read of a damaged one, for Options.AcceptLoss. Every entry keeps its version, so the order in
// which they are found does not matter. The damaged database stays beside the new one.

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"go.uber.org/zap"
)

const rebuiltDir = databaseDir + ".rebuilt"

// accept makes the directory one that Badger can open, without the damage.
func (in *inspection) accept(logger *zap.Logger, now time.Time) error {
	database, rebuilt := filepath.Join(in.dir, databaseDir), filepath.Join(in.dir, rebuiltDir)
	if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) {
		if os.Rename(rebuilt, database) == nil { // killed when it was nearly done
			return syncPath(in.dir)
		}
	}
	if !in.readable() {
		return in.loss()
	}
	if len(in.list)+len(in.log) == 0 {
		return nil
	}
	if err := os.RemoveAll(rebuilt); err != nil {
		return err
	}
	entries, err := in.rebuild(database, rebuilt, logger)
	if err == nil {
		err = syncDirectory(rebuilt)
	}
	if err == nil && entries == 0 {
		err = fmt.Errorf("%w: nothing in %s can be read, so only a backup helps", ErrLost, in.dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(rebuilt))
	}
	if err := os.Rename(database, fmt.Sprintf("%s.damaged-%d", database, now.Unix())); err != nil {
		return err
	}
	if err := os.Rename(rebuilt, database); err != nil {
		return err
	}
	in.spent, in.whole = nil, 0
	return syncPath(in.dir)
}

// salvage writes entries with the versions they had.
type salvage struct {
	batch   *badger.WriteBatch
	entries int
	err     error
}

// rebuild copies what can be read into a new database and says how many entries that are.
func (in *inspection) rebuild(from, to string, logger *zap.Logger) (entries int, err error) {
	f, err := beginFilling(to, logger, badger.OpenManaged)
	if err != nil {
		return 0, err
	}
	s := &salvage{batch: f.db.NewManagedWriteBatch()}
	defer func() {
		s.batch.Cancel()
		err = errors.Join(err, f.close())
	}()
	tables, err := in.salvageable(from)
	if err != nil {
		return 0, err
	}
	var memory []byte
	for _, id := range tables {
		if t, _, err := loadTable(table.NewFilename(id, from), id, &memory); err != nil {
			return 0, err
		} else if t != nil {
			s.table(t)
		}
	}
	logs, _, err := listLogs(from)
	if err != nil {
		return 0, err
	}
	for _, l := range logs {
		b, err := os.ReadFile(l.path)
		if _, err = damaged(l.path, err); err != nil {
			return 0, err
		}
		s.log(b)
	}
	return s.entries, errors.Join(s.err, s.batch.Flush())
}

// salvageable lists the tables on the MANIFEST, or, when that is of no use or some of them are not there, all there are: those that failed
// to replace others are gone then, and the others are not on the list any more.
func (in *inspection) salvageable(database string) ([]uint64, error) {
	all, err := listTables(database)
	missing := func(id uint64) bool { return !slices.Contains(all, id) }
	if err != nil || !in.listed || slices.ContainsFunc(in.tables, missing) {
		return all, err
	}
	return in.tables, nil
}

func (s *salvage) put(key []byte, version uint64, meta byte, value []byte) {
	if s.err != nil || len(key) == 0 || bytes.HasPrefix(key, []byte("!badger!")) {
		return
	}
	s.entries++
	key, value = bytes.Clone(key), append([]byte{}, value...)
	if meta&metaDelete != 0 {
		s.err = s.batch.DeleteAt(key, version)
		return
	}
	s.err = s.batch.SetEntryAt(&badger.Entry{Key: key, Value: value}, version)
}

// table takes all blocks of a table whose checksum is right.
func (s *salvage) table(t *table.Table) {
	starts := t.KeySplits(1<<30, nil)
	for i, from := range starts {
		to := ""
		if i+1 < len(starts) {
			to = starts[i+1]
		}
		s.block(t, []byte(from), []byte(to))
	}
}

func (s *salvage) block(t *table.Table, from, to []byte) {
	defer func() { _ = recover() }() // whatever Badger thinks of this block
	it := t.NewIterator(table.NOCACHE)
	defer it.Close()
	for it.Seek(from); it.Valid() && (len(to) == 0 || y.CompareKeys(it.Key(), to) < 0); it.Next() {
		v := it.Value()
		s.put(y.ParseKey(it.Key()), y.ParseTs(it.Key()), v.Meta, v.Value)
	}
}

// log takes all whole transactions, also those after a damaged one.
func (s *salvage) log(b []byte) {
	for len(b) > logHeader {
		end := walkLog(b, func(entries []logEntry) {
			for _, e := range entries {
				s.put(e.key, e.version, e.meta, e.value)
			}
		})
		b = b[min(nextTransaction(b, end), len(b)):]
	}
}

// nextTransaction returns what to cut off, so that the next readable transaction after a damaged place begins where the
// entries of a log begin. It looks for the end of a transaction: what follows that is the beginning of the next one.
func nextTransaction(b []byte, from int) int {
	for at := from; at+2 < len(b); at++ {
		if b[at] != metaEnd || b[at+1] != 0 {
			continue
		}
		if _, n := decodeLogEntry(b[at:]); n > 0 {
			return at + n - logHeader
		}
	}
	return len(b)
}
