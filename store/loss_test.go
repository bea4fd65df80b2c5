package store

// This file tests that loss is seen: what Open accepts, what it refuses, and that its words are of use.

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// copyDir copies a store directory, as a crash at this moment would leave it.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	copyTo(t, from, to)
	return to
}

func copyTo(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.Mkdir(target, 0o700)
		}
		return copySparse(path, target)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// copySparse copies a file without its holes: Badger's files are large and mostly empty.
func copySparse(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	info, err := in.Stat()
	if err == nil {
		err = out.Truncate(info.Size())
	}
	for at := int64(0); err == nil; {
		data, seekErr := in.Seek(at, unix.SEEK_DATA)
		if seekErr != nil { // nothing but a hole
			break
		}
		at, err = in.Seek(data, unix.SEEK_HOLE)
		if err == nil {
			_, err = io.Copy(io.NewOffsetWriter(out, data), io.NewSectionReader(in, data, at-data))
		}
	}
	return errors.Join(err, out.Close())
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, dir string, want error, words ...string) {
	t.Helper()
	s, err := Open(context.Background(), dir, Options{LockWait: time.Millisecond, MinFree: 1})
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func TestP10LossIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine, many directories")
	}
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	putDurably(t, s, "k", "0")
	early := copyDir(t, dir)
	for i := range 5 {
		putDurably(t, s, "k", fmt.Sprint(i))
	}
	late := copyDir(t, dir) // not closed
	mustClose(t, s)
	other := newDir(t)
	o := mustOpen(t, other, Options{})
	for range 6 {
		putDurably(t, o, "k", "other")
	}
	mustClose(t, o)

	replaceDatabase := func(with string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, databaseDir)); err != nil {
				t.Fatal(err)
			}
			copied := copyDir(t, filepath.Join(with, databaseDir))
			if err := os.Rename(copied, filepath.Join(dir, databaseDir)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := []struct {
		name  string
		harm  func(t *testing.T, dir string)
		words []string
	}{
		{"no sidecar", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, sidecarFile)) }, []string{"6 groups", sidecarFile}},
		{"damaged sidecar", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, sidecarFile), 10) }, []string{sidecarFile, "damaged"}},
		{"no database", func(t *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, databaseDir)) }, []string{"0 groups", "db is missing"}},
		{"neither database nor sidecar", func(t *testing.T, dir string) {
			os.RemoveAll(filepath.Join(dir, databaseDir))
			os.Remove(filepath.Join(dir, sidecarFile))
			if err := os.WriteFile(filepath.Join(dir, ballastFile), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"0 groups", "db is missing", "only a backup helps"}},
		{"no manifest", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, databaseDir, "MANIFEST")) }, []string{"MANIFEST"}},
		{"no log", func(t *testing.T, dir string) { removeAll(t, dir, "*.mem") }, []string{"0 groups", "were acknowledged"}},
		{"older database", replaceDatabase(early), []string{"1 groups", "were acknowledged"}},
		{"older sidecar", func(t *testing.T, dir string) {
			copyFile(t, filepath.Join(early, sidecarFile), filepath.Join(dir, sidecarFile))
		}, []string{"6 groups"}},
		{"database of another store", replaceDatabase(other), []string{"different stores"}},
		{"log cut in the middle", cutLog, []string{"were acknowledged"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := copyDir(t, late)
			c.harm(t, dir)
			refused(t, dir, ErrLost, append(c.words, dir)...)
		})
	}
	t.Run("unharmed", func(t *testing.T) {
		s := mustOpen(t, copyDir(t, late), Options{})
		wantValue(t, s, "k", "4")
	})
	t.Run("last group after a clean close", func(t *testing.T) {
		dir, before := copyDir(t, dir), late
		s := mustOpen(t, before, Options{}) // group 6, closed below with group 7
		putDurably(t, s, "k", "seven")
		mustClose(t, s)
		copyFile(t, filepath.Join(before, sidecarFile), filepath.Join(dir, sidecarFile))
		refused(t, dir, ErrLost, "6 groups", "7 were")
	})
}

