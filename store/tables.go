package store

// This file reads Badger's tables by itself. Badger ends the process on some damaged tables, leaves others out, and takes a
// block that it cannot read for the end of a table; so all of them are verified before it opens them.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
)

// record is the newest version of one key that was found.
type record struct {
	version uint64
	value   []byte
}

// take keeps the newer of two versions.
func (r *record) take(version uint64, value []byte) {
	if version >= r.version {
		r.version, r.value = version, append([]byte{}, value...)
	}
}

// ownRecords are the store's own two records in the tables; a nil value stands for none.
type ownRecords struct{ format, head record }

// verifyTables reads every table of the database and compares all checksums.
func verifyTables(database string, ids []uint64) (own ownRecords, damage []string, err error) {
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := make(chan uint64)
	for range min(runtime.GOMAXPROCS(0), 4) {
		workers.Go(func() {
			var memory []byte
			for id := range next {
				path := table.NewFilename(id, database)
				t, d, e := loadTable(path, id, &memory)
				mu.Lock()
				switch {
				case e != nil:
					err = errors.Join(err, e)
				case d != "":
					damage = append(damage, d)
				default:
					own.format.find(t, formatKey)
					own.head.find(t, headKey)
				}
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	workers.Wait()
	return own, damage, err
}

// loadTable reads a whole table into memory, which grows as needed, and verifies it. What is wrong with the table is damage; err is for what
// is wrong with us.
func loadTable(path string, id uint64, memory *[]byte) (t *table.Table, damage string, err error) {
	b, err := readInto(path, memory)
	if damage, err = damaged(path, err); damage != "" || err != nil {
		return nil, damage, err
	}
	if t, err = openTable(b, id); err == nil {
		err = verifyTable(t)
	}
	if err != nil {
		return t, fmt.Sprintf("%s is damaged (%s)", path, oneLine(err)), nil
	}
	return t, "", nil
}

// readInto reads a file into memory that is used again. Reading, unlike a map of the file, has errors.
func readInto(path string, memory *[]byte) ([]byte, error) {
	f, size, err := openSized(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if int64(cap(*memory)) < size {
		*memory = make([]byte, size)
	}
	b := (*memory)[:size]
	for n := 0; n < len(b); {
		more, err := f.Read(b[n:])
		if n += more; err != nil {
			return nil, err
		}
	}
	return b, nil
}

func openSized(path string) (f *os.File, size int64, err error) {
	if f, err = os.Open(path); err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// openTable opens a table that lies in memory; t may be of use also with an error of verifyTable.
func openTable(b []byte, id uint64) (t *table.Table, err error) {
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, errors.New("its index cannot be read")
		}
	}()
	return table.OpenInMemoryTable(b, id, &table.Options{ChkMode: options.OnBlockRead})
}

func verifyTable(t *table.Table) (err error) {
	defer func() {
		if r := recover(); r != nil { // Badger looks for the offset of a block that it could not read
			err = errors.New("the checksum of a block is wrong")
		}
	}()
	return t.VerifyChecksum()
}

// find takes the newest version of key in t, which was verified.
func (r *record) find(t *table.Table, key string) {
	it := t.NewIterator(table.NOCACHE)
	defer it.Close()
	if it.Seek(y.KeyWithTs([]byte(key), ^uint64(0))); it.Valid() && string(y.ParseKey(it.Key())) == key {
		r.take(y.ParseTs(it.Key()), it.Value().Value)
	}
}

// damaged tells errors that mean a loss from all others.
func damaged(path string, err error) (string, error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path + " is missing", nil
	case errors.Is(err, syscall.EIO):
		return fmt.Sprintf("%s cannot be read (%s)", path, oneLine(err)), nil
	}
	return "", err
}

// listTables returns the numbers of all files that look like tables.
func listTables(database string) (ids []uint64, err error) {
	files, err := filepath.Glob(filepath.Join(database, "*.sst"))
	for _, f := range files {
		if id, ok := table.ParseFileID(f); ok {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// oneLine is what an error says, in one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
