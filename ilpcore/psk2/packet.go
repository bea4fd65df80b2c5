package psk2

// This file is the codec of the packets: type, request id, amount, data, and junk that is ignored.

import (
	"encoding/binary"
	"errors"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// The packet types of RFC 25. Each belongs in one kind of ILP packet.
const (
	TypeRequest  = 4 // in a Prepare
	TypeResponse = 5 // in a Fulfill
	TypeError    = 6 // in a Reject
)

// The packet types of the chunked protocol that PSK2 was before its requests. They are recognised, not read.
const (
	LegacyChunk       = 0
	LegacyLastChunk   = 1
	LegacyFulfillment = 2
	LegacyReject      = 3
)

// What Decode and its two companions refuse.
var (
	// ErrLegacy says that a packet is of the older chunk types. A receiver answers F06 with empty data, which tells the sender
	// that requests are what is spoken here.
	ErrLegacy    = errors.New("psk2: a packet of the older chunk types")
	ErrType      = errors.New("psk2: a packet type that does not belong here")
	ErrRequestID = errors.New("psk2: the reply to another request")
	ErrMalformed = errors.New("psk2: malformed packet")
	// ErrTooLong says that a packet to be written does not fit the data field of an ILP packet.
	ErrTooLong = errors.New("psk2: the packet does not fit an ILP packet")
)

// MaxData is the longest data that fits a packet, in bytes.
const MaxData = ilpcore.MaxData - ilpcore.EnvelopeOverhead - headLength - 3

// headLength is the length of type, request id and amount.
const headLength = 1 + 4 + 8

// Packet is one decoded plaintext.
type Packet struct {
	Type      uint8  // TypeRequest, TypeResponse or TypeError
	RequestID uint32 // chosen by the sender; the reply repeats it

	// Amount is, in a request, the least that the receiver should accept (real senders put 0 when they only ask for the rate);
	// in a reply it is what arrived. It counts base units of the receiver's asset.
	Amount amount.Amount

	Data []byte // the application's, 0 to MaxData bytes; in a decoded packet it aliases the plaintext
}

// Decode reads a plaintext of any of the three types. It ignores what follows the data, and allocates nothing. The errors are
// ErrLegacy, ErrType and ErrMalformed.
func Decode(b []byte) (Packet, error) {
	r := ilpcore.NewReader(b)
	p := Packet{Type: r.Uint8()}
	switch {
	case len(b) == 0:
		return Packet{}, ErrMalformed
	case p.Type <= LegacyReject:
		return Packet{}, ErrLegacy
	case p.Type > TypeError:
		return Packet{}, ErrType
	}
	p.RequestID = r.Uint32()
	p.Amount = amount.Amount(r.Uint64())
	p.Data = r.VarOctets()
	if r.Err() != nil {
		return Packet{}, ErrMalformed
	}
	return p, nil
}

// DecodeRequest reads a plaintext that came in a Prepare.
func DecodeRequest(b []byte) (Packet, error) {
	p, err := Decode(b)
	if err != nil {
		return Packet{}, err
	}
	if p.Type != TypeRequest {
		return Packet{}, ErrType
	}
	return p, nil
}

// DecodeReply reads a plaintext that came in the reply to a request with the given id. A node on the way can swap the data of
// two replies, or of a Fulfill and a Reject, but not alter them: ErrType and ErrRequestID find that.
func DecodeReply(b []byte, fulfilled bool, requestID uint32) (Packet, error) {
	p, err := Decode(b)
	if err != nil {
		return Packet{}, err
	}
	if p.Type == TypeRequest || (p.Type == TypeResponse) != fulfilled {
		return Packet{}, ErrType
	}
	if p.RequestID != requestID {
		return Packet{}, ErrRequestID
	}
	return p, nil
}

// Reply returns a packet of type TypeResponse or TypeError that answers p and says how much arrived. It has no data.
func (p Packet) Reply(packetType uint8, arrived amount.Amount) Packet {
	return Packet{Type: packetType, RequestID: p.RequestID, Amount: arrived}
}

// Append appends the encoded packet to dst. The error is ErrType, when the type is none of the three, or ErrTooLong; then dst
// comes back as it was.
func (p Packet) Append(dst []byte) ([]byte, error) {
	if p.Type < TypeRequest || p.Type > TypeError {
		return dst, ErrType
	}
	if len(p.Data) > MaxData {
		return dst, ErrTooLong
	}
	dst = append(dst, p.Type)
	dst = binary.BigEndian.AppendUint32(dst, p.RequestID)
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.Amount))
	return ilpcore.AppendVarOctets(dst, p.Data), nil
}
