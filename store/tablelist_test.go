package store

// This file tests what happens to Badger's list of tables when it is changed.

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4/pb"
	"google.golang.org/protobuf/proto"
)

// listRecord is a change of a list as Badger writes it: made has the level of each new table.
func listRecord(t *testing.T, made map[uint64]uint32, gone ...uint64) []byte {
	t.Helper()
	set := &pb.ManifestChangeSet{}
	for id, level := range made {
		set.Changes = append(set.Changes, &pb.ManifestChange{Id: id, Op: pb.ManifestChange_CREATE, Level: level})
	}
	for _, id := range gone {
		set.Changes = append(set.Changes, &pb.ManifestChange{Id: id, Op: pb.ManifestChange_DELETE})
	}
	b, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	return append(binary.BigEndian.AppendUint32(head, crc32.Checksum(b, castagnoli)), b...)
}

func TestChangesOfTheTableList(t *testing.T) {
	header := []byte("Bdgr\x00\x00\x00\x08")
	live := func(key string) tableEntry { return tableEntry{key, 1, "value", 0} }
	before := bytes.Join([][]byte{header, listRecord(t, map[uint64]uint32{1: 0, 2: 0})}, nil)
	tests := map[string]struct {
		after []byte
		fine  bool
	}{
		"a table comes":                             {append(bytes.Clone(before), listRecord(t, map[uint64]uint32{3: 0})...), true},
		"two become one":                            {append(bytes.Clone(before), listRecord(t, map[uint64]uint32{3: 6}, 1, 2)...), true},
		"two become half":                           {append(bytes.Clone(before), listRecord(t, map[uint64]uint32{4: 6}, 1, 2)...), false},
		"one goes":                                  {append(bytes.Clone(before), listRecord(t, nil, 1)...), false},
		"one comes that is not there":               {append(bytes.Clone(before), listRecord(t, map[uint64]uint32{9: 6}, 1, 2)...), false},
		"the record is cut off":                     {append(bytes.Clone(before), listRecord(t, map[uint64]uint32{3: 0})[:9]...), false},
		"written anew, and two become one":          {append(bytes.Clone(header), listRecord(t, map[uint64]uint32{3: 6})...), true},
		"written anew and shorter, and one is gone": {append(bytes.Clone(header), listRecord(t, map[uint64]uint32{2: 0})...), false},
		"written anew and empty":                    {bytes.Clone(header), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			makeTable(t, dir, 1, []tableEntry{live("a"), live("c")})
			makeTable(t, dir, 2, []tableEntry{live("b")})
			makeTable(t, dir, 3, []tableEntry{live("a"), live("b"), live("c")})
			makeTable(t, dir, 4, []tableEntry{live("a"), live("b")})
			path := filepath.Join(dir, "MANIFEST")
			write := func(b []byte) {
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(before)
			var failed []error
			l, err := watchTables(dir, func(err error) { failed = append(failed, err) })
			if err != nil {
				t.Fatal(err)
			}
			defer l.forget()
			write(test.after)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.Seek(0, 2); err != nil {
				t.Fatal(err)
			}
			if err := badgerSync(f); (err == nil) != test.fine || len(failed) > 0 == test.fine {
				t.Errorf("%v; failed of %v", err, failed)
			}
			want := before
			if test.fine {
				want = test.after
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the list is %x, %v; want %x", got, err, want)
			}
			if at, err := f.Seek(0, 1); err != nil || at != int64(len(want)) {
				t.Errorf("Badger goes on at %d, %v; the list has %d bytes", at, err, len(want))
			}
			if note, err := l.note(); err != nil || note != noteManifest(want) {
				t.Errorf("the note is %+v, %v", note, err)
			}
		})
	}
}
