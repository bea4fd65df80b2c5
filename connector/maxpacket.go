package connector

// This file bounds how much one packet may carry.

import (
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// maxPacket answers F08 to a Prepare for more than max. The data tells the sender both amounts, in the units of this account
// (RFC 27, section "F08 Amount Too Large Error Data").
type maxPacket struct {
	max  amount.Amount
	self func() string
}

func (m *maxPacket) enter(units amount.Amount, _, _ time.Time) *ilpcore.Reply {
	if units > m.max {
		data := ilpcore.AmountTooLarge{Received: units, Maximum: m.max}.Append(nil)
		reply := ilpcore.Reject(ilpcore.F08, m.self(), "the packet is larger than this account allows; send smaller ones", data)
		return &reply
	}
	return nil
}

func (*maxPacket) leave(amount.Amount, bool) {}

var _ step = (*maxPacket)(nil)
