package stream

// This file writes a packet, frame by frame, into a buffer of the caller.

import (
	"errors"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// MaxPlaintext is the longest plaintext whose envelope fits the data field of an ILP packet, in bytes.
const MaxPlaintext = ilpcore.MaxData - ilpcore.EnvelopeOverhead

// ErrTooLong says that a built packet is longer than MaxPlaintext.
var ErrTooLong = errors.New("stream: packet does not fit an ILP packet")

// Builder builds the plaintext of one packet. Begin makes one, each method named like a frame adds that frame, and Finish
// returns the plaintext. It allocates only when the buffer is too small. A Builder belongs to one goroutine.
type Builder struct {
	buf    []byte
	start  int // of the packet in buf
	count  int // where the frame count stands in buf
	frames int
}

// Begin starts a packet at the end of dst. packetType is that of the ILP packet which will carry it (12, 13 or 14).
// minimum is, in a Prepare, the least that the receiver should accept; in a reply it is what arrived (RFC 29, section 5.2).
func Begin(dst []byte, packetType uint8, sequence uint64, minimum amount.Amount) Builder {
	b := Builder{start: len(dst)}
	dst = append(dst, version, packetType)
	dst = ilpcore.AppendVarUint(dst, sequence)
	dst = ilpcore.AppendVarUint(dst, uint64(minimum))
	b.count = len(dst)
	b.buf = append(dst, 1, 0)
	return b
}

// Finish ends the packet and returns the buffer given to Begin with the packet appended, or ErrTooLong. It is called once.
func (b *Builder) Finish() ([]byte, error) {
	b.writeCount()
	if len(b.buf)-b.start > MaxPlaintext {
		return nil, ErrTooLong
	}
	return b.buf, nil
}

// ConnectionClose adds a ConnectionClose frame.
func (b *Builder) ConnectionClose(f ConnectionClose) {
	at := b.open(FrameConnectionClose)
	b.buf = append(b.buf, uint8(f.Code))
	b.octets(f.Message)
	b.close(at)
}

// ConnectionNewAddress adds a ConnectionNewAddress frame.
func (b *Builder) ConnectionNewAddress(f ConnectionNewAddress) {
	at := b.open(FrameConnectionNewAddress)
	b.octets(f.Address)
	b.close(at)
}

// ConnectionMaxData adds a ConnectionMaxData frame.
func (b *Builder) ConnectionMaxData(f ConnectionMaxData) {
	b.one(FrameConnectionMaxData, f.MaxOffset)
}

// ConnectionDataBlocked adds a ConnectionDataBlocked frame.
func (b *Builder) ConnectionDataBlocked(f ConnectionDataBlocked) {
	b.one(FrameConnectionDataBlocked, f.MaxOffset)
}

// ConnectionMaxStreamID adds a ConnectionMaxStreamId frame.
func (b *Builder) ConnectionMaxStreamID(f ConnectionMaxStreamID) {
	b.one(FrameConnectionMaxStreamID, f.MaxStreamID)
}

// ConnectionStreamIDBlocked adds a ConnectionStreamIdBlocked frame.
func (b *Builder) ConnectionStreamIDBlocked(f ConnectionStreamIDBlocked) {
	b.one(FrameConnectionStreamIDBlocked, f.MaxStreamID)
}

// ConnectionAssetDetails adds a ConnectionAssetDetails frame.
func (b *Builder) ConnectionAssetDetails(f ConnectionAssetDetails) {
	at := b.open(FrameConnectionAssetDetails)
	b.octets(f.Code)
	b.buf = append(b.buf, f.Scale)
	b.close(at)
}

// StreamClose adds a StreamClose frame.
func (b *Builder) StreamClose(f StreamClose) {
	at := b.open(FrameStreamClose)
	b.uint(f.StreamID)
	b.buf = append(b.buf, uint8(f.Code))
	b.octets(f.Message)
	b.close(at)
}

// StreamMoney adds a StreamMoney frame.
func (b *Builder) StreamMoney(f StreamMoney) {
	b.two(FrameStreamMoney, f.StreamID, f.Shares)
}

// StreamMaxMoney adds a StreamMaxMoney frame.
func (b *Builder) StreamMaxMoney(f StreamMaxMoney) {
	b.three(FrameStreamMaxMoney, f.StreamID, uint64(f.ReceiveMax), uint64(f.TotalReceived))
}

// StreamMoneyBlocked adds a StreamMoneyBlocked frame.
func (b *Builder) StreamMoneyBlocked(f StreamMoneyBlocked) {
	b.three(FrameStreamMoneyBlocked, f.StreamID, uint64(f.SendMax), uint64(f.TotalSent))
}

// StreamData adds a StreamData frame.
func (b *Builder) StreamData(f StreamData) {
	at := b.open(FrameStreamData)
	b.uint(f.StreamID)
	b.uint(f.Offset)
	b.octets(f.Data)
	b.close(at)
}

// StreamMaxData adds a StreamMaxData frame.
func (b *Builder) StreamMaxData(f StreamMaxData) {
	b.two(FrameStreamMaxData, f.StreamID, f.MaxOffset)
}

// StreamDataBlocked adds a StreamDataBlocked frame.
func (b *Builder) StreamDataBlocked(f StreamDataBlocked) {
	b.two(FrameStreamDataBlocked, f.StreamID, f.MaxOffset)
}

// StreamReceipt adds a StreamReceipt frame.
func (b *Builder) StreamReceipt(f StreamReceipt) {
	at := b.open(FrameStreamReceipt)
	b.uint(f.StreamID)
	b.octets(f.Receipt)
	b.close(at)
}

// one adds a frame of one number.
func (b *Builder) one(t FrameType, n uint64) {
	at := b.open(t)
	b.uint(n)
	b.close(at)
}

// two adds a frame of two numbers.
func (b *Builder) two(t FrameType, n, m uint64) {
	at := b.open(t)
	b.uint(n)
	b.uint(m)
	b.close(at)
}

// three adds a frame of three numbers.
func (b *Builder) three(t FrameType, n, m, o uint64) {
	at := b.open(t)
	b.uint(n)
	b.uint(m)
	b.uint(o)
	b.close(at)
}

func (b *Builder) uint(n uint64)   { b.buf = ilpcore.AppendVarUint(b.buf, n) }
func (b *Builder) octets(p []byte) { b.buf = ilpcore.AppendVarOctets(b.buf, p) }

// open writes the frame's type and leaves one byte for its length; it returns where the contents begin.
func (b *Builder) open(t FrameType) int {
	b.buf = append(b.buf, uint8(t), 0)
	b.frames++
	return len(b.buf)
}

// close writes the length of the contents that begin at at. Long contents move over to make room for a long length.
func (b *Builder) close(at int) {
	var room [9]byte
	length := ilpcore.AppendLength(room[:0], len(b.buf)-at)
	b.buf[at-1] = length[0]
	b.insert(at, length[1:])
}

// writeCount writes the number of frames; up to 255 fit the place that Begin left.
func (b *Builder) writeCount() {
	var room [9]byte
	count := ilpcore.AppendVarUint(room[:0], uint64(b.frames))
	copy(b.buf[b.count:], count[:2])
	b.insert(b.count+2, count[2:])
}

// insert moves what follows at over and puts p there.
func (b *Builder) insert(at int, p []byte) {
	if len(p) == 0 {
		return
	}
	b.buf = append(b.buf, p...)
	copy(b.buf[at+len(p):], b.buf[at:])
	copy(b.buf[at:], p)
}
