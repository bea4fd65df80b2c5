package store

// This file is the journal: groups become durable in it, with one write and one sync each, and Badger gets what many of them come to later
// (checkpoint.go). It exists only with Options.Journal; what is in it is replayed at every open, whatever the options.
//
// There are two files, journal.0 and journal.1, of a fixed size and filled with zeros when they are made, so that a sync has no metadata to
// write. Records are appended to one until it is full, then to the other from its beginning, once Badger has all that this one holds. So
// what follows the end of the records in a file is older than they are, or not whole. A record is one group:
//
//	"PDJ1" | CRC-32C u32 of all that follows | length u32 of all that follows
//	first 8 bytes of the store's identity | sequence of the group u64 | CRC of the record before u32 | milliseconds since 1970 u64
//	entries as in the hash of a group (format.go)
//
// The record of a group is not begun before that of the group in front is synced. So a crash leaves at most the last one torn, and a readable
// record after one that is not is the sign of damage.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"

	"github.com/paydoor/paydoor/internal/failpoint"
)

const (
	journalMagic  = "PDJ1"
	journalHeader = 4 + 4 + 4
	journalFixed  = 8 + 8 + 4 + 8

	largestJournal  = 4 << 20
	smallestJournal = 1 << 20 // it must hold a group
)

func journalPath(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("journal.%d", i)) }

// journalSize is the size of each file: small where the operator has said that space is scarce.
func journalSize(minFree uint64) int64 {
	return failpoint.Value("JOURNAL", int64(max(smallestJournal, min(largestJournal, minFree/64))))
}

// journal writes the two files. Only the committer uses it.
type journal struct {
	files    [2]*os.File
	newest   [2]uint64 // the last group in each file
	size     int64
	identity identity
	reached  *reached

	current  int
	offset   int64
	previous uint32
	buffer   []byte
}

// openJournal opens or makes the files of a store whose groups up to last are all in Badger.
func openJournal(dir string, id identity, last uint64, size int64) (_ *journal, err error) {
	j := &journal{size: size, identity: id}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("making the journal: %w", err), j.close())
		}
	}()
	for i := range j.files {
		if j.files[i], err = zeroed(journalPath(dir, i), size); err != nil {
			return nil, err
		}
	}
	if j.reached, err = createReached(dir, id, last); err != nil {
		return nil, err
	}
	return j, syncPath(dir)
}

// zeroed makes a file of zeros that is on disk. What it held before is not needed.
func zeroed(path string, size int64) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	zeros := make([]byte, 256<<10)
	for at := int64(0); at < size && err == nil; at += int64(len(zeros)) {
		_, err = f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// append returns when the group is on disk, and noted as such. wait has to return nil when Badger has all groups up to the given one.
func (j *journal) append(g *Group, at time.Time, wait func(sequence uint64) error) error {
	b := j.record(g, at)
	if j.offset+int64(len(b)) > j.size {
		other := 1 - j.current
		if err := wait(j.newest[other]); err != nil {
			return err
		}
		j.current, j.offset = other, 0
	}
	f := j.files[j.current]
	if _, err := f.WriteAt(b, j.offset); err != nil {
		return err
	}
	if err := datasync(f); err != nil {
		return err
	}
	j.offset += int64(len(b))
	j.newest[j.current] = g.sequence
	j.previous = binary.BigEndian.Uint32(b[4:])
	return j.reached.write(g.sequence)
}

func (j *journal) record(g *Group, at time.Time) []byte {
	b := append(j.buffer[:0], journalMagic...)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, j.identity[:8]...)
	b = binary.BigEndian.AppendUint64(b, g.sequence)
	b = binary.BigEndian.AppendUint32(b, j.previous)
	b = binary.BigEndian.AppendUint64(b, uint64(at.UnixMilli()))
	for i := range g.entries {
		b = appendEntry(b, &g.entries[i])
	}
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-journalHeader))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	j.buffer = b
	return b
}

func (j *journal) close() (err error) {
	for _, f := range j.files {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if j.reached != nil {
		err = errors.Join(err, j.reached.file.Close())
	}
	return err
}

// removeJournal removes the files, when the sidecar does not ask for them any more.
func removeJournal(dir string) error {
	var err error
	for _, path := range []string{journalPath(dir, 0), journalPath(dir, 1), filepath.Join(dir, reachedFile)} {
		if e := os.Remove(path); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, syncPath(dir))
}
