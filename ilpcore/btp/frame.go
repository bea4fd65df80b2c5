package btp

// This file is the codec of the BTP frame: type, request id and a body that depends on the type.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// The frame types of BTP 2.0. Types 3 to 5 belonged to BTP 1.0.
const (
	TypeResponse = 1
	TypeError    = 2
	TypeMessage  = 6
	TypeTransfer = 7
)

// Limits of what is decoded and encoded, beyond which a frame is refused.
const (
	// MaxFrame bounds a whole frame, in bytes: the largest ILP packet fits with room for other entries.
	MaxFrame = 64 << 10
	// MaxEntries bounds the sub-protocol entries of one frame. Real frames have one, and three when they authenticate.
	MaxEntries = 32
	// MaxName bounds the name of an entry or of an error, in bytes.
	MaxName = 128
	// MaxErrorData bounds the data of an Error, in bytes (RFC 23).
	MaxErrorData = 8192
)

var (
	// ErrType says that a frame is none of Response, Error, Message and Transfer.
	ErrType = errors.New("not a type of BTP 2.0")
	// ErrEntries says that a frame counts more than 32 sub-protocol entries.
	ErrEntries = errors.New("a BTP frame has more than 32 entries")
	// ErrName says that the name of an entry or an error is empty, longer than 128 bytes or not visible ASCII.
	ErrName = errors.New("a name in a BTP frame is not 1 to 128 visible ASCII characters")
	// ErrErrorData says that the data of an Error is longer than 8192 bytes.
	ErrErrorData = errors.New("the data of a BTP Error is longer than 8192 bytes")
	// ErrTooLong says that a frame is longer than 64 KiB.
	ErrTooLong = errors.New("a BTP frame is longer than 64 KiB")
)

// Frame is one BTP packet, which is one binary WebSocket message.
type Frame struct {
	Type      uint8         // TypeResponse, TypeError, TypeMessage or TypeTransfer
	RequestID uint32        // chosen by who asks; the Response or Error repeats it
	Amount    amount.Amount // of a Transfer: base units of the link's asset
	Error     Error         // of an Error
	Entries   []Entry       // at most 32, in order
}

// Decode reads a frame into f and reuses the room of f.Entries, so that it allocates nothing once that is large enough and the
// names are known ones. The Data of f alias b. Bytes after the frame, and after the last field of its body, are ignored. On error
// f holds no frame.
func (f *Frame) Decode(b []byte) error {
	entries := f.Entries[:0]
	*f = Frame{Entries: entries}
	if len(b) > MaxFrame {
		return ErrTooLong
	}
	r := ilpcore.NewReader(b)
	kind, id := r.Uint8(), r.Uint32()
	body := ilpcore.NewReader(r.VarOctets())
	if err := r.Err(); err != nil {
		return err
	}
	var transferred amount.Amount
	var failure Error
	switch kind {
	case TypeResponse, TypeMessage:
	case TypeTransfer:
		transferred = amount.Amount(body.Uint64())
	case TypeError:
		if err := failure.decode(&body); err != nil {
			return err
		}
	default:
		return ErrType
	}
	entries, err := decodeEntries(&body, entries)
	if err != nil {
		return err
	}
	*f = Frame{Type: kind, RequestID: id, Amount: transferred, Error: failure, Entries: entries}
	return nil
}

// Append appends the encoded frame in at most one allocation. On error dst comes back as it was: ErrType, ErrEntries, ErrName,
// ErrErrorData, ErrTooLong, ilpcore.ErrCode or ilpcore.ErrTimestamp.
func (f *Frame) Append(dst []byte) ([]byte, error) {
	size, err := f.bodySize()
	if err != nil {
		return dst, err
	}
	if 5+ilpcore.VarOctetsSize(size) > MaxFrame {
		return dst, ErrTooLong
	}
	out := appendHead(dst, f.Type, f.RequestID, size)
	switch f.Type {
	case TypeTransfer:
		out = binary.BigEndian.AppendUint64(out, uint64(f.Amount))
	case TypeError:
		if out, err = f.Error.append(out); err != nil {
			return dst, fmt.Errorf("encode the time of a BTP Error: %w", err)
		}
	}
	return appendEntries(out, f.Entries), nil
}

// bodySize checks what Append is about to write and returns the size of the body.
func (f *Frame) bodySize() (int, error) {
	size, err := entriesSize(f.Entries)
	if err != nil {
		return 0, err
	}
	switch f.Type {
	case TypeResponse, TypeMessage:
		return size, nil
	case TypeTransfer:
		return size + 8, nil
	case TypeError:
		head, err := f.Error.size()
		return size + head, err
	}
	return 0, ErrType
}

// appendHead appends what precedes the body, and makes room for the body.
func appendHead(dst []byte, kind uint8, id uint32, body int) []byte {
	dst = slices.Grow(dst, 5+ilpcore.VarOctetsSize(body))
	dst = binary.BigEndian.AppendUint32(append(dst, kind), id)
	return ilpcore.AppendLength(dst, body)
}
