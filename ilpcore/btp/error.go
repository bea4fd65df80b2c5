package btp

// This file is the Error frame: the registered codes, their names, and the body.

import (
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// Code is a BTP error code. It is written like an ILP error code, but the registry is another one (RFC 23, section "Error Codes").
type Code [3]byte

// The registered codes; there is no F02.
var (
	Unreachable         = Code{'T', '0', '0'} // the other side cannot reach something it needs; try again later
	NotAccepted         = Code{'F', '0', '0'} // refused, for example because the authentication failed
	InvalidFields       = Code{'F', '0', '1'} // a field is wrong
	TransferNotFound    = Code{'F', '0', '3'}
	InvalidFulfillment  = Code{'F', '0', '4'}
	DuplicateID         = Code{'F', '0', '5'}
	AlreadyRolledBack   = Code{'F', '0', '6'}
	AlreadyFulfilled    = Code{'F', '0', '7'}
	InsufficientBalance = Code{'F', '0', '8'}
)

// String returns the three characters.
func (c Code) String() string { return string(c[:]) }

// Name returns the registered name, such as "NotAcceptedError", or "" for a code that is not registered.
func (c Code) Name() string {
	switch c {
	case Unreachable:
		return "UnreachableError"
	case NotAccepted:
		return "NotAcceptedError"
	case InvalidFields:
		return "InvalidFieldsError"
	case TransferNotFound:
		return "TransferNotFoundError"
	case InvalidFulfillment:
		return "InvalidFulfillmentError"
	case DuplicateID:
		return "DuplicateIdError"
	case AlreadyRolledBack:
		return "AlreadyRolledBackError"
	case AlreadyFulfilled:
		return "AlreadyFulfilledError"
	case InsufficientBalance:
		return "InsufficientBalanceError"
	}
	return ""
}

// Error is the body of an Error frame.
type Error struct {
	Code        Code
	Name        string    // 1 to 128 visible ASCII characters
	TriggeredAt time.Time // UTC, millisecond precision; zero when what was received is no time
	Data        []byte    // up to 8192 bytes, mostly UTF-8 for people; aliases the frame it was decoded from
}

// NewError returns the Error frame that answers a request with a registered code. The data is for people and holds no secret.
func NewError(id uint32, code Code, data string, at time.Time) Frame {
	return Frame{Type: TypeError, RequestID: id, Error: Error{Code: code, Name: code.Name(), TriggeredAt: at, Data: []byte(data)}}
}

// Error returns code and name. The data, which the other side chose freely, stays out of it.
func (e *Error) Error() string { return "BTP error " + e.Code.String() + " " + e.Name }

// decode reads the fields in front of the entries.
func (e *Error) decode(r *ilpcore.Reader) error {
	code, name, at, data := r.Bytes(3), r.VarOctets(), r.VarOctets(), r.VarOctets()
	if err := r.Err(); err != nil {
		return err
	}
	if !validCode(Code(code)) {
		return ilpcore.ErrCode
	}
	if !validName(name) {
		return ErrName
	}
	if len(data) > MaxErrorData {
		return ErrErrorData
	}
	*e = Error{Code: Code(code), Name: string(name), Data: data}
	// A wrong clock or format at the other side is no reason to lose its error.
	if triggeredAt, err := ParseTime(at); err == nil {
		e.TriggeredAt = triggeredAt
	}
	return nil
}

// size returns how many bytes append appends, or the reason why it must not.
func (e *Error) size() (int, error) {
	switch {
	case !validCode(e.Code):
		return 0, ilpcore.ErrCode
	case !validName(e.Name):
		return 0, ErrName
	case len(e.Data) > MaxErrorData:
		return 0, ErrErrorData
	}
	return len(e.Code) + ilpcore.VarOctetsSize(len(e.Name)) + ilpcore.VarOctetsSize(timeLength) + ilpcore.VarOctetsSize(len(e.Data)), nil
}

func (e *Error) append(dst []byte) ([]byte, error) {
	dst = append(dst, e.Code[:]...)
	dst = ilpcore.AppendVarOctets(dst, e.Name)
	dst, err := AppendTime(ilpcore.AppendLength(dst, timeLength), e.TriggeredAt)
	if err != nil {
		return dst, err
	}
	return ilpcore.AppendVarOctets(dst, e.Data), nil
}

// validCode reports whether a code is three visible ASCII characters.
func validCode(c Code) bool { return validName(c[:]) }

var _ error = (*Error)(nil)
