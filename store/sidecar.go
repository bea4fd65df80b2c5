package store

// This file is the sidecar: a small file beside Badger's that remembers how far the store must have come, because Badger by itself
// opens without any error when the end of its log is damaged or its files are gone.
//
// The sidecar has two slots of 128 bytes in blocks of their own, so that a torn write of one leaves the other. Writes alternate;
// the valid slot of the higher generation counts.
//
//	 0  "PDSIDE1\n"
//	 8  generation u64      counts writes of the sidecar
//	16  acknowledged u64    the last group whose waiters may have been told that it is durable
//	24  intended u64        the group that was being committed: acknowledged+1, or acknowledged when there was none
//	32  hash of the acknowledged group
//	64  hash of the intended group
//	96  identity of the store
//	112 length of Badger's MANIFEST u31, and in the highest bit whether there is a journal, which has to reach as far as the file reached says
//	116 first 8 bytes of the SHA-256 of that many bytes of it
//	124 CRC-32C of the bytes before
//
// What is said here of groups holds, with a journal, of the checkpoints that Badger gets of them.
//
// The slot for group n is synced while Badger syncs group n, and both come before anyone is told. So after a crash Badger may be at
// n-1 (its commit did not arrive), at n, or, when its commit arrived and the slot for it did not, one past what the slot intended;
// a hash proves each of them. Anything else has lost a group that somebody was told about. What this cannot see is the loss
// of exactly the last group before a crash, unless what is left of it is not what a crash leaves (torn in logs.go). Once nothing was
// under way for settleAfter, and after Close, it sees that too: then a slot with intended = acknowledged is written.

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
	slotMagic   = "PDSIDE1\n"
	slotSize    = 128
	slotSpacing = 4096
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// slot is one statement of the sidecar.
type slot struct {
	generation       uint64
	acknowledged     uint64
	intended         uint64
	acknowledgedHash digest
	intendedHash     digest
	identity         identity
	manifest         manifestNote
	journal          bool
}

// journalBit marks a slot of a store that has a journal.
const journalBit = 1 << 31

func (s slot) encode() []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, slotMagic...)
	b = binary.BigEndian.AppendUint64(b, s.generation)
	b = binary.BigEndian.AppendUint64(b, s.acknowledged)
	b = binary.BigEndian.AppendUint64(b, s.intended)
	b = append(b, s.acknowledgedHash[:]...)
	b = append(b, s.intendedHash[:]...)
	b = append(b, s.identity[:]...)
	length := s.manifest.length
	if s.journal {
		length |= journalBit
	}
	b = binary.BigEndian.AppendUint32(b, length)
	b = append(b, s.manifest.hash[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeSlot(b []byte) (slot, bool) {
	if len(b) < slotSize || string(b[:8]) != slotMagic {
		return slot{}, false
	}
	if crc32.Checksum(b[:124], castagnoli) != binary.BigEndian.Uint32(b[124:]) {
		return slot{}, false
	}
	s := slot{
		generation:   binary.BigEndian.Uint64(b[8:]),
		acknowledged: binary.BigEndian.Uint64(b[16:]),
		intended:     binary.BigEndian.Uint64(b[24:]),
		identity:     identity(b[96:112]),
		manifest:     manifestNote{binary.BigEndian.Uint32(b[112:]) &^ journalBit, [8]byte(b[116:124])},
		journal:      b[112]&0x80 != 0,
	}
	copy(s.acknowledgedHash[:], b[32:])
	copy(s.intendedHash[:], b[64:])
	return s, true
}

// check says what is wrong with a store whose last group is h: nothing if it has all that the slot says was acknowledged.
func (s slot) check(h head, id identity, dir string) string {
	switch {
	case s.identity != id:
		return fmt.Sprintf("%s and %s belong to different stores", filepath.Join(dir, sidecarFile), filepath.Join(dir, databaseDir))
	case h.sequence == s.intended && h.hash == s.intendedHash,
		h.sequence == s.acknowledged && h.hash == s.acknowledgedHash,
		h.sequence > s.intended && h.previous == s.intendedHash:
		return ""
	case h.sequence < s.acknowledged:
		return "the last ones are missing"
	}
	return "the ones that are there do not continue the acknowledged ones"
}

// sidecar is the open sidecar file. Only one goroutine at a time uses it.
type sidecar struct {
	file       *os.File
	generation uint64
}

// readSidecar returns the slot that counts. found is false when there is no sidecar at all; damage says what is wrong with it.
func readSidecar(dir string) (s slot, found bool, damage string, err error) {
	path := filepath.Join(dir, sidecarFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return slot{}, false, "", nil
	}
	if damage, err = damaged(path, err); damage != "" || err != nil {
		return slot{}, true, damage, err
	}
	b = append(b, make([]byte, 2*slotSpacing)...) // a shortened file has bad slots
	first, ok1 := decodeSlot(b)
	second, ok2 := decodeSlot(b[slotSpacing:])
	switch {
	case !ok1 && !ok2:
		return slot{}, true, path + " is damaged", nil
	case !ok1 || (ok2 && second.generation > first.generation):
		return second, true, "", nil
	}
	return first, true, "", nil
}

// createSidecar makes a sidecar that appears complete or not at all.
func createSidecar(dir string, s slot) error {
	path := filepath.Join(dir, sidecarFile)
	block := make([]byte, 2*slotSpacing)
	copy(block[slotOffset(s.generation):], s.encode())
	f, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(block)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncPath(dir)
	}
	return err
}

func openSidecar(dir string, generation uint64) (*sidecar, error) {
	f, err := os.OpenFile(filepath.Join(dir, sidecarFile), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &sidecar{file: f, generation: generation}, nil
}

// write replaces the older slot by s and returns when that is on disk.
func (c *sidecar) write(s slot) error {
	c.generation++
	s.generation = c.generation
	if _, err := c.file.WriteAt(s.encode(), slotOffset(s.generation)); err != nil {
		return err
	}
	return datasync(c.file)
}

func (c *sidecar) close() error { return c.file.Close() }

func slotOffset(generation uint64) int64 { return int64(generation%2) * slotSpacing }
