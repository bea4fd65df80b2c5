package receiver

// This file reads from a packet's frames what the receiver answers to.

import (
	"slices"

	"github.com/paydoor/paydoor/ilpcore/stream"
)

// The highest stream ids that this side grants. It keeps nothing of a stream, so a connection may open one for each of its packets: the first number is
// above all that it can send. Receipts count by stream, and have one byte for its id.
const (
	maxStreamID        = 1<<31 - 1
	maxReceiptStreamID = 1<<8 - 1
)

// mostNamed is how many streams of one packet are told what they may receive.
const mostNamed = 64

// askedFrames is what the frames of one packet say, in one pass and without keeping any of them.
type askedFrames struct {
	newAddress  bool
	close       bool
	highest     uint64 // that a stream's id may be
	named       [mostNamed]uint64
	count       int              // of named: the streams that are spoken of, the first few
	money       uint64           // the lowest stream that gets money; 0: none
	shares      uint64           // of all streams together
	overflow    bool             // the shares do not fit 64 bits
	window      uint64           // the highest StreamMaxData: it grows once the sender has read what it was sent
	wrongStream stream.ErrorCode // an id that a sender may not use
}

// read reads the frames of a packet to the quote.
func (a *askedFrames) read(packet *stream.Packet, q *terms) {
	a.highest = q.maxStreamID()
	for frame := range packet.Frames() {
		switch frame.Type {
		case stream.FrameConnectionNewAddress:
			a.newAddress = true
		case stream.FrameConnectionClose:
			a.close = true
		case stream.FrameStreamMoney:
			f := frame.StreamMoney()
			a.stream(f.StreamID)
			a.addMoney(f)
		case stream.FrameStreamClose:
			a.stream(frame.StreamClose().StreamID)
		case stream.FrameStreamMaxMoney:
			a.stream(frame.StreamMaxMoney().StreamID)
		case stream.FrameStreamMoneyBlocked:
			a.stream(frame.StreamMoneyBlocked().StreamID)
		case stream.FrameStreamData:
			a.stream(frame.StreamData().StreamID)
		case stream.FrameStreamMaxData:
			f := frame.StreamMaxData()
			a.stream(f.StreamID)
			a.window = max(a.window, f.MaxOffset)
		case stream.FrameStreamDataBlocked:
			a.stream(frame.StreamDataBlocked().StreamID)
		}
	}
}

// maxStreamID is the highest stream id that is granted to those who pay the quote.
func (t *terms) maxStreamID() uint64 {
	if t.receipts != nil {
		return maxReceiptStreamID
	}
	return maxStreamID
}

// stream notes an id. Senders open odd streams up to the maximum; the even ones would be ours, and we open none.
func (a *askedFrames) stream(id uint64) {
	switch {
	case id%2 == 0:
		a.wrongStream = stream.ProtocolViolation
	case id > a.highest:
		if a.wrongStream == 0 {
			a.wrongStream = stream.StreamIDError
		}
	case a.count < mostNamed && !slices.Contains(a.streams(), id):
		a.named[a.count] = id
		a.count++
	}
}

func (a *askedFrames) streams() []uint64 { return a.named[:a.count] }

func (a *askedFrames) addMoney(f stream.StreamMoney) {
	if a.money == 0 || f.StreamID < a.money {
		a.money = f.StreamID
	}
	sum := a.shares + f.Shares
	a.overflow = a.overflow || sum < a.shares
	a.shares = sum
}

// sharesMakeSense says whether money can be given to the streams by their shares. Money without any stream named is fine: there
// is one payee behind all of them.
func (a *askedFrames) sharesMakeSense() bool {
	return !a.overflow && (a.money == 0 || a.shares > 0)
}
