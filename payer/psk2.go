package payer

// This file sends money by PSK2 (RFC 25): ask for the rate with one packet that cannot be fulfilled, then pay with another, or several.

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
	// ErrUnverified says that a fulfillment does not belong to the condition. Of money, nobody knows whether it was paid.
	ErrUnverified = errors.New("the fulfillment does not match the condition")
)

// RejectError is a Reject that ended a payment.
type RejectError struct {
	Code        ilpcore.Code
	TriggeredBy string
	Message     string
}

// Error says which node rejected, with what. The message is a stranger's, of up to 8 KiB.
func (e *RejectError) Error() string {
	return fmt.Sprintf("%v: %s %s: %.200q (from %.200s)", ErrRejected, e.Code, e.Code.Name(), e.Message, e.TriggeredBy)
}

// Unwrap makes a RejectError an ErrRejected.
func (e *RejectError) Unwrap() error { return ErrRejected }

// packetLifetime is how long a packet may be under way.
const packetLifetime = 30 * time.Second

// mostWaits is how often a payment waits and goes on after a temporary rejection.
const mostWaits = 6

// PSK2 sends payments. Link, Random and Now are required. It is safe for concurrent use.
type PSK2 struct {
	Link   ilpcore.Handler
	Random io.Reader // cryptographically secure
	Now    func() time.Time
	Max    amount.Amount // the most that a payment may cost, in base units of the sender; 0: no limit
	// Approve, if set, is asked before any money is sent, with what the payment costs. Its error ends the payment; else the cost
	// becomes Max.
	Approve func(cost amount.Amount) error
}

// Receipt says what a payment did, also one that failed half-way.
type Receipt struct {
	Sent      amount.Amount // in base units of the sender
	Delivered amount.Amount // in base units of the receiver, as it says itself
	Unknown   amount.Amount // not part of Sent: nobody told what became of it, or with a wrong fulfillment
}

// Pay delivers at least due to what ask names, with the memo token (seed 003, section 2.3): in one request, or, where a node on the way
// takes only smaller packets, in as many as it needs, one after the other. The Receipt says what was paid, also beside an error; only
// more than one request, or an unknown outcome, can leave an amount there then. When ctx ends, nothing is sent any more, and the answer to
// what is in flight is awaited for five seconds.
func (s PSK2) Pay(ctx context.Context, ask Ask, due amount.Amount, token []byte) (Receipt, error) {
	keys := psk2.Keys(ask.Secret)
	w, err := s.measure(ctx, keys, ask, due)
	if err != nil {
		return Receipt{}, err
	}
	cost, err := w.cost(due)
	if err != nil {
		return Receipt{}, err
	}
	if s.Max > 0 && cost > s.Max {
		return Receipt{}, fmt.Errorf("%w: %s for %s, and the limit is %s", ErrTooExpensive, cost, due, s.Max)
	}
	if s.Approve != nil {
		if err := s.Approve(cost); err != nil {
			return Receipt{}, err
		}
		s.Max = cost
	}
	return s.requests(ctx, keys, ask, w, due, token)
}

// requests makes as many requests as it takes, smaller ones after F08, and later after a temporary rejection.
func (s PSK2) requests(ctx context.Context, keys *ilpcore.EndToEnd, ask Ask, w way, due amount.Amount, token []byte) (receipt Receipt, err error) {
	for shrinks, waits := 0, 0; receipt.Delivered < due; {
		part := min(due-receipt.Delivered, w.rate.Of(w.largest))
		if part == 0 {
			return receipt, w.nothing()
		}
		err := s.request(ctx, keys, ask, w.rate, part, token, &receipt)
		tooLarge, _ := errors.AsType[*tooLargeError](err)
		reject, _ := errors.AsType[*RejectError](err)
		switch {
		case tooLarge != nil && shrinks < mostShrinks:
			shrinks++
			w.largest, err = tooLarge.smaller()
		case reject != nil && temporary(reject.Code) && receipt.Unknown == 0 && waits < mostWaits:
			err = wait(ctx, waits)
			waits++
		}
		if err != nil {
			return receipt, err
		}
	}
	return receipt, nil
}

