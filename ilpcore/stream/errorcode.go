package stream

// This file names the reasons for which a connection or a stream is closed (RFC 29, section 5.4).

import "strconv"

// ErrorCode is the reason in a ConnectionClose or StreamClose frame. Codes without a name are passed on as they are.
type ErrorCode uint8

// The error codes of RFC 29.
const (
	NoError           ErrorCode = 0x01 // closed normally
	InternalError     ErrorCode = 0x02 // the endpoint failed
	EndpointBusy      ErrorCode = 0x03 // the endpoint has no capacity now
	FlowControlError  ErrorCode = 0x04 // more money or data was sent than allowed
	StreamIDError     ErrorCode = 0x05 // a stream id above the maximum
	StreamStateError  ErrorCode = 0x06 // a frame for a stream that is closed
	FrameFormatError  ErrorCode = 0x07 // a frame that cannot be read or has impossible values
	ProtocolViolation ErrorCode = 0x08 // any other breach of the protocol
	ApplicationError  ErrorCode = 0x09 // the application on top of STREAM failed
)

// String returns the RFC's name of c, or its number if it has none.
func (c ErrorCode) String() string {
	if c >= NoError && c <= ApplicationError {
		return errorNames[c-NoError]
	}
	return strconv.FormatUint(uint64(c), 10)
}

var errorNames = [...]string{
	"NoError", "InternalError", "EndpointBusy", "FlowControlError", "StreamIdError", "StreamStateError", "FrameFormatError",
	"ProtocolViolation", "ApplicationError",
}
