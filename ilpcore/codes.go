package ilpcore

// This file holds the registered ILP error codes (RFC 27, section "ILP Error Codes") and their names.

import (
	"errors"
	"fmt"
)

// ErrCode says that an error code is not three visible ASCII characters.
var ErrCode = errors.New("an ILP error code is three visible ASCII characters")

// Final errors: the sender does not retry the same packet.
var (
	F00 = Code{'F', '0', '0'} // Bad Request
	F01 = Code{'F', '0', '1'} // Invalid Packet
	F02 = Code{'F', '0', '2'} // Unreachable
	F03 = Code{'F', '0', '3'} // Invalid Amount
	F04 = Code{'F', '0', '4'} // Insufficient Destination Amount
	F05 = Code{'F', '0', '5'} // Wrong Condition
	F06 = Code{'F', '0', '6'} // Unexpected Payment
	F07 = Code{'F', '0', '7'} // Cannot Receive
	F08 = Code{'F', '0', '8'} // Amount Too Large; the data may hold AmountTooLarge
	F99 = Code{'F', '9', '9'} // Application Error; the data is the application's
)

// Temporary errors: the sender may retry later.
var (
	T00 = Code{'T', '0', '0'} // Internal Error
	T01 = Code{'T', '0', '1'} // Peer Unreachable
	T02 = Code{'T', '0', '2'} // Peer Busy
	T03 = Code{'T', '0', '3'} // Connector Busy
	T04 = Code{'T', '0', '4'} // Insufficient Liquidity
	T05 = Code{'T', '0', '5'} // Rate Limited
	T99 = Code{'T', '9', '9'} // Application Error
)

// Relative errors: the sender may retry with more margin of time or amount.
var (
	R00 = Code{'R', '0', '0'} // Transfer Timed Out
	R01 = Code{'R', '0', '1'} // Insufficient Source Amount
	R02 = Code{'R', '0', '2'} // Insufficient Timeout
	R99 = Code{'R', '9', '9'} // Application Error
)

// ParseCode reads a three-character code such as "F02", registered or not. The error is ErrCode.
func ParseCode(s string) (Code, error) {
	if len(s) != 3 {
		return Code{}, fmt.Errorf("%w, not %d", ErrCode, len(s))
	}
	c := Code{s[0], s[1], s[2]}
	if !c.valid() {
		return Code{}, ErrCode
	}
	return c, nil
}

// String returns the three characters.
func (c Code) String() string { return string(c[:]) }

// Name returns the code's name in the registry, such as "Unreachable", or "" for a code that is not registered.
func (c Code) Name() string {
	switch c {
	case F00:
		return "Bad Request"
	case F01:
		return "Invalid Packet"
	case F02:
		return "Unreachable"
	case F03:
		return "Invalid Amount"
	case F04:
		return "Insufficient Destination Amount"
	case F05:
		return "Wrong Condition"
	case F06:
		return "Unexpected Payment"
	case F07:
		return "Cannot Receive"
	case F08:
		return "Amount Too Large"
	case T00:
		return "Internal Error"
	case T01:
		return "Peer Unreachable"
	case T02:
		return "Peer Busy"
	case T03:
		return "Connector Busy"
	case T04:
		return "Insufficient Liquidity"
	case T05:
		return "Rate Limited"
	case R00:
		return "Transfer Timed Out"
	case R01:
		return "Insufficient Source Amount"
	case R02:
		return "Insufficient Timeout"
	case F99, T99, R99:
		return "Application Error"
	}
	return ""
}

// Final reports whether the class of the code, registered or not, forbids sending the same packet again.
func (c Code) Final() bool { return c[0] == 'F' }

// Temporary reports whether the class of the code lets the sender try again later.
func (c Code) Temporary() bool { return c[0] == 'T' }

// Relative reports whether the class of the code lets the sender try again with more margin.
func (c Code) Relative() bool { return c[0] == 'R' }

// valid reports whether all three characters are visible ASCII.
func (c Code) valid() bool {
	for _, b := range c {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}
