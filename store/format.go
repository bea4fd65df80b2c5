package store

// This file is the format of a store directory: the files in it, the records that belong to the store itself, and their bytes.
//
// A store directory, mode 0700, holds
//
//	lock      empty; the process that has the directory open holds flock(2) on it
//	sidecar   8,192 bytes: two slots, at offsets 0 and 4,096, that say how far the store must have come (see sidecar.go)
//	journal.0 the groups that are not in Badger yet, only with Options.Journal and until the store is closed (see journal.go)
//	journal.1
//	reached   8,192 bytes: two slots that say how far the journal must reach (see reached.go)
//	tail.0    the joins that are not on disk yet, only with Options.Tail (see tail.go)
//	tail.1
//	ballast   nothing; blocks to be given up when the disk is full (see ballast.go)
//	restoring empty; there while a backup is being restored (see restore.go)
//	db/       Badger's own files
//	db.damaged-<seconds since 1970>/  a database that was given up (see rebuild.go), for whoever wants to look into it
//
// Badger holds the keys of whoever uses the store and, under the reserved prefix "store/", records of its own: the two below, and what
// was given up (see losses.go). All integers are big-endian.
//
//	store/format   version u16 | identity [16]byte
//	store/head     sequence u64 | hash [32]byte | hash of the group before [32]byte | milliseconds since 1970 u64
//
// The identity is random and also stands in the sidecar, so that files of two stores cannot be mixed. Every group of changes is
// one Badger transaction that replaces store/head; groups are numbered from 1 and chained:
//
//	hash of group 0 = SHA-256("paydoor/store/v1" | identity)
//	hash of group n = SHA-256("paydoor/group/v1" | hash of group n-1 | n u64 | number of entries u32 | entries)
//	entry           = kind u8 (0 delete, 1 put) | key length u32 | key | value length u32 | value
//
// where the entries stand in the order in which the group first met their keys. With a journal, Badger gets several groups as one, which has the
// number of the last of them; and the group that records a loss may skip numbers, so that none is given out twice. A store of a
// higher version is refused.

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// FormatVersion is the version of the format that this package reads and writes.
const FormatVersion = 1

const (
	reserved  = "store/"
	formatKey = reserved + "format"
	headKey   = reserved + "head"

	sidecarFile = "sidecar"
	lockFile    = "lock"
	databaseDir = "db"

	restoringFile = "restoring" // there while a backup is being restored

	formatSize = 2 + 16
	headSize   = 8 + 32 + 32 + 8
)

var (
	// ErrFormat says that the directory was written by a newer version, or is not a store.
	ErrFormat = errors.New("not a store of this version")
	// ErrLost says that what is in the directory is not what was acknowledged: something is missing, older, or mixed up.
	ErrLost = errors.New("the store has lost acknowledged changes")
)

// digest is the hash of a group, and of everything before it.
type digest [sha256.Size]byte

// identity tells one store from another.
type identity [16]byte

// head says which group was the last one.
type head struct {
	sequence uint64
	hash     digest
	previous digest // hash of group sequence-1; of no meaning while sequence is 0
	at       time.Time
}

func genesis(id identity) head {
	h := sha256.New()
	h.Write([]byte("paydoor/store/v1"))
	h.Write(id[:])
	var first head
	h.Sum(first.hash[:0])
	return first
}

// next is the head after a group with these entries and this number.
func (h head) next(entries []entry, sequence uint64, at time.Time) head {
	s := sha256.New()
	b := append([]byte("paydoor/group/v1"), h.hash[:]...)
	b = binary.BigEndian.AppendUint64(b, sequence)
	b = binary.BigEndian.AppendUint32(b, uint32(len(entries)))
	for i := range entries {
		s.Write(b)
		b = appendEntry(b[:0], &entries[i])
	}
	s.Write(b)
	after := head{sequence: sequence, previous: h.hash, at: at}
	s.Sum(after.hash[:0])
	return after
}

// appendEntry appends an entry as it is hashed, and as it stands in a tail.
func appendEntry(b []byte, e *entry) []byte {
	kind := byte(1)
	if e.remove {
		kind = 0
	}
	b = append(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.key)))
	b = append(b, e.key...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.value)))
	return append(b, e.value...)
}

func (h head) encode() []byte {
	b := make([]byte, 0, headSize)
	b = binary.BigEndian.AppendUint64(b, h.sequence)
	b = append(b, h.hash[:]...)
	b = append(b, h.previous[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(h.at.UnixMilli()))
}

func decodeHead(b []byte) (head, error) {
	if len(b) != headSize {
		return head{}, fmt.Errorf("%w: its head record has %d bytes instead of %d", ErrFormat, len(b), headSize)
	}
	h := head{sequence: binary.BigEndian.Uint64(b)}
	copy(h.hash[:], b[8:])
	copy(h.previous[:], b[40:])
	h.at = time.UnixMilli(int64(binary.BigEndian.Uint64(b[72:])))
	return h, nil
}

func encodeFormat(id identity) []byte {
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, formatSize), FormatVersion), id[:]...)
}

func decodeFormat(b []byte) (identity, error) {
	if len(b) < 2 {
		return identity{}, fmt.Errorf("%w: its format record has %d bytes", ErrFormat, len(b))
	}
	if v := binary.BigEndian.Uint16(b); v != FormatVersion {
		return identity{}, fmt.Errorf("%w: it has format %d, and this program knows format %d; run the newer program that wrote it", ErrFormat, v, FormatVersion)
	}
	if len(b) != formatSize {
		return identity{}, fmt.Errorf("%w: its format record has %d bytes instead of %d", ErrFormat, len(b), formatSize)
	}
	return identity(b[2:]), nil
}
