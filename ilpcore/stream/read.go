package stream

// This file reads a packet's head and frames, and the fields of each frame; bytes after a frame's last field are ignored.

import (
	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// read fills p from a plaintext, except where it returns an error.
func (p *Packet) read(b []byte) error {
	if len(b) < 2 {
		return ErrHead
	}
	if b[0] != version {
		return ErrVersion
	}
	p.Type = b[1]
	if p.Type < ilpcore.TypePrepare || p.Type > ilpcore.TypeReject {
		return ErrPacketType
	}
	r := ilpcore.NewReader(b[2:])
	p.Sequence = r.VarUint()
	p.PrepareAmount = amount.Amount(r.VarUint())
	count := r.VarUint()
	if r.Err() != nil {
		return ErrHead
	}
	// A frame takes at least two bytes, which bounds the count by what is really there.
	if count > uint64(r.Len()/2) {
		return ErrFrames
	}
	p.frames, p.count = r.Rest(), int(count)
	return p.check(&r)
}

// check reads the frames once, so that nobody who walks them later meets an error.
func (p *Packet) check(r *ilpcore.Reader) error {
	for range p.count {
		f := readFrame(r)
		if r.Err() != nil {
			return ErrFrames
		}
		if !f.Type.known() {
			p.unknown++
		} else if !f.readable() {
			return ErrFrame
		}
	}
	return nil
}

func readFrame(r *ilpcore.Reader) Frame {
	return Frame{Type: FrameType(r.Uint8()), contents: r.VarOctets()}
}

// readable says whether the contents of f hold all the fields of its type.
func (f Frame) readable() bool {
	r := ilpcore.NewReader(f.contents)
	switch f.Type {
	case FrameConnectionClose:
		readConnectionClose(&r)
	case FrameConnectionNewAddress:
		readConnectionNewAddress(&r)
	case FrameConnectionMaxData, FrameConnectionDataBlocked, FrameConnectionMaxStreamID, FrameConnectionStreamIDBlocked:
		r.VarUint()
	case FrameConnectionAssetDetails:
		readConnectionAssetDetails(&r)
	case FrameStreamClose:
		readStreamClose(&r)
	case FrameStreamMoney:
		readStreamMoney(&r)
	case FrameStreamMaxMoney:
		readStreamMaxMoney(&r)
	case FrameStreamMoneyBlocked:
		readStreamMoneyBlocked(&r)
	case FrameStreamData:
		readStreamData(&r)
	case FrameStreamMaxData:
		readStreamMaxData(&r)
	case FrameStreamDataBlocked:
		readStreamDataBlocked(&r)
	case FrameStreamReceipt:
		readStreamReceipt(&r)
	}
	return r.Err() == nil
}

// The fields of a composite literal are read in the order in which they are written here, which is their order on the wire.

func readConnectionClose(r *ilpcore.Reader) ConnectionClose {
	return ConnectionClose{Code: ErrorCode(r.Uint8()), Message: r.VarOctets()}
}

func readConnectionNewAddress(r *ilpcore.Reader) ConnectionNewAddress {
	return ConnectionNewAddress{Address: r.VarOctets()}
}

func readConnectionAssetDetails(r *ilpcore.Reader) ConnectionAssetDetails {
	return ConnectionAssetDetails{Code: r.VarOctets(), Scale: r.Uint8()}
}

func readStreamClose(r *ilpcore.Reader) StreamClose {
	return StreamClose{StreamID: r.VarUint(), Code: ErrorCode(r.Uint8()), Message: r.VarOctets()}
}

func readStreamMoney(r *ilpcore.Reader) StreamMoney {
	return StreamMoney{StreamID: r.VarUint(), Shares: r.VarUint()}
}

// ReceiveMax, and SendMax below, may be written with more than 64 bits (RFC 29, section 5.1.4).
func readStreamMaxMoney(r *ilpcore.Reader) StreamMaxMoney {
	return StreamMaxMoney{
		StreamID:      r.VarUint(),
		ReceiveMax:    amount.Amount(r.VarUintSaturating()),
		TotalReceived: amount.Amount(r.VarUint()),
	}
}

func readStreamMoneyBlocked(r *ilpcore.Reader) StreamMoneyBlocked {
	return StreamMoneyBlocked{
		StreamID:  r.VarUint(),
		SendMax:   amount.Amount(r.VarUintSaturating()),
		TotalSent: amount.Amount(r.VarUint()),
	}
}

func readStreamData(r *ilpcore.Reader) StreamData {
	return StreamData{StreamID: r.VarUint(), Offset: r.VarUint(), Data: r.VarOctets()}
}

func readStreamMaxData(r *ilpcore.Reader) StreamMaxData {
	return StreamMaxData{StreamID: r.VarUint(), MaxOffset: r.VarUint()}
}

func readStreamDataBlocked(r *ilpcore.Reader) StreamDataBlocked {
	return StreamDataBlocked{StreamID: r.VarUint(), MaxOffset: r.VarUint()}
}

func readStreamReceipt(r *ilpcore.Reader) StreamReceipt {
	return StreamReceipt{StreamID: r.VarUint(), Receipt: r.VarOctets()}
}
