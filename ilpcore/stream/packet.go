package stream

// This file reads a packet's plaintext: its head, and the frames one by one.

import (
	"errors"
	"iter"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// version is the only version of STREAM.
const version = 1

// What Decode refuses. All of them mean that the other side, which holds the shared secret, speaks no STREAM we know.
var (
	ErrVersion    = errors.New("stream: unknown version")
	ErrPacketType = errors.New("stream: packet type is not that of the ILP packet around it")
	ErrSequence   = errors.New("stream: reply to another packet")
	ErrHead       = errors.New("stream: malformed packet head")
	ErrFrames     = errors.New("stream: the frames do not fit the packet")
	ErrFrame      = errors.New("stream: malformed frame")
)

// Packet is the decoded plaintext of one packet (RFC 29, section 5.2).
type Packet struct {
	Type     uint8  // of the ILP packet that carries it: ilpcore.TypePrepare, TypeFulfill or TypeReject
	Sequence uint64 // counts the Prepares of one side of a connection; a reply repeats its Prepare's

	// PrepareAmount is, in a Prepare, the least that the receiver should accept; in a reply it is what arrived. It counts
	// base units of the receiver's asset.
	PrepareAmount amount.Amount

	frames  []byte // each checked by Decode
	count   int    // of the frames in it
	unknown int    // of those, the frames of unknown types
}

// Decode reads a plaintext of any of the three types. It checks every frame, so that Frames cannot fail half-way, ignores
// what follows the last one, and allocates nothing: the Packet aliases b. It takes time proportional to len(b), whatever b
// says about itself.
//
// The errors are ErrVersion, ErrPacketType, ErrHead, ErrFrames and ErrFrame.
func Decode(b []byte) (Packet, error) {
	var p Packet
	if err := p.read(b); err != nil {
		return Packet{}, err
	}
	return p, nil
}

// DecodeRequest reads a plaintext that came in a Prepare.
func DecodeRequest(b []byte) (Packet, error) {
	var p Packet
	if err := p.read(b); err != nil {
		return Packet{}, err
	}
	if p.Type != ilpcore.TypePrepare {
		return Packet{}, ErrPacketType
	}
	return p, nil
}

// DecodeReply reads a plaintext that came in the reply to the Prepare whose packet had the given sequence. A node on the way
// can swap the data of two replies, or of a Fulfill and a Reject, but not alter them: ErrPacketType and ErrSequence find that.
func DecodeReply(b []byte, fulfilled bool, sequence uint64) (Packet, error) {
	var p Packet
	if err := p.read(b); err != nil {
		return Packet{}, err
	}
	if p.Type == ilpcore.TypePrepare || (p.Type == ilpcore.TypeFulfill) != fulfilled {
		return Packet{}, ErrPacketType
	}
	if p.Sequence != sequence {
		return Packet{}, ErrSequence
	}
	return p, nil
}

// Frames yields the frames of known types in the order of the packet. It allocates nothing.
func (p Packet) Frames() iter.Seq[Frame] {
	return func(yield func(Frame) bool) {
		r := ilpcore.NewReader(p.frames)
		for range p.count {
			if f := readFrame(&r); f.Type.known() && !yield(f) {
				return
			}
		}
	}
}

// FrameCount returns how many frames the packet has, with those of unknown types.
func (p Packet) FrameCount() int { return p.count }

// UnknownFrames returns how many frames have a type that RFC 29 does not name; Frames leaves them out.
func (p Packet) UnknownFrames() int { return p.unknown }
