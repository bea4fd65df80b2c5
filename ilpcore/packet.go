package ilpcore

// This file declares the three ILPv4 packets (RFC 27); prepare.go and reply.go hold their codecs.

import (
	"crypto/sha256"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// The ILPv4 packet types, the first byte of each packet.
const (
	TypePrepare = 12
	TypeFulfill = 13
	TypeReject  = 14
)

// Limits of RFC 27, in bytes.
const (
	MaxData          = 32767 // the data field of every packet
	MaxMessage       = 8191  // the message of a Reject
	MaxAddress       = 1023  // an ILP address
	MaxPrepareLength = 33857 // a whole Prepare
	MaxReplyLength   = 41997 // a whole Fulfill or Reject
)

// Prepare is a conditional payment (RFC 27, section "ILP Prepare"). Destination and Data alias the buffer it was decoded from.
type Prepare struct {
	Amount      amount.Amount // in base units of the account it came in on, or goes out on
	ExpiresAt   time.Time     // UTC, millisecond precision
	Condition   [32]byte      // SHA-256 of the fulfillment
	Destination []byte        // a valid ILP address
	Data        []byte        // 0 to 32767 bytes, end to end
}

// Reply is the answer to a Prepare: a Fulfill when Fulfilled is set, else a Reject.
type Reply struct {
	Fulfilled   bool
	Fulfillment [32]byte // of a Fulfill: the preimage of the condition

	Code        Code   // of a Reject
	TriggeredBy string // of a Reject: the address of the node that made it; may be empty
	Message     string // of a Reject: UTF-8 for people, 0 to 8191 bytes

	Data []byte // 0 to 32767 bytes, end to end

	// Trail is what the link ilpheaders tells of a Reject that came over it; nil otherwise. Whoever passes the Reply on passes it on as it
	// is and changes nothing in it. Binary packets have no room for it.
	Trail *RejectTrail
}

// RejectTrail is the way of a Reject so far (ILP over HTTP, draft 1, section "Error").
type RejectTrail struct {
	TriggeredAt time.Time // when the Reject was made, UTC, millisecond precision; zero when that was not told
	ForwardedBy []Address // the nodes that passed it on, the one next to its origin first
}

// Fulfill returns the Reply that hands over the fulfillment.
func Fulfill(fulfillment [32]byte, data []byte) Reply {
	return Reply{Fulfilled: true, Fulfillment: fulfillment, Data: data}
}

// Reject returns the Reply that refuses with code. The message is for people: it says what happened, and never holds a secret.
func Reject(code Code, triggeredBy, message string, data []byte) Reply {
	return Reply{Code: code, TriggeredBy: triggeredBy, Message: message, Data: data}
}

// Code is an ILP error code such as F02 (RFC 27, section "ILP Error Codes").
type Code [3]byte

// ConditionOf returns the condition that fulfillment fulfills: its SHA-256.
func ConditionOf(fulfillment [32]byte) [32]byte { return sha256.Sum256(fulfillment[:]) }