func removeAll(t *testing.T, dir, pattern string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, databaseDir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%v, %v", found, err)
	}
	for _, f := range found {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// cutLog flips a bit of the second group in Badger's log; Badger then drops all that follows and opens without an error.
func cutLog(t *testing.T, dir string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, databaseDir, "*.mem"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	b, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(headKey))
	second := bytes.Index(b[at+1:], []byte(headKey))
	if at < 0 || second < 0 {
		t.Fatal("no groups in the log")
	}
	b[at+1+second] ^= 1
	if err := os.WriteFile(found[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	putDurably(t, s, "k", "1")
	newer := encodeFormat(s.identity)
	newer[1] = FormatVersion + 1
	if err := s.sink.commit([]entry{{key: []byte(formatKey), value: newer}}, s.last); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	refused(t, dir, ErrFormat, dir, "format 2", "format 1")
}

func TestForeignDatabaseIsRefused(t *testing.T) {
	dir := newDir(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := openDatabase(dir, Options{}.withDefaults().Logger, false, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := (&disk{db: db, logs: &logs{}}).commit([]entry{{key: []byte("k")}}, head{sequence: 1}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, ErrFormat, dir)
}

// Every moment of making a new store leaves a directory that can be opened.
func TestHalfMadeStoresAreCompleted(t *testing.T) {
	dir := newDir(t)
	mustClose(t, mustOpen(t, dir, Options{}))
	if err := os.Remove(filepath.Join(dir, sidecarFile)); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, dir, Options{})
	putDurably(t, s, "k", "1")
	mustClose(t, s)
	wantValue(t, mustOpen(t, dir, Options{}), "k", "1")
}

func TestSlotCheck(t *testing.T) {
	id := identity{1}
	heads := []head{genesis(id)}
	for range 5 {
		heads = append(heads, heads[len(heads)-1].next(nil, heads[len(heads)-1].sequence+1, time.Now()))
	}
	stray := heads[3].next([]entry{{key: []byte("x")}}, 4, time.Now())
	s := slot{acknowledged: 3, acknowledgedHash: heads[3].hash, intended: 4, intendedHash: heads[4].hash, identity: id}
	for i, h := range append(heads, stray) {
		err := s.check(h, id, "dir")
		if ok := h.hash == heads[3].hash || h.hash == heads[4].hash || h.hash == heads[5].hash; ok != (err == "") {
			t.Errorf("head %d: %s", i, err)
		}
		if err := s.check(h, identity{2}, "dir"); err == "" {
			t.Errorf("head %d of another store is taken", i)
		}
	}
}

func TestTornSlotLeavesTheOther(t *testing.T) {
	dir := t.TempDir()
	first := slot{generation: 7, acknowledged: 1, intended: 2, identity: identity{9}}
	if err := createSidecar(dir, first); err != nil {
		t.Fatal(err)
	}
	c, err := openSidecar(dir, 7)
	if err != nil {
		t.Fatal(err)
	}
	second := slot{acknowledged: 2, intended: 3, identity: identity{9}}
	if err := errors.Join(c.write(second), c.close()); err != nil {
		t.Fatal(err)
	}
	second.generation = 8
	if got, found, damage, err := readSidecar(dir); got != second || !found || damage != "" || err != nil {
		t.Fatalf("%v %v %s %v", got, found, damage, err)
	}
	path := filepath.Join(dir, sidecarFile)
	whole, err := os.ReadFile(path)
	if err != nil || len(whole) != 2*slotSpacing {
		t.Fatalf("%d bytes, %v", len(whole), err)
	}
	for i := range slotSize {
		torn := bytes.Clone(whole)
		torn[slotOffset(8)+int64(i)] ^= 0x10
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, _, damage, err := readSidecar(dir); got != first || damage != "" || err != nil {
			t.Fatalf("byte %d: %v %s %v", i, got, damage, err)
		}
	}
}

func FuzzDecodeSlot(f *testing.F) {
	f.Add(slot{generation: 1, acknowledged: 2, intended: 3, identity: identity{4}}.encode())
	f.Add([]byte(slotMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := decodeSlot(b)
		if again, same := decodeSlot(s.encode()); ok && (!same || again != s) {
			t.Fatal("a slot does not survive encoding")
		}
	})
}

func FuzzDecodeRecords(f *testing.F) {
	f.Add(genesis(identity{1}).encode())
	f.Add(encodeFormat(identity{2}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := decodeHead(b); err == nil && !bytes.Equal(h.encode(), b) {
			t.Fatal("a head does not survive encoding")
		}
		if id, err := decodeFormat(b); err == nil && !bytes.Equal(encodeFormat(id), b) {
			t.Fatal("a format record does not survive encoding")
		}
	})
}

// The bytes of version 1 are final: this test may get new cases, and its old ones never change.
func TestGoldenFormat(t *testing.T) {
	id := identity{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	first := genesis(id).next([]entry{{key: []byte("a"), value: []byte("bc")}, {key: []byte("d"), remove: true}}, 1, time.UnixMilli(1_700_000_000_123))
	golden(t, "format", encodeFormat(id), "0001000102030405060708090a0b0c0d0e0f")
	golden(t, "head", first.encode(), "0000000000000001c7b12cb7ea5347dda14a9a07f908716994603329e60908febcde57165c1211d95feb2294920149259c45b929ce0e5c2c3ba1451e3f296dad3440de3968c9087a0000018bcfe5687b")
	golden(t, "slot", slot{generation: 5, acknowledged: 0, intended: 1, acknowledgedHash: first.previous, intendedHash: first.hash, identity: id}.encode(),
		"504453494445310a0000000000000005000000000000000000000000000000015feb2294920149259c45b929ce0e5c2c3ba1451e3f296dad3440de3968c9087ac7b12cb7ea5347dda14a9a07f908716994603329e60908febcde57165c1211d9000102030405060708090a0b0c0d0e0f000000000000000000000000c649af79")
}

func golden(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if fmt.Sprintf("%x", got) != want {
		t.Errorf("%s is\n%x, want\n%s", what, got, want)
	}
}

// A MANIFEST that Badger has written anew is none that lost its end.
func TestManifestNote(t *testing.T) {
	record := func(n int) []byte {
		body := bytes.Repeat([]byte{7}, n)
		b := binary.BigEndian.AppendUint32(nil, uint32(n))
		b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, castagnoli))
		return append(b, body...)
	}
	list := func(records ...int) []byte {
		b := []byte("Bdgr\x00\x00\x00\x08")
		for _, n := range records {
			b = append(b, record(n)...)
		}
		return b
	}
	short, long := list(0, 10, 20), list(append([]int{0}, slices.Repeat([]int{600}, 110)...)...)
	cases := []struct {
		name         string
		noted, there []byte
		want         bool
	}{
		{"the same", short, short, true},
		{"more", short, list(0, 10, 20, 30), true},
		{"less", short, list(0, 10), false},
		{"cut in a record", short, short[:len(short)-1], false},
		{"other bytes", short, list(0, 10, 21), false},
		{"nothing", short, nil, false},
		{"nothing was noted", nil, short, true},
		{"half a record more", short, append(bytes.Clone(short), 1, 2, 3), true},
		{"a new one, though the old was short", short, list(300), false},
		{"a new one", long, list(300, 10), true},
		{"less of a long one", long, long[:len(long)-700], false},
		{"one of a new database", long, list(0), false},
	}
	for _, c := range cases {
		if got := noteManifest(c.noted).continues(c.there); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	torn := append(bytes.Clone(short), 0, 0, 0, 9, 1)
	if noteManifest(torn) != noteManifest(short) {
		t.Error("half a record was noted")
	}
}
