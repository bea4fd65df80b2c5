package store

// This file is the mark beside the journal that says how far the journal must reach: without it a journal that lost its end would look like one
// that ends there.
//
// The file reached has two slots of 48 bytes in blocks of their own; writes alternate, and the valid slot of the higher sequence counts.
//
//	 0  "PDREACH1"
//	 8  identity of the store [16]byte
//	24  sequence u64      the last group whose waiters may have been told that it is durable
//	32  zero u64
//	40  zero u32
//	44  CRC-32C of the bytes before
//
// It is written after the journal was synced and before anyone is told, and is not synced: the end of the process leaves it whole, and a power cut
// an older slot, which asks for less. So after a power cut the loss of the very last groups is seen only as far as the disk had come with it.

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
)

const (
	reachedFile  = "reached"
	reachedMagic = "PDREACH1"
	reachedSize  = 48
)

// reached is the open file. Only the committer uses it.
type reached struct {
	file     *os.File
	identity identity
	turn     int64
	slot     [reachedSize]byte
}

func encodeReached(b *[reachedSize]byte, id identity, sequence uint64) {
	copy(b[:], reachedMagic)
	copy(b[8:], id[:])
	binary.BigEndian.PutUint64(b[24:], sequence)
	binary.BigEndian.PutUint32(b[44:], crc32.Checksum(b[:44], castagnoli))
}

func decodeReached(b []byte) (id identity, sequence uint64, ok bool) {
	if len(b) < reachedSize || string(b[:8]) != reachedMagic ||
		crc32.Checksum(b[:44], castagnoli) != binary.BigEndian.Uint32(b[44:]) {
		return id, 0, false
	}
	return identity(b[8:24]), binary.BigEndian.Uint64(b[24:]), true
}

// createReached makes the file anew, with sequence in both slots, and returns when it is on disk.
func createReached(dir string, id identity, sequence uint64) (*reached, error) {
	f, err := os.OpenFile(filepath.Join(dir, reachedFile), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	r := &reached{file: f, identity: id}
	block := make([]byte, 2*slotSpacing)
	encodeReached(&r.slot, id, sequence)
	copy(block, r.slot[:])
	copy(block[slotSpacing:], r.slot[:])
	if _, err = f.Write(block); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// write says that groups up to sequence may be told of.
func (r *reached) write(sequence uint64) error {
	r.turn = slotSpacing - r.turn
	encodeReached(&r.slot, r.identity, sequence)
	_, err := r.file.WriteAt(r.slot[:], r.turn)
	return err
}

// readReached returns what the file says; damage is why it says nothing.
func readReached(dir string) (id identity, sequence uint64, damage string, err error) {
	path := filepath.Join(dir, reachedFile)
	b, err := os.ReadFile(path)
	if damage, err = damaged(path, err); damage != "" || err != nil {
		return id, 0, damage, err
	}
	b = append(b, make([]byte, 2*slotSpacing)...) // a shortened file has bad slots
	first, n, ok := decodeReached(b)
	second, m, also := decodeReached(b[slotSpacing:])
	switch {
	case !ok && !also:
		return id, 0, path + " is damaged", nil
	case !ok || also && m > n:
		return second, m, "", nil
	}
	return first, n, "", nil
}
