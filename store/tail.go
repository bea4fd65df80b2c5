package store

// This file is the tail: what has been joined and is not in Badger yet, written to the page cache by each Join, so that it survives
// the end of the process. It exists only with Options.Tail; what is in it is replayed at every open, whatever the options.
//
// There are two files, tail.0 and tail.1, emptied at open. Records are appended to one; at the start of a group that file
// may be changed for the other, from its beginning, once all that the other has is durable. So what follows the end of the
// records in a file is older than they are. A record is one join:
//
//	CRC-32C u32 of all that follows | length u32 of all that follows
//	sequence of the group u64 | number of the join in its group, from 0, u32 | how many joins the group before had u32
//	entries as in the hash of a group (format.go)
//
// Replay takes the groups after the head of the store, as far as the records go on without a gap. A killed process leaves
// all of them. A power cut may leave fewer, but nobody was promised more.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	tailTurn   = 1 << 20 // bytes after which the other file is taken when it can be
	tailHeader = 4 + 4
	tailFixed  = 8 + 4 + 4
)

// tail writes the two files. It is used under the group mutex.
type tail struct {
	files   [2]*os.File
	newest  [2]uint64 // the last group in each file
	current int
	offset  int64

	sequence uint64
	index    uint32
	before   uint32
	buffer   []byte
}

func tailPath(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("tail.%d", i)) }

func openTail(dir string) (*tail, error) {
	t := &tail{}
	for i := range t.files {
		f, err := os.OpenFile(tailPath(dir, i), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, errors.Join(err, t.close())
		}
		t.files[i] = f
	}
	return t, nil
}

// append writes the last join of g. durable is the last group that the tail need not keep.
func (t *tail) append(g *Group, durable uint64) error {
	if g.sequence != t.sequence {
		t.sequence, t.before, t.index = g.sequence, t.index, 0
		if other := 1 - t.current; t.offset >= tailTurn && t.newest[other] <= durable {
			t.current, t.offset = other, 0
		}
	}
	b := append(t.buffer[:0], make([]byte, tailHeader)...)
	b = binary.BigEndian.AppendUint64(b, t.sequence)
	b = binary.BigEndian.AppendUint32(b, t.index)
	b = binary.BigEndian.AppendUint32(b, t.before)
	for _, i := range g.touched {
		b = appendEntry(b, &g.entries[i])
	}
	binary.BigEndian.PutUint32(b[4:], uint32(len(b)-tailHeader))
	binary.BigEndian.PutUint32(b, crc32.Checksum(b[4:], castagnoli))
	t.buffer = b
	if _, err := t.files[t.current].WriteAt(b, t.offset); err != nil {
		return err
	}
	t.offset += int64(len(b))
	t.newest[t.current] = t.sequence
	t.index++
	return nil
}

