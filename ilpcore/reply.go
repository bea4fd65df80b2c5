package ilpcore

// This file is the codec of the two answers, ILP Fulfill and ILP Reject (RFC 27).

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	// ErrMessageTooLong says that the message of a Reject holds more than 8191 bytes.
	ErrMessageTooLong = errors.New("the message is longer than 8191 bytes")
	// ErrTriggeredBy says that triggeredBy is longer than 1023 bytes or holds something else than visible ASCII.
	ErrTriggeredBy = errors.New("triggeredBy is not an ILP address")
)

// DecodeReply reads a Fulfill or a Reject. Data aliases b; a Fulfill is read without allocating. Other implementations put odd
// things in a Reject, and losing one would hide why a payment failed: so any code of three visible ASCII characters and
// any triggeredBy of up to 1023 of them are taken, and bytes of the message that are not UTF-8 become "?". Bytes after the
// packet, and after the last field inside it, are ignored. The fulfillment is not checked here.
func DecodeReply(b []byte) (Reply, error) {
	r := NewReader(b)
	kind := r.Uint8()
	contents := r.VarOctets()
	if err := r.Err(); err != nil {
		return Reply{}, err
	}
	switch kind {
	case TypeFulfill:
		return decodeFulfill(contents)
	case TypeReject:
		return decodeReject(contents)
	}
	return Reply{}, ErrType
}

func decodeFulfill(contents []byte) (Reply, error) {
	r := NewReader(contents)
	reply := Reply{Fulfilled: true}
	copy(reply.Fulfillment[:], r.Bytes(32))
	reply.Data = r.VarOctets()
	if err := r.Err(); err != nil {
		return Reply{}, err
	}
	if len(reply.Data) > MaxData {
		return Reply{}, ErrDataTooLong
	}
	return reply, nil
}

func decodeReject(contents []byte) (Reply, error) {
	r := NewReader(contents)
	var reply Reply
	copy(reply.Code[:], r.Bytes(3))
	triggeredBy := r.VarOctets()
	message := r.VarOctets()
	reply.Data = r.VarOctets()
	if err := r.Err(); err != nil {
		return Reply{}, err
	}
	switch {
	case !reply.Code.valid():
		return Reply{}, ErrCode
	case !validTriggeredBy(triggeredBy):
		return Reply{}, ErrTriggeredBy
	case len(message) > MaxMessage:
		return Reply{}, ErrMessageTooLong
	case len(reply.Data) > MaxData:
		return Reply{}, ErrDataTooLong
	}
	reply.TriggeredBy = string(triggeredBy)
	reply.Message = text(message)
	return reply, nil
}

// Append appends the encoded Fulfill or Reject, at most MaxReplyLength bytes, in at most one allocation. On error dst comes
// back as it was: ErrDataTooLong, ErrMessageTooLong, ErrCode or ErrTriggeredBy.
func (r *Reply) Append(dst []byte) ([]byte, error) {
	if len(r.Data) > MaxData {
		return dst, ErrDataTooLong
	}
	if r.Fulfilled {
		size := len(r.Fulfillment) + VarOctetsSize(len(r.Data))
		dst = slices.Grow(dst, 1+VarOctetsSize(size))
		dst = AppendLength(append(dst, TypeFulfill), size)
		dst = append(dst, r.Fulfillment[:]...)
		return AppendVarOctets(dst, r.Data), nil
	}
	switch {
	case !r.Code.valid():
		return dst, ErrCode
	case !validTriggeredBy(r.TriggeredBy):
		return dst, ErrTriggeredBy
	case len(r.Message) > MaxMessage:
		return dst, ErrMessageTooLong
	}
	size := len(r.Code) + VarOctetsSize(len(r.TriggeredBy)) + VarOctetsSize(len(r.Message)) + VarOctetsSize(len(r.Data))
	dst = slices.Grow(dst, 1+VarOctetsSize(size))
	dst = AppendLength(append(dst, TypeReject), size)
	dst = append(dst, r.Code[:]...)
	dst = AppendVarOctets(dst, r.TriggeredBy)
	dst = AppendVarOctets(dst, r.Message)
	return AppendVarOctets(dst, r.Data), nil
}

// validTriggeredBy asks for less than an address, but for nothing that could break a log line or a header.
func validTriggeredBy[T ~string | ~[]byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= MaxAddress
}

// text returns b as a string of valid UTF-8 that is no longer than b.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "?")
}
