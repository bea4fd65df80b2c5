package store

// This file judges a change of Badger's list of tables: what was in the tables that leave it has to be in those that come.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/dgraph-io/ristretto/v2/z"
)

// errDropped says that a compaction has lost something, or that nobody can say.
var errDropped = errors.New("a compaction would have lost something")

// compaction is a change of the list that removes tables.
type compaction struct {
	database string
	after    map[uint64]int // the whole list, with levels
	gone     []*table.Table // those that leave
	come     []*table.Table // those that replace them
	deepest  int            // the level of what comes
	below    []*table.Table // deeper than that; nil until they are needed
	mapped   [][]byte
}

// judgeCompaction returns an errDropped if the newest version of a key is in none of the tables that are on the list after the change and was
// on it before.
func judgeCompaction(database string, before, after map[uint64]int) (err error) {
	gone := without(before, after)
	if len(gone) == 0 {
		return nil
	}
	defer faultsPanic()()
	c := &compaction{database: database, after: after}
	defer func() {
		if r := recover(); r != nil { // a page that cannot be read
			err = fmt.Errorf("%w: %v", errDropped, r)
		}
		err = errors.Join(err, c.close())
	}()
	come := without(after, before)
	for _, id := range gone {
		c.deepest = max(c.deepest, before[id])
	}
	for _, id := range come {
		c.deepest = max(c.deepest, after[id])
	}
	if c.gone, err = c.open(gone); err != nil {
		return err
	}
	if c.come, err = c.open(come); err != nil {
		return err
	}
	return c.compare()
}

// without lists the tables of a that are not in b.
func without(a, b map[uint64]int) (ids []uint64) {
	for id := range a {
		if _, ok := b[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// open maps tables and verifies them: Badger takes a block that it cannot read for the end of a table.
func (c *compaction) open(ids []uint64) (tables []*table.Table, err error) {
	for _, id := range ids {
		path := table.NewFilename(id, c.database)
		b, err := c.mapFile(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDropped, err)
		}
		t, err := openTable(b, id)
		if err == nil {
			err = verifyTable(t)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s is damaged (%s)", errDropped, path, oneLine(err))
		}
		tables = append(tables, t)
	}
	return tables, nil
}

func (c *compaction) mapFile(path string) ([]byte, error) {
	f, size, err := openSized(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size == 0 {
		return nil, fmt.Errorf("%s: %w", path, io.ErrUnexpectedEOF)
	}
	b, err := z.Mmap(f, false, size)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", path, err)
	}
	c.mapped = append(c.mapped, b)
	return b, nil
}

func (c *compaction) close() (err error) {
	for _, b := range c.mapped {
		err = errors.Join(err, z.Munmap(b))
	}
	return err
}

// compare walks through both sides at once. Of the first, only the newest version of each key matters.
func (c *compaction) compare() error {
	from, to := merged(c.gone), merged(c.come)
	defer from.Close()
	defer to.Close()
	to.Rewind()
	var key []byte
	for from.Rewind(); from.Valid(); {
		key = append(key[:0], from.Key()...)
		for to.Valid() && y.CompareKeys(to.Key(), key) < 0 {
			to.Next()
		}
		v := from.Value()
		kept := to.Valid() && bytes.Equal(to.Key(), key) && same(to.Value(), v)
		if !kept && !c.mayGo(key, v) {
			return fmt.Errorf("%w: %s leave the list, and what is in them is not in %s: it could not write all of its tables",
				errDropped, names(c.gone), names(c.come))
		}
		for from.Next(); from.Valid() && y.SameKey(from.Key(), key); from.Next() {
		}
	}
	return nil
}

func merged(tables []*table.Table) y.Iterator {
	iterators := make([]y.Iterator, 0, len(tables)+1)
	for _, t := range tables {
		iterators = append(iterators, t.NewIterator(table.NOCACHE))
	}
	if len(iterators) == 0 {
		return table.NewConcatIterator(nil, table.NOCACHE)
	}
	return table.NewMergeIterator(iterators, false)
}

func same(a, b y.ValueStruct) bool {
	return a.Meta&metaDelete == b.Meta&metaDelete && a.ExpiresAt == b.ExpiresAt && bytes.Equal(a.Value, b.Value)
}

// mayGo says whether a version may be left out: that a key was deleted matters only as long as an older version of it is below.
func (c *compaction) mayGo(key []byte, v y.ValueStruct) bool {
	if v.Meta&metaDelete == 0 && v.ExpiresAt == 0 {
		return false
	}
	if c.below == nil {
		var deeper []uint64
		for _, id := range slices.Sorted(maps.Keys(c.after)) {
			if c.after[id] > c.deepest {
				deeper = append(deeper, id)
			}
		}
		below, err := c.open(deeper)
		if err != nil {
			return false
		}
		c.below = append([]*table.Table{}, below...)
	}
	return !slices.ContainsFunc(c.below, func(t *table.Table) bool {
		if y.CompareKeys(y.KeyWithTs(y.ParseKey(key), 0), t.Smallest()) < 0 || y.CompareKeys(key, t.Biggest()) > 0 {
			return false
		}
		it := t.NewIterator(table.NOCACHE)
		defer it.Close()
		it.Seek(key)
		return it.Valid() && y.SameKey(it.Key(), key)
	})
}

func names(tables []*table.Table) string {
	if len(tables) == 0 {
		return "any other"
	}
	var b []byte
	for i, t := range tables {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, table.IDToFilename(t.ID())...)
	}
	return string(b)
}