func (t *tail) close() (err error) {
	for _, f := range t.files {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// joinRecord is one join as it stands in a tail file.
type joinRecord struct {
	sequence uint64
	index    uint32
	before   uint32
	entries  []entry
}

// decodeJoin reads the record that b begins with; ok is false where the records end.
func decodeJoin(b []byte) (r joinRecord, rest []byte, ok bool) {
	if len(b) < tailHeader+tailFixed {
		return r, nil, false
	}
	length := int64(binary.BigEndian.Uint32(b[4:]))
	if length < tailFixed || length > int64(len(b)-tailHeader) {
		return r, nil, false
	}
	end := tailHeader + int(length)
	if crc32.Checksum(b[4:end], castagnoli) != binary.BigEndian.Uint32(b) {
		return r, nil, false
	}
	r.sequence = binary.BigEndian.Uint64(b[8:])
	r.index = binary.BigEndian.Uint32(b[16:])
	r.before = binary.BigEndian.Uint32(b[20:])
	r.entries, ok = decodeEntries(b[tailHeader+tailFixed : end])
	return r, b[end:], ok
}

func decodeEntries(b []byte) (entries []entry, ok bool) {
	for len(b) > 0 {
		e := entry{remove: b[0] == 0}
		if b[0] > 1 {
			return nil, false
		}
		if e.key, b, ok = cutField(b[1:]); !ok || len(e.key) == 0 || len(e.key) > MaxKey {
			return nil, false
		}
		if e.value, b, ok = cutField(b); !ok || len(e.value) > MaxValue {
			return nil, false
		}
		entries = append(entries, e)
	}
	return entries, true
}

func cutField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 4 || int64(binary.BigEndian.Uint32(b)) > int64(len(b)-4) {
		return nil, nil, false
	}
	n := 4 + int(binary.BigEndian.Uint32(b))
	return b[4:n], b[n:], true
}

// readTail returns the joins after group last, as far as they go on without a gap.
func readTail(dir string, last uint64) ([]joinRecord, error) {
	records, err := readJoins(dir, last)
	return withoutGap(records, last), err
}

// readJoins returns the joins after group last.
func readJoins(dir string, last uint64) ([]joinRecord, error) {
	var files [2][]joinRecord
	for i := range files {
		b, err := os.ReadFile(tailPath(dir, i))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		previous := uint64(0)
		for r, rest, ok := decodeJoin(b); ok && r.sequence >= previous; r, rest, ok = decodeJoin(rest) {
			previous = r.sequence
			if r.sequence > last {
				files[i] = append(files[i], r)
			}
		}
	}
	if len(files[0]) == 0 || (len(files[1]) > 0 && files[1][0].sequence < files[0][0].sequence) {
		files[0], files[1] = files[1], files[0]
	}
	return append(files[0], files[1]...), nil
}

// withoutGap returns the records up to the first gap.
func withoutGap(records []joinRecord, last uint64) []joinRecord {
	sequence, index := last, uint32(0)
	for i, r := range records {
		switch {
		case r.sequence == sequence && r.index == index && sequence > last:
			index++
		case r.sequence == sequence+1 && r.index == 0 && (sequence == last || r.before == index):
			sequence, index = r.sequence, 1
		default:
			return records[:i]
		}
	}
	return records
}

// recoverTail commits what a tail holds that Badger does not, then empties the tail, and opens it if it is wanted.
func (s *Store) recoverTail(wanted bool) error {
	records, err := readTail(s.dir, s.last.sequence)
	if err != nil {
		return fmt.Errorf("reading the tail: %w", err)
	}
	if err := eachGroup(records, s.commit); err != nil {
		return fmt.Errorf("replaying the tail: %w", err)
	}
	for i := range 2 {
		if err := os.Remove(tailPath(s.dir, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("emptying the tail: %w", err)
		}
	}
	if wanted {
		if s.tail, err = openTail(s.dir); err != nil {
			return fmt.Errorf("making the tail: %w", err)
		}
	}
	return syncPath(s.dir)
}

// salvageTail takes, after a loss, what the tail still has: all of it, since what Badger has lost may be older than what it has. Nothing is
// taken of a tail that is not ours, or ends before held. It returns the last group that the tail knows of.
func (s *Store) salvageTail(held uint64, ours bool) (last uint64, err error) {
	records, err := readJoins(s.dir, 0)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	newest := records[len(records)-1].sequence
	records = withoutGap(records, records[0].sequence-1)
	if !ours || len(records) == 0 || records[len(records)-1].sequence < held {
		return newest, nil
	}
	return newest, eachGroup(records, func(g *Group) error { return s.disk.write(g.entries, nil) })
}

// eachGroup calls f with the groups that joins make.
func eachGroup(records []joinRecord, f func(g *Group) error) error {
	for len(records) > 0 {
		g := newGroup(records[0].sequence)
		for len(records) > 0 && records[0].sequence == g.sequence {
			g.replay(records[0])
			records = records[1:]
		}
		if err := f(g); err != nil {
			return err
		}
	}
	return nil
}

// replay does again what a join did.
func (g *Group) replay(r joinRecord) {
	g.firstEntries, g.firstSize = len(g.entries), g.size
	for _, e := range r.entries {
		if e.remove {
			g.Delete(e.key)
			continue
		}
		g.Put(e.key, e.value)
	}
}