// request delivers part with one packet, and adds it to the receipt.
func (s PSK2) request(ctx context.Context, keys *ilpcore.EndToEnd, ask Ask, rate Rate, part amount.Amount, token []byte, receipt *Receipt) error {
	cost, err := rate.For(part)
	if err != nil {
		return err
	}
	if left, ok := s.Max.Sub(receipt.Sent); s.Max > 0 && (!ok || cost > left) {
		return fmt.Errorf("%w of %s", ErrMaxSend, s.Max)
	}
	id, data, err := s.seal(keys, part, token)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	underway, landed := outlasting(ctx)
	defer landed()
	fulfillment := keys.Fulfillment(data)
	reply := s.send(underway, ask, cost, ilpcore.ConditionOf(fulfillment), data)
	switch {
	case reply.Fulfilled && reply.Fulfillment == fulfillment:
		arrived, ok := arrivedAmount(keys, reply.Data, psk2.TypeResponse, id)
		if !ok {
			arrived = part
		}
		receipt.Sent = receipt.Sent.Saturate(cost)
		receipt.Delivered = receipt.Delivered.Saturate(max(arrived, part)) // the fulfillment proves as much
		return nil
	case reply.Fulfilled:
		receipt.Unknown = cost // our neighbour may count it as paid
		return ErrUnverified
	case reply.Code == ilpcore.F08:
		return &tooLargeError{sent: cost, reply: reply}
	case unknown(reply):
		if _, told := arrivedAmount(keys, reply.Data, psk2.TypeError, id); !told { // by the receiver itself: it took nothing
			receipt.Unknown = cost
		}
	}
	return rejection(reply)
}

// outlasting returns the context of a packet with money: it ends drainTime after ctx, as what has left may be paid.
func outlasting(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	draining := make(chan *time.Timer, 1)
	stop := context.AfterFunc(ctx, func() { draining <- time.AfterFunc(drainTime, end) })
	return longer, func() {
		if !stop() {
			(<-draining).Stop()
		}
		end()
	}
}

// tooLargeError is an F08 for a packet of PSK2. It unwraps to the *RejectError.
type tooLargeError struct {
	sent  amount.Amount
	reply ilpcore.Reply
}

func (e *tooLargeError) Error() string { return rejection(e.reply).Error() }

// Unwrap makes it an ErrRejected.
func (e *tooLargeError) Unwrap() error { return rejection(e.reply) }

// smaller returns the size to try next: what the F08 claims if that is lower, else half.
func (e *tooLargeError) smaller() (amount.Amount, error) {
	size := e.sent / 2
	if claim, err := ilpcore.DecodeAmountTooLarge(e.reply.Data); err == nil {
		if m, _, ok := e.sent.MulDiv(uint64(claim.Maximum), uint64(claim.Received)); ok && m > 0 && m < e.sent {
			size = m
		}
	}
	if size == 0 {
		return 0, rejection(e.reply)
	}
	return size, nil
}

// Cost asks what it costs to deliver due, in base units of the sender, rounded up. Nothing is paid.
func (s PSK2) Cost(ctx context.Context, ask Ask, due amount.Amount) (amount.Amount, error) {
	w, err := s.measure(ctx, psk2.Keys(ask.Secret), ask, due)
	if err != nil {
		return 0, err
	}
	return w.cost(due)
}

// temporary says whether a packet that was rejected with the code may pass later.
func temporary(code ilpcore.Code) bool { return code[0] == 'T' }

// wait pauses, twice as long each time.
func wait(ctx context.Context, waits int) error {
	timer := time.NewTimer(firstPause << waits)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
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

// seal builds and encrypts a PSK2 request.
func (s PSK2) seal(keys *ilpcore.EndToEnd, least amount.Amount, memo []byte) (id uint32, data []byte, err error) {
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
