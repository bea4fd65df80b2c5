//go:build linux

package main

// This file damages one file of a directory, as bad disks, bad copies and people do.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// mutator chooses what to damage, and how.
type mutator struct {
	*rand.Rand
	older string // a copy of the same directory from earlier in its life
}

// mutations are the ways to damage the file at path; ok is false when that file cannot be damaged so.
var mutations = []func(m mutator, path, relative string) (how string, ok bool, err error){
	mutator.flip, mutator.flip, mutator.truncate, mutator.remove, mutator.zero, mutator.swap,
}

var digits = regexp.MustCompile(`[0-9]+`)

// precious are the kinds of files whose damage is most likely to cost money.
var precious = []string{"N.mem", "N.sst", "MANIFEST", "sidecar", "tail.N", "journal.N", "reached"}

// mutate damages one file below dir: first it chooses a kind of file, so that the many tables do not get all the damage. It returns what it did.
func (m mutator) mutate(dir string) (what string, err error) {
	switch m.IntN(25) {
	case 0:
		return m.restore(dir)
	case 1:
		return m.tear(dir)
	}
	kinds := make(map[string][]string)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			kind := digits.ReplaceAllString(d.Name(), "N")
			kinds[kind] = append(kinds[kind], path)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	var names []string
	for name, paths := range kinds {
		names = append(names, name)
		if slices.Contains(precious, name) {
			names = append(names, name, name)
		}
		slices.Sort(paths)
	}
	slices.Sort(names)
	for range 1000 {
		name := names[m.IntN(len(names))]
		path := kinds[name][m.IntN(len(kinds[name]))]
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return "", err
		}
		chosen := mutations[m.IntN(len(mutations))]
		how, ok, err := chosen(m, path, relative)
		if err != nil || ok {
			return relative + " " + how, err
		}
	}
	return "", fmt.Errorf("nothing in %s can be damaged", dir)
}

// restore puts an older copy of the database beside the files of today.
func (m mutator) restore(dir string) (string, error) {
	database := filepath.Join("ledger", "db")
	if err := os.RemoveAll(filepath.Join(dir, database)); err != nil {
		return "", err
	}
	return database + " as it was earlier", copyDirectory(filepath.Join(m.older, database), filepath.Join(dir, database))
}

// tear zeroes the end of the newest record of the journal, from anywhere in it, as a sector that did not arrive. It restores where there is none.
func (m mutator) tear(dir string) (string, error) {
	var file string
	var newest uint64
	var from, to int
	for i := range 2 {
		relative := filepath.Join("ledger", fmt.Sprintf("journal.%d", i))
		b, err := os.ReadFile(filepath.Join(dir, relative))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // an orderly end leaves no journal
			return "", err
		}
		for at := 0; ; at++ {
			next := bytes.Index(b[at:], []byte("PDJ1"))
			if next < 0 || at+next+28 > len(b) {
				break
			}
			at += next // its length stands 8 bytes behind, and its number 20: see store/journal.go
			end := at + 12 + int(binary.BigEndian.Uint32(b[at+8:]))
			if n := binary.BigEndian.Uint64(b[at+20:]); n > newest && end <= len(b) {
				file, newest, from, to = relative, n, at, end
			}
		}
	}
	if file == "" {
		return m.restore(dir)
	}
	from += m.IntN(to - from)
	return fmt.Sprintf("%s with the last %d bytes of group %d zeroed", file, to-from, newest),
		writeAt(filepath.Join(dir, file), make([]byte, to-from), int64(from))
}

// flip changes one bit, not in the zeros that files end with.
func (m mutator) flip(path, _ string) (string, bool, error) {
	b, err := os.ReadFile(path)
	used := len(bytes.TrimRight(b, "\x00"))
	if err != nil || used == 0 {
		return "", false, err
	}
	at, bit := m.IntN(used), m.IntN(8)
	b[at] ^= 1 << bit
	return fmt.Sprintf("with bit %d of byte %d of %d flipped", bit, at, used), true, writeAt(path, b[at:at+1], int64(at))
}

// truncate takes the file's end away: all, half, one byte, or any part of what is used.
func (m mutator) truncate(path, _ string) (string, bool, error) {
	b, err := os.ReadFile(path)
	if err != nil || len(b) == 0 {
		return "", false, err
	}
	used := max(1, len(bytes.TrimRight(b, "\x00")))
	to := [...]int{0, used / 2, len(b) - 1, m.IntN(used)}[m.IntN(4)]
	return fmt.Sprintf("truncated from %d to %d", len(b), to), true, os.Truncate(path, int64(to))
}

func (m mutator) remove(path, _ string) (string, bool, error) {
	return "deleted", true, os.Remove(path)
}

// zero overwrites up to a page with zeros.
func (m mutator) zero(path, _ string) (string, bool, error) {
	b, err := os.ReadFile(path)
	used := len(bytes.TrimRight(b, "\x00"))
	if err != nil || used == 0 {
		return "", false, err
	}
	at := m.IntN(used)
	n := min(used-at, 1+m.IntN(4096))
	return fmt.Sprintf("with %d bytes from %d of %d zeroed", n, at, used), true, writeAt(path, make([]byte, n), int64(at))
}

// swap puts the older version of the file in its place.
func (m mutator) swap(path, relative string) (string, bool, error) {
	was, err := os.ReadFile(filepath.Join(m.older, relative))
	if err != nil {
		return "", false, nil // it is new
	}
	is, err := os.ReadFile(path)
	if err != nil || bytes.Equal(was, is) {
		return "", false, err
	}
	return "as it was earlier", true, os.WriteFile(path, was, 0o600)
}

func writeAt(path string, b []byte, at int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(b, at)
	return err
}
