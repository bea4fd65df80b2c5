package stream

// This file holds one struct for each frame: what it says and in which units (RFC 29, section 5.3).

import "github.com/paydoor/paydoor/amount"

// In a decoded frame every []byte aliases the packet's plaintext and is unchecked text from the other side: neither its
// alphabet nor its length was judged.

// ConnectionClose ends the connection.
type ConnectionClose struct {
	Code    ErrorCode
	Message []byte // UTF-8 for people
}

// ConnectionNewAddress tells the ILP address at which the sender of the frame can be reached.
type ConnectionNewAddress struct {
	Address []byte // an ILP address, or empty
}

// ConnectionMaxData tells how many bytes of data the sender of the frame accepts over all streams.
type ConnectionMaxData struct {
	MaxOffset uint64 // bytes since the connection began
}

// ConnectionDataBlocked tells that more data waits than the other side's ConnectionMaxData allows.
type ConnectionDataBlocked struct {
	MaxOffset uint64 // bytes since the connection began, with what waits
}

// ConnectionMaxStreamID tells the highest stream id the sender of the frame accepts.
type ConnectionMaxStreamID struct {
	MaxStreamID uint64
}

// ConnectionStreamIDBlocked tells that a stream would be opened if the other side's ConnectionMaxStreamID allowed it.
type ConnectionStreamIDBlocked struct {
	MaxStreamID uint64 // the id that is wanted
}

// ConnectionAssetDetails tells the asset that the sender of the frame counts in. It cannot change during a connection.
type ConnectionAssetDetails struct {
	Code  []byte // such as USD, UTF-8
	Scale uint8  // one unit of the asset is 10^Scale base units
}

// StreamClose ends one stream.
type StreamClose struct {
	StreamID uint64
	Code     ErrorCode
	Message  []byte // UTF-8 for people
}

// StreamMoney gives a stream its part of the packet's amount: Shares divided by the sum of all Shares in the packet.
type StreamMoney struct {
	StreamID uint64
	Shares   uint64
}

// StreamMaxMoney tells how much a stream accepts in all and how much it has received. Both count base units of the asset
// of the frame's sender. ReceiveMax above 2^64-1 on the wire reads as 2^64-1.
type StreamMaxMoney struct {
	StreamID      uint64
	ReceiveMax    amount.Amount
	TotalReceived amount.Amount
}

// StreamMoneyBlocked tells that more money waits than the other side's StreamMaxMoney allows. Both amounts count base
// units of the asset of the frame's sender. SendMax above 2^64-1 on the wire reads as 2^64-1.
type StreamMoneyBlocked struct {
	StreamID  uint64
	SendMax   amount.Amount
	TotalSent amount.Amount
}

// StreamData carries bytes of a stream.
type StreamData struct {
	StreamID uint64
	Offset   uint64 // of Data's first byte, in bytes since the stream began
	Data     []byte
}

// StreamMaxData tells how many bytes of data a stream accepts.
type StreamMaxData struct {
	StreamID  uint64
	MaxOffset uint64 // bytes since the stream began
}

// StreamDataBlocked tells that more data waits than the other side's StreamMaxData allows.
type StreamDataBlocked struct {
	StreamID  uint64
	MaxOffset uint64 // bytes since the stream began, with what waits
}

// StreamReceipt proves to a third party how much a stream has received (RFC 39); VerifyReceipt reads the Receipt.
type StreamReceipt struct {
	StreamID uint64
	Receipt  []byte // 58 bytes if well-formed
}
