// Package rig is what the programs below bench have in common: they build the gateway, and play its neighbours and the payers.
package rig

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
)

// Payment is one packet as PSK2 senders craft it (RFC 25).
type Payment struct {
	Packet      []byte // the Prepare
	Condition   [32]byte
	Fulfillment [32]byte

	plain []byte
}

// Craft makes the packet that pays n to the address whose secret keys is made of. Its memory is used again by the next call.
func (p *Payment) Craft(keys *ilpcore.EndToEnd, address ilpcore.Address, n amount.Amount, expiresAt time.Time, random io.Reader) error {
	request := psk2.Packet{Type: psk2.TypeRequest, RequestID: 1, Amount: n}
	var err error
	if p.plain, err = request.Append(p.plain[:0]); err != nil {
		return err
	}
	data, err := keys.Seal(nil, p.plain, random)
	if err != nil {
		return err
	}
	p.Fulfillment = keys.Fulfillment(data)
	p.Condition = ilpcore.ConditionOf(p.Fulfillment)
	prepare := ilpcore.Prepare{
		Amount: n, ExpiresAt: expiresAt.UTC().Truncate(time.Millisecond),
		Condition: p.Condition, Destination: []byte(address), Data: data,
	}
	p.Packet, err = prepare.Append(p.Packet[:0])
	return err
}

// Check wants the Fulfill that belongs to the packet.
func (p *Payment) Check(answer []byte) error {
	reply, err := ilpcore.DecodeReply(answer)
	switch {
	case err != nil:
		return fmt.Errorf("a packet's answer: %w", err)
	case !reply.Fulfilled:
		return fmt.Errorf("a packet was rejected: %s %s", reply.Code, reply.Message)
	case reply.Fulfillment != p.Fulfillment:
		return errors.New("a packet was answered with a wrong fulfillment")
	}
	return nil
}
