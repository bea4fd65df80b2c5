package store

// This file watches Badger's MANIFEST, its list of tables. Badger takes a list that was cut off for one that a crash left, opens with the tables
// that are still on it, and deletes the others. So every slot of the sidecar notes how long the list was, and its hash.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
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

// readManifest returns the tables on the list; damage says what is wrong with it.
func readManifest(path string, note manifestNote) (tables []uint64, damage string, err error) {
	b, err := os.ReadFile(path)
	if damage, err = damaged(path, err); damage != "" || err != nil {
		return nil, damage, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	m, _, err := replayManifest(f)
	switch {
	case err != nil:
		damage = fmt.Sprintf("%s is damaged (%s)", path, oneLine(err))
	case !note.continues(b):
		damage = fmt.Sprintf("%s is damaged or an older one", path)
	}
	for id := range m.Tables {
		tables = append(tables, id)
	}
	return tables, damage, nil
}

func replayManifest(f *os.File) (m badger.Manifest, whole int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return badger.ReplayManifestFile(f, 0, badger.Options{})
}

// manifestWatch notes the MANIFEST of an open database. One goroutine at a time uses it.
type manifestWatch struct {
	path string
	info os.FileInfo
	note manifestNote
}

func watchManifest(dir string) *manifestWatch {
	return &manifestWatch{path: filepath.Join(dir, databaseDir, badger.ManifestFilename)}
}

// look returns a note of what is on disk now.
func (w *manifestWatch) look() (manifestNote, error) {
	info, err := os.Stat(w.path)
	if err != nil {
		return manifestNote{}, err
	}
	if w.info != nil && info.Size() == w.info.Size() && os.SameFile(info, w.info) {
		return w.note, nil
	}
	b, err := os.ReadFile(w.path)
	if err == nil {
		err = syncPath(w.path) // Badger has written it, and may be syncing it just now
	}
	if err != nil {
		return manifestNote{}, err
	}
	w.info, w.note = info, noteManifest(b)
	return w.note, nil
}
