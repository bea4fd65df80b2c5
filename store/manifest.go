package store

// This file watches Badger's MANIFEST, its list of tables. Badger takes a list that was cut off for one that a crash left, opens with the tables
// that are still on it, and deletes the others. So every slot of the sidecar notes how long the list was, and its hash.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"google.golang.org/protobuf/proto"
)

const (
	manifestHeader = 8     // bytes before the first record
	rewriteAbove   = 60000 // Badger writes its list anew, and shorter, after 10,000 deletions of at least 6 bytes each
)

// manifestNote is how long the whole records of a MANIFEST were, and the beginning of their SHA-256. The zero value notes nothing.
type manifestNote struct {
	length uint32
	hash   [8]byte
}

// noteManifest describes the whole records at the beginning of b.
func noteManifest(b []byte) manifestNote {
	n := wholeRecords(b)
	sum := sha256.Sum256(b[:n])
	return manifestNote{length: uint32(n), hash: [8]byte(sum[:8])}
}

// wholeRecords is the length of the header and the records of a MANIFEST up to the first one that is cut off or wrong:
// length u32 | CRC-32C of the rest u32 | rest.
func wholeRecords(b []byte) int {
	n := min(manifestHeader, len(b))
	for len(b)-n >= 8 {
		length := int64(binary.BigEndian.Uint32(b[n:]))
		if length > int64(len(b)-n-8) {
			break
		}
		end := n + 8 + int(length)
		if crc32.Checksum(b[n+8:end], castagnoli) != binary.BigEndian.Uint32(b[n+4:]) {
			break
		}
		n = end
	}
	return n
}

// continues says whether b still begins with what was noted, or is a list that Badger has written anew since.
func (n manifestNote) continues(b []byte) bool {
	if int64(n.length) <= int64(len(b)) {
		sum := sha256.Sum256(b[:n.length])
		if n.length == 0 || bytes.Equal(sum[:8], n.hash[:]) {
			return true
		}
	}
	// A new list begins with all tables, that of a new database with a record of no tables.
	written := len(b) >= manifestHeader+8 && binary.BigEndian.Uint32(b[manifestHeader:]) > 0
	return written && n.length > rewriteAbove
}

// readManifest returns the tables on the list; damage says what is wrong with it. whole is its length without a change that the end of a process
// left unjudged and that would lose something, and 0 if there is none.
func readManifest(path string, note manifestNote) (tables []uint64, whole int64, damage string, err error) {
	b, err := os.ReadFile(path)
	if damage, err = damaged(path, err); damage != "" || err != nil {
		return nil, 0, damage, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, "", err
	}
	defer f.Close()
	m, _, err := replayManifest(f)
	switch {
	case err != nil:
		damage = fmt.Sprintf("%s is damaged (%s)", path, oneLine(err))
	case !note.continues(b):
		damage = fmt.Sprintf("%s is damaged or an older one", path)
	default:
		before, n := unjudged(filepath.Dir(path), b, note)
		if n > 0 {
			return slices.Collect(maps.Keys(before)), int64(n), "", nil
		}
	}
	return slices.Collect(maps.Keys(m.Tables)), 0, damage, nil
}

// unjudged returns the tables that were on the list before its last change, and its length then, if the change has not been judged, all tables
// that it takes off are still there, and it loses something: then the process ended before it could be taken back.
func unjudged(database string, b []byte, note manifestNote) (before map[uint64]int, n int) {
	end := wholeRecords(b)
	for at := manifestHeader; at < end; {
		n, at = at, at+8+int(binary.BigEndian.Uint32(b[at:]))
	}
	if n <= manifestHeader || int(note.length) > n {
		return nil, 0
	}
	before, err := tablesOf(b[:n])
	if err != nil {
		return nil, 0
	}
	after, err := tablesOf(b[:end])
	if err != nil {
		return nil, 0
	}
	for _, id := range without(before, after) {
		if info, err := os.Stat(table.NewFilename(id, database)); err != nil || info.Size() == 0 {
			return nil, 0 // Badger deletes what was judged
		}
	}
	if judgeCompaction(database, before, after) == nil {
		return nil, 0
	}
	return before, n
}

func replayManifest(f *os.File) (m badger.Manifest, whole int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return badger.ReplayManifestFile(f, 0, badger.Options{})
}

// tablesOf returns the tables on a list of whole records, and the level of each.
func tablesOf(b []byte) (map[uint64]int, error) {
	tables := make(map[uint64]int)
	for at := manifestHeader; at < len(b); {
		end := at + 8 + int(binary.BigEndian.Uint32(b[at:]))
		var set pb.ManifestChangeSet
		if err := proto.Unmarshal(b[at+8:end], &set); err != nil {
			return nil, fmt.Errorf("%s: %w", badger.ManifestFilename, err)
		}
		for _, change := range set.Changes {
			if change.Op == pb.ManifestChange_DELETE {
				delete(tables, change.Id)
			} else {
				tables[change.Id] = int(change.Level)
			}
		}
		at = end
	}
	return tables, nil
}
