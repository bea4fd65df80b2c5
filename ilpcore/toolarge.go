package ilpcore

// This file is the data of an F08 (Amount Too Large) Reject (RFC 27, section "F08 Amount Too Large Error Data").

import (
	"encoding/binary"
	"errors"

	"github.com/paydoor/paydoor/amount"
)

// ErrAmountTooLarge says that the data of an F08 is shorter than 16 bytes or contradicts itself.
var ErrAmountTooLarge = errors.New("the data of F08 is not a received and a lower maximum amount")

// AmountTooLarge is the data of an F08. Both amounts count units of the link on which the rejecting node received the packet, so a
// sender uses only their quotient.
type AmountTooLarge struct {
	Received amount.Amount // what arrived
	Maximum  amount.Amount // what would have been taken; lower than Received
}

// DecodeAmountTooLarge reads the data of an F08; bytes after the first 16 are ignored. The data is the word of a stranger: a maximum
// that is not below the amount received is refused. Nodes may leave the data out, then the sender has to probe.
func DecodeAmountTooLarge(data []byte) (AmountTooLarge, error) {
	r := NewReader(data)
	a := AmountTooLarge{Received: amount.Amount(r.Uint64()), Maximum: amount.Amount(r.Uint64())}
	if r.Err() != nil || a.Maximum >= a.Received {
		return AmountTooLarge{}, ErrAmountTooLarge
	}
	return a, nil
}

// Append appends the 16 bytes.
func (a AmountTooLarge) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(a.Received))
	return binary.BigEndian.AppendUint64(dst, uint64(a.Maximum))
}
