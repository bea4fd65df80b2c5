package receiver

// This file reads from a packet's frames what the receiver answers to.

import (
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// askedFrames is what the frames of one packet say, in one pass and without keeping any of them.
type askedFrames struct {
	newAddress  bool
	close       bool
	streams     uint32           // bit n: stream n is spoken of
	money       uint64           // the lowest stream that gets money; 0: none
	shares      uint64           // of all streams together
	overflow    bool             // the shares do not fit 64 bits
	window      uint64           // the highest StreamMaxData: it grows once the sender has read what it was sent
	wrongStream stream.ErrorCode // an id that a sender may not use
}

func readFrames(packet *stream.Packet) (a askedFrames) {
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
	return a
}

// stream notes an id. Senders open odd streams up to the maximum; the even ones would be ours, and we open none.
func (a *askedFrames) stream(id uint64) {
	switch {
	case id%2 == 0:
		a.wrongStream = stream.ProtocolViolation
	case id > maxStreamID:
		if a.wrongStream == 0 {
			a.wrongStream = stream.StreamIDError
		}
	default:
		a.streams |= 1 << id
	}
}

func (a *askedFrames) addMoney(f stream.StreamMoney) {
	if a.money == 0 || f.StreamID < a.money {
		a.money = f.StreamID
	}
	sum := a.shares + f.Shares
	a.overflow = a.overflow || sum < a.shares
	a.shares = sum
}

func (a *askedFrames) has(id uint64) bool { return a.streams&(1<<id) != 0 }

// sharesMakeSense says whether money can be given to the streams by their shares. Money without any stream named is fine: there
// is one payee behind all of them.
func (a *askedFrames) sharesMakeSense() bool {
	return !a.overflow && (a.money == 0 || a.shares > 0)
}
