package payer

// This file sends money by PSK2 (RFC 25): ask for the rate with one packet that cannot be fulfilled, then pay with another.

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
)

var (
	// ErrRejected says that a packet was rejected; the error that wraps it is a *RejectError.
	ErrRejected = errors.New("the packet was rejected")
	// ErrTooExpensive says that the payment would cost more than the sender allows. Nothing was sent.
	ErrTooExpensive = errors.New("the payment costs more than allowed")
	// ErrNoRate says that the receiver did not tell how much arrives.
	ErrNoRate = errors.New("the receiver did not tell how much arrives")
	// ErrUnverified says that a fulfillment does not belong to the condition: the payment did not happen.
	ErrUnverified = errors.New("the fulfillment does not match the condition")
)

// RejectError is a Reject that ended a payment.
type RejectError struct {
	Code        ilpcore.Code
	TriggeredBy string
	Message     string
}

// Error says which node rejected, with what.
func (e *RejectError) Error() string {
	return fmt.Sprintf("%v: %s %s: %s (from %s)", ErrRejected, e.Code, e.Code.Name(), e.Message, e.TriggeredBy)
}

// Unwrap makes a RejectError an ErrRejected.
func (e *RejectError) Unwrap() error { return ErrRejected }

// packetLifetime is how long a packet may be under way.
const packetLifetime = 30 * time.Second

// probeAmount is what the quote packet offers, in base units of the sender: enough for four digits of the rate.
const probeAmount = 1000

// PSK2 sends payments. Link, Random and Now are required. It is safe for concurrent use.
type PSK2 struct {
	Link   ilpcore.Handler
	Random io.Reader // cryptographically secure
	Now    func() time.Time
	Max    amount.Amount // the most that a payment may cost, in base units of the sender; 0: no limit
}

// Receipt says what a payment did.
type Receipt struct {
	Sent      amount.Amount // in base units of the sender
	Delivered amount.Amount // in base units of the receiver, as it says itself
}

// Pay delivers at least due to what ask names, in one packet whose memo is token (seed 003, section 2.3). An error that is not
// about the link means that nothing was paid.
func (s PSK2) Pay(ctx context.Context, ask Ask, due amount.Amount, token []byte) (Receipt, error) {
	cost, err := s.Cost(ctx, ask, due)
	if err != nil {
		return Receipt{}, err
	}
	if s.Max > 0 && cost > s.Max {
		return Receipt{}, fmt.Errorf("%w: %s for %s, and the limit is %s", ErrTooExpensive, cost, due, s.Max)
	}
	keys := psk2.Keys(ask.Secret)
	id, data, err := s.request(keys, due, token)
	if err != nil {
		return Receipt{}, err
	}
	fulfillment := keys.Fulfillment(data)
	reply := s.send(ctx, ask, cost, ilpcore.ConditionOf(fulfillment), data)
	if !reply.Fulfilled {
		return Receipt{}, &RejectError{Code: reply.Code, TriggeredBy: reply.TriggeredBy, Message: reply.Message}
	}
	if reply.Fulfillment != fulfillment {
		return Receipt{}, ErrUnverified
	}
	receipt := Receipt{Sent: cost, Delivered: due}
	if arrived, ok := arrivedAmount(keys, reply.Data, psk2.TypeResponse, id); ok {
		receipt.Delivered = arrived
	}
	return receipt, nil
}

// Cost asks what it costs to deliver due, in base units of the sender, rounded up. Nothing is paid.
func (s PSK2) Cost(ctx context.Context, ask Ask, due amount.Amount) (amount.Amount, error) {
	keys := psk2.Keys(ask.Secret)
	id, data, err := s.request(keys, 0, nil)
	if err != nil {
		return 0, err
	}
	var condition [32]byte
	if _, err := io.ReadFull(s.Random, condition[:]); err != nil {
		return 0, fmt.Errorf("making a condition: %w", err)
	}
	reply := s.send(ctx, ask, probeAmount, condition, data)
	if reply.Fulfilled {
		return 0, ErrUnverified
	}
	arrived, ok := arrivedAmount(keys, reply.Data, psk2.TypeError, id)
	if !ok {
		return 0, &RejectError{Code: reply.Code, TriggeredBy: reply.TriggeredBy, Message: reply.Message}
	}
	if arrived == 0 {
		return 0, ErrNoRate
	}
	return divideUp(due, probeAmount, arrived)
}

// divideUp returns ceil(n*m/d).
func divideUp(n amount.Amount, m uint64, d amount.Amount) (amount.Amount, error) {
	hi, lo := bits.Mul64(uint64(n), m)
	lo, carry := bits.Add64(lo, uint64(d)-1, 0)
	hi += carry
	if hi >= uint64(d) {
		return 0, amount.ErrRange
	}
	q, _ := bits.Div64(hi, lo, uint64(d))
	return amount.Amount(q), nil
}

// request builds and encrypts a PSK2 request.
func (s PSK2) request(keys *ilpcore.EndToEnd, least amount.Amount, memo []byte) (id uint32, data []byte, err error) {
	var random [4]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return 0, nil, fmt.Errorf("making a request id: %w", err)
	}
	packet := psk2.Packet{Type: psk2.TypeRequest, RequestID: binary.BigEndian.Uint32(random[:]), Amount: least, Data: memo}
	plain, err := packet.Append(nil)
	if err != nil {
		return 0, nil, fmt.Errorf("building the request: %w", err)
	}
	if data, err = keys.Seal(nil, plain, s.Random); err != nil {
		return 0, nil, fmt.Errorf("encrypting the request: %w", err)
	}
	return packet.RequestID, data, nil
}

func (s PSK2) send(ctx context.Context, ask Ask, n amount.Amount, condition [sha256.Size]byte, data []byte) ilpcore.Reply {
	return s.Link.HandlePrepare(ctx, ilpcore.Incoming{Prepare: ilpcore.Prepare{
		Amount: n, ExpiresAt: s.Now().Add(packetLifetime).UTC().Truncate(time.Millisecond), Condition: condition,
		Destination: []byte(ask.Address), Data: data,
	}})
}

// arrivedAmount reads the receiver's own word on how much arrived.
func arrivedAmount(keys *ilpcore.EndToEnd, data []byte, kind uint8, id uint32) (amount.Amount, bool) {
	plain, err := keys.Open(nil, data)
	if err != nil {
		return 0, false
	}
	answer, err := psk2.Decode(plain)
	if err != nil || answer.Type != kind || answer.RequestID != id {
		return 0, false
	}
	return answer.Amount, true
}
