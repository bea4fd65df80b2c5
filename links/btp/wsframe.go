package btp

// This file is the WebSocket frame on the wire (RFC 6455, section 5). A library that hands out one message at a time, with a reader and locks
// for each, takes longer over a packet than all that the node does with it.

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// The opcodes (RFC 6455, section 5.2). From opClose on they are control frames.
const (
	opContinue = 0
	opText     = 1
	opBinary   = 2
	opClose    = 8
	opPing     = 9
	opPong     = 10
)

// The status codes that this node sends and looks for (section 7.4.1).
const (
	statusGoingAway = 1001
	statusProtocol  = 1002
	statusNone      = 1005 // a Close without status; never sent
	statusText      = 1007
	statusPolicy    = 1008
	statusTooBig    = 1009
)

const (
	maxControl = 125
	maxHead    = 2 + 8 + 4
)

// violation is an error of the peer that ends the connection, and the status that tells it.
type violation struct {
	status uint16
	text   string
}

func (v violation) Error() string { return "the peer broke the WebSocket protocol: " + v.text }

var (
	errReserved = violation{statusProtocol, "a frame has reserved bits or an unknown opcode"}
	errControl  = violation{statusProtocol, "a control frame is in fragments or too long"}
	errLength   = violation{statusProtocol, "a frame's length is not in its shortest form"}
	errMask     = violation{statusProtocol, "only frames of the side that dialled are masked"}
	errFragment = violation{statusProtocol, "the fragments of a message do not follow each other"}
	errStatus   = violation{statusProtocol, "a Close has no valid status"}
	errUTF8     = violation{statusText, "the reason of a Close is not UTF-8"}
	errTooBig   = violation{statusTooBig, "a message is too long"}
)

// frameHead is what precedes the payload of a frame.
type frameHead struct {
	opcode byte
	final  bool
	masked bool
	key    [4]byte
	length uint64
}

// decode reads the head at the beginning of b, and returns its size; 0 when b is too short to say.
func (h *frameHead) decode(b []byte) (size int, err error) {
	if len(b) < 2 {
		return 0, nil
	}
	*h = frameHead{opcode: b[0] & 0x0f, final: b[0]&0x80 != 0, masked: b[1]&0x80 != 0, length: uint64(b[1] & 0x7f)}
	switch {
	case b[0]&0x70 != 0 || h.opcode > opPong || h.opcode > opBinary && h.opcode < opClose:
		return 0, errReserved
	case h.opcode >= opClose && (!h.final || h.length > maxControl):
		return 0, errControl
	}
	size = 2
	switch h.length {
	case 126:
		if len(b) < 4 {
			return 0, nil
		}
		if h.length, size = uint64(binary.BigEndian.Uint16(b[2:])), 4; h.length < 126 {
			return 0, errLength
		}
	case 127:
		if len(b) < 10 {
			return 0, nil
		}
		if h.length, size = binary.BigEndian.Uint64(b[2:]), 10; h.length < 1<<16 || h.length > 1<<63-1 {
			return 0, errLength
		}
	}
	if !h.masked {
		return size, nil
	}
	if len(b) < size+4 {
		return 0, nil
	}
	h.key = [4]byte(b[size:])
	return size + 4, nil
}

// appendFrame appends a whole message, or a control frame of at most 125 bytes, masked if there is a key.
func appendFrame(dst []byte, opcode byte, key *[4]byte, payload []byte) []byte {
	masked := byte(0)
	if key != nil {
		masked = 0x80
	}
	dst = append(dst, 0x80|opcode)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, masked|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, masked|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, masked|127), uint64(n))
	}
	if key == nil {
		return append(dst, payload...)
	}
	dst = append(dst, key[:]...)
	from := len(dst)
	dst = append(dst, payload...)
	mask(dst[from:], *key)
	return dst
}

// mask masks or unmasks a payload (section 5.3).
func mask(b []byte, key [4]byte) {
	four := binary.NativeEndian.Uint32(key[:])
	eight := uint64(four)<<32 | uint64(four)
	for len(b) >= 8 {
		binary.NativeEndian.PutUint64(b, binary.NativeEndian.Uint64(b)^eight)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= key[i%4]
	}
}

// peerClosed is the end of a connection that the peer has announced.
type peerClosed struct{ status uint16 }

func (peerClosed) Error() string { return "the peer closed the connection" }

// parseClose reads the payload of a Close: a peerClosed, or what is wrong with it (section 5.5.1).
func parseClose(payload []byte) error {
	if len(payload) == 0 {
		return peerClosed{statusNone}
	}
	if len(payload) == 1 {
		return errStatus
	}
	status := binary.BigEndian.Uint16(payload)
	switch {
	case status < 1000 || status >= 5000 || status >= 1015 && status < 3000 || status >= 1004 && status <= 1006:
		return errStatus
	case !utf8.Valid(payload[2:]):
		return errUTF8
	}
	return peerClosed{status}
}

// closeStatus returns the status with which to answer what ended a connection; false when the peer is gone.
func closeStatus(err error) (status uint16, ok bool) {
	if v, is := errors.AsType[violation](err); is {
		return v.status, true
	}
	c, is := errors.AsType[peerClosed](err)
	return c.status, is
}

// appendClose appends the payload of a Close. The reason is cut to what fits.
func appendClose(dst []byte, status uint16, reason string) []byte {
	if status == statusNone {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, status)
	return append(dst, reason[:min(len(reason), maxControl-2)]...)
}
