package stream

// This file names the frames of RFC 29, section 5.3, and gives typed access to the contents of a decoded one.

import (
	"strconv"

	"github.com/paydoor/paydoor/ilpcore"
)

// FrameType is the first byte of a frame.
type FrameType uint8

// The frame types of RFC 29.
const (
	FrameConnectionClose           FrameType = 0x01
	FrameConnectionNewAddress      FrameType = 0x02
	FrameConnectionMaxData         FrameType = 0x03
	FrameConnectionDataBlocked     FrameType = 0x04
	FrameConnectionMaxStreamID     FrameType = 0x05
	FrameConnectionStreamIDBlocked FrameType = 0x06
	FrameConnectionAssetDetails    FrameType = 0x07
	FrameStreamClose               FrameType = 0x10
	FrameStreamMoney               FrameType = 0x11
	FrameStreamMaxMoney            FrameType = 0x12
	FrameStreamMoneyBlocked        FrameType = 0x13
	FrameStreamData                FrameType = 0x14
	FrameStreamMaxData             FrameType = 0x15
	FrameStreamDataBlocked         FrameType = 0x16
	FrameStreamReceipt             FrameType = 0x17
)

// Frame is one decoded frame of a known type. Its contents alias the packet's plaintext and were checked by Decode.
//
// The method named like Type returns the frame's fields; on a Frame of another type it returns zeros.
type Frame struct {
	Type     FrameType
	contents []byte
}

// ConnectionClose returns the fields of a FrameConnectionClose.
func (f Frame) ConnectionClose() ConnectionClose {
	r := f.fields(FrameConnectionClose)
	return readConnectionClose(&r)
}

// ConnectionNewAddress returns the fields of a FrameConnectionNewAddress.
func (f Frame) ConnectionNewAddress() ConnectionNewAddress {
	r := f.fields(FrameConnectionNewAddress)
	return readConnectionNewAddress(&r)
}

// ConnectionMaxData returns the fields of a FrameConnectionMaxData.
func (f Frame) ConnectionMaxData() ConnectionMaxData {
	r := f.fields(FrameConnectionMaxData)
	return ConnectionMaxData{MaxOffset: r.VarUint()}
}

// ConnectionDataBlocked returns the fields of a FrameConnectionDataBlocked.
func (f Frame) ConnectionDataBlocked() ConnectionDataBlocked {
	r := f.fields(FrameConnectionDataBlocked)
	return ConnectionDataBlocked{MaxOffset: r.VarUint()}
}

// ConnectionMaxStreamID returns the fields of a FrameConnectionMaxStreamID.
func (f Frame) ConnectionMaxStreamID() ConnectionMaxStreamID {
	r := f.fields(FrameConnectionMaxStreamID)
	return ConnectionMaxStreamID{MaxStreamID: r.VarUint()}
}

// ConnectionStreamIDBlocked returns the fields of a FrameConnectionStreamIDBlocked.
func (f Frame) ConnectionStreamIDBlocked() ConnectionStreamIDBlocked {
	r := f.fields(FrameConnectionStreamIDBlocked)
	return ConnectionStreamIDBlocked{MaxStreamID: r.VarUint()}
}

// ConnectionAssetDetails returns the fields of a FrameConnectionAssetDetails.
func (f Frame) ConnectionAssetDetails() ConnectionAssetDetails {
	r := f.fields(FrameConnectionAssetDetails)
	return readConnectionAssetDetails(&r)
}

// StreamClose returns the fields of a FrameStreamClose.
func (f Frame) StreamClose() StreamClose {
	r := f.fields(FrameStreamClose)
	return readStreamClose(&r)
}

// StreamMoney returns the fields of a FrameStreamMoney.
func (f Frame) StreamMoney() StreamMoney {
	r := f.fields(FrameStreamMoney)
	return readStreamMoney(&r)
}

// StreamMaxMoney returns the fields of a FrameStreamMaxMoney.
func (f Frame) StreamMaxMoney() StreamMaxMoney {
	r := f.fields(FrameStreamMaxMoney)
	return readStreamMaxMoney(&r)
}

// StreamMoneyBlocked returns the fields of a FrameStreamMoneyBlocked.
func (f Frame) StreamMoneyBlocked() StreamMoneyBlocked {
	r := f.fields(FrameStreamMoneyBlocked)
	return readStreamMoneyBlocked(&r)
}

// StreamData returns the fields of a FrameStreamData.
func (f Frame) StreamData() StreamData {
	r := f.fields(FrameStreamData)
	return readStreamData(&r)
}

// StreamMaxData returns the fields of a FrameStreamMaxData.
func (f Frame) StreamMaxData() StreamMaxData {
	r := f.fields(FrameStreamMaxData)
	return readStreamMaxData(&r)
}

// StreamDataBlocked returns the fields of a FrameStreamDataBlocked.
func (f Frame) StreamDataBlocked() StreamDataBlocked {
	r := f.fields(FrameStreamDataBlocked)
	return readStreamDataBlocked(&r)
}

// StreamReceipt returns the fields of a FrameStreamReceipt.
func (f Frame) StreamReceipt() StreamReceipt {
	r := f.fields(FrameStreamReceipt)
	return readStreamReceipt(&r)
}

// fields returns a reader of the contents if f has type t, else one of nothing, from which every read is zero.
func (f Frame) fields(t FrameType) ilpcore.Reader {
	if f.Type != t {
		return ilpcore.NewReader(nil)
	}
	return ilpcore.NewReader(f.contents)
}

// known says whether RFC 29 names the type.
func (t FrameType) known() bool { return frameNames[t] != "" }

// String returns the RFC's name of t, or its number if it has none.
func (t FrameType) String() string {
	if t.known() {
		return frameNames[t]
	}
	return "0x" + strconv.FormatUint(uint64(t), 16)
}

var frameNames = [256]string{
	FrameConnectionClose:           "ConnectionClose",
	FrameConnectionNewAddress:      "ConnectionNewAddress",
	FrameConnectionMaxData:         "ConnectionMaxData",
	FrameConnectionDataBlocked:     "ConnectionDataBlocked",
	FrameConnectionMaxStreamID:     "ConnectionMaxStreamId",
	FrameConnectionStreamIDBlocked: "ConnectionStreamIdBlocked",
	FrameConnectionAssetDetails:    "ConnectionAssetDetails",
	FrameStreamClose:               "StreamClose",
	FrameStreamMoney:               "StreamMoney",
	FrameStreamMaxMoney:            "StreamMaxMoney",
	FrameStreamMoneyBlocked:        "StreamMoneyBlocked",
	FrameStreamData:                "StreamData",
	FrameStreamMaxData:             "StreamMaxData",
	FrameStreamDataBlocked:         "StreamDataBlocked",
	FrameStreamReceipt:             "StreamReceipt",
}
