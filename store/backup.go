package store

// This file writes and reads backups: one stream with all keys and values of one moment, and a hash at its end.
//
//	header = "PDBACKUP" | version of this layout u16 | version of the store's format u16 | identity [16]byte
//	         | sequence u64 | hash of that group [32]byte | milliseconds since 1970 u64
//	entry  = 1 u8 | key length u32 | key | value length u32 | value          in the order of the keys, without store/format and store/head
//	end    = 0 u8 | number of entries u64 | SHA-256 of all that comes before

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
)

const (
	backupMagic   = "PDBACKUP"
	backupVersion = 1
	backupHeader  = 8 + 2 + 2 + 16 + 8 + 32 + 8
)

// ErrBackup says that a backup is cut off, altered, or none at all.
var ErrBackup = errors.New("the backup is damaged")

// backupHead is what a backup says about itself.
type backupHead struct {
	identity identity
	sequence uint64
	hash     digest
	at       time.Time
}

// Backup writes all that the store holds at one moment to w, while it goes on, and returns the number of the last group that is in it. The end
// of what is written proves that it is whole: a backup without it is refused by Restore.
func (s *Store) Backup(ctx context.Context, w io.Writer) (sequence uint64, err error) {
	err = s.View(func(v *View) error {
		h, err := v.head()
		if err != nil {
			return err
		}
		sequence = h.sequence
		head := backupHead{identity: s.identity, sequence: h.sequence, hash: h.hash, at: s.now()}
		out := newBackupWriter(w, head)
		if err := v.Iterate(nil, nil, func(key, value []byte) error {
			if k := string(key); k == formatKey || k == headKey {
				return nil
			}
			if out.entries%1000 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			return out.entry(key, value)
		}); err != nil {
			return err
		}
		if err := s.scrubAll(); err != nil { // a damaged block would just have been left out
			return err
		}
		return out.end()
	})
	if err == nil {
		if err = s.Err(); errors.Is(err, ErrClosed) {
			err = nil
		}
	}
	if err != nil {
		return 0, fmt.Errorf("backing up %s: %w", s.dir, err)
	}
	return sequence, nil
}

// backupWriter writes the parts of a backup and hashes them.
type backupWriter struct {
	w       *bufio.Writer
	hash    hash.Hash
	entries uint64
	buffer  []byte
}

func newBackupWriter(w io.Writer, h backupHead) *backupWriter {
	b := append(make([]byte, 0, backupHeader), backupMagic...)
	b = binary.BigEndian.AppendUint16(b, backupVersion)
	b = binary.BigEndian.AppendUint16(b, FormatVersion)
	b = append(b, h.identity[:]...)
	b = binary.BigEndian.AppendUint64(b, h.sequence)
	b = append(b, h.hash[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.at.UnixMilli()))
	out := &backupWriter{w: bufio.NewWriterSize(w, 64<<10), hash: sha256.New(), buffer: b}
	_ = out.flush() // an error stays with the writer
	return out
}

func (o *backupWriter) entry(key, value []byte) error {
	o.entries++
	o.buffer = appendEntry(o.buffer[:0], &entry{key: key, value: value})
	return o.flush()
}

func (o *backupWriter) end() error {
	o.buffer = binary.BigEndian.AppendUint64(append(o.buffer[:0], 0), o.entries)
	if err := o.flush(); err != nil {
		return err
	}
	if _, err := o.w.Write(o.hash.Sum(nil)); err != nil {
		return err
	}
	return o.w.Flush()
}

func (o *backupWriter) flush() error {
	o.hash.Write(o.buffer)
	_, err := o.w.Write(o.buffer)
	return err
}

// readBackup calls each with every entry, and returns nil only when the whole backup was as it was written. So what each was given is worth
// nothing before.
func readBackup(r io.Reader, each func(h backupHead, key, value []byte) error) (backupHead, error) {
	in := &backupReader{r: bufio.NewReaderSize(r, 64<<10), hash: sha256.New()}
	h, err := in.header()
	if err != nil {
		return h, err
	}
	var last []byte
	for n := uint64(0); ; n++ {
		key, value, more, err := in.entry()
		if err != nil {
			return h, err
		}
		if !more {
			return h, in.end(n)
		}
		if n > 0 && bytes.Compare(last, key) >= 0 {
			return h, fmt.Errorf("%w: its keys are not in order", ErrBackup)
		}
		last = append(last[:0], key...)
		if err := each(h, key, value); err != nil {
			return h, err
		}
	}
}

// backupReader reads the parts of a backup and hashes them.
type backupReader struct {
	r      *bufio.Reader
	hash   hash.Hash
	fields [2][]byte
}

func (in *backupReader) take(b []byte) error {
	_, err := io.ReadFull(in.r, b)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it is cut off", ErrBackup)
	case err != nil:
		return err
	}
	in.hash.Write(b)
	return nil
}

func (in *backupReader) header() (h backupHead, err error) {
	var b [backupHeader]byte
	if err := in.take(b[:12]); err != nil {
		return h, err
	}
	if string(b[:8]) != backupMagic {
		return h, fmt.Errorf("%w: it is not a backup of a store", ErrBackup)
	}
	layout, format := binary.BigEndian.Uint16(b[8:]), binary.BigEndian.Uint16(b[10:])
	if layout != backupVersion || format != FormatVersion {
		return h, fmt.Errorf("%w: the backup has layout %d and format %d, and this program knows layout %d and format %d; run the newer program that wrote it",
			ErrFormat, layout, format, backupVersion, FormatVersion)
	}
	if err := in.take(b[12:]); err != nil {
		return h, err
	}
	h.identity = identity(b[12:28])
	h.sequence = binary.BigEndian.Uint64(b[28:])
	copy(h.hash[:], b[36:])
	h.at = time.UnixMilli(int64(binary.BigEndian.Uint64(b[68:])))
	return h, nil
}

// entry returns the next entry; its slices are valid until the next call. more is false at the end.
func (in *backupReader) entry() (key, value []byte, more bool, err error) {
	var kind [1]byte
	if err := in.take(kind[:]); err != nil || kind[0] == 0 {
		return nil, nil, false, err
	}
	if kind[0] != 1 {
		return nil, nil, false, fmt.Errorf("%w: there is an entry of kind %d", ErrBackup, kind[0])
	}
	for i, most := range []uint32{MaxKey, MaxValue} {
		var length [4]byte
		if err := in.take(length[:]); err != nil {
			return nil, nil, false, err
		}
		n := binary.BigEndian.Uint32(length[:])
		if n > most || i == 0 && n == 0 {
			return nil, nil, false, fmt.Errorf("%w: there is a field of %d bytes", ErrBackup, n)
		}
		in.fields[i] = append(in.fields[i][:0], make([]byte, n)...)
		if err := in.take(in.fields[i]); err != nil {
			return nil, nil, false, err
		}
	}
	return in.fields[0], in.fields[1], true, nil
}

// end reads what comes after the entries.
func (in *backupReader) end(entries uint64) error {
	var count [8]byte
	if err := in.take(count[:]); err != nil {
		return err
	}
	want := in.hash.Sum(nil)
	var sum digest
	if err := in.take(sum[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint64(count[:]) != entries || !bytes.Equal(sum[:], want) {
		return fmt.Errorf("%w: it was altered", ErrBackup)
	}
	if _, err := in.r.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows its end", ErrBackup)
	}
	return nil
}
