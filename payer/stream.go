package payer

// This file is what a user of the STREAM sender sees: a payment, its limits, and what came of it.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

var (
	// ErrPayment says that a Payment cannot be made as it is described. Nothing was sent.
	ErrPayment = errors.New("the payment is not described well")
	// ErrRate says that less arrives than the least that the sender accepts.
	ErrRate = errors.New("the exchange rate is below the least that is accepted")
	// ErrMaxSend says that the payment would need more than MaxSend. Nothing above it was sent.
	ErrMaxSend = errors.New("the payment needs more than its maximum")
	// ErrReceiveMax says that the receiver takes no more than it has.
	ErrReceiveMax = errors.New("the receiver takes no more")
	// ErrStalled says that no packet was fulfilled for too long. It wraps the last rejection, if there was one.
	ErrStalled = errors.New("the payment made no progress")
	// ErrClosed says that the receiver ended the connection before everything was paid.
	ErrClosed = errors.New("the receiver closed the connection")
	// ErrUnderpaid says that the receiver fulfilled a packet although less arrived, by its own word, than the packet allows.
	ErrUnderpaid = errors.New("the receiver fulfilled a packet of which too little arrived")
	// ErrReceipt says that a Fulfill came without the receipt that was agreed on.
	ErrReceipt = errors.New("the receiver gave no valid receipt")
	// ErrUnknown says that nobody told what became of a part of the money, Result.Unknown; all the rest was paid.
	ErrUnknown = errors.New("what became of a part of the payment is not known")
	// ErrTooManyPackets says that the connection has used up the 2^31 packets that one secret may encrypt (RFC 29).
	ErrTooManyPackets = errors.New("the payment needs more than 2147483648 packets")
)

// Stream sends payments by STREAM (RFC 29) in as many packets as it takes, several of them in flight. Link, Random and Now are
// required. It is safe for concurrent use, and its goroutines end before Pay returns.
type Stream struct {
	Link   ilpcore.Handler
	Random io.Reader // cryptographically secure
	Now    func() time.Time

	InFlight int           // the most packets in flight, 1 to 1000; 0: 64
	GiveUp   time.Duration // how long a payment goes on while nothing is fulfilled; 0: 30 s
}

// Payment is what is to be paid. Exactly one of Send and Deliver is set.
type Payment struct {
	Address ilpcore.Address
	Secret  []byte // shared with the receiver, normally 32 bytes

	Send    amount.Amount // fixed source amount: this much leaves, in base units of the sender
	Deliver amount.Amount // fixed delivery: this much arrives, in base units of the receiver

	// MaxSend is the most that may leave, in base units of the sender; 0: no limit but Send. What is in flight and what was sent
	// with an unknown outcome count against it, so it is never exceeded.
	MaxSend amount.Amount
	// MinRate is the least that has to arrive for what is sent; the zero value asks for nothing.
	MinRate Rate
	// LeastRate, if set, is asked for another MinRate when the receiver has said what it counts, before any money is sent; the
	// higher holds. Its error ends the payment.
	LeastRate func(counts ilpcore.Asset) (Rate, error)
	// Slippage is how far below the rate that was measured first a packet may be, in parts per million; 0: 10,000, which is 1 %.
	// Of MinRate and the measured rate less the slippage the higher holds, for each packet, rounded down to a base unit.
	Slippage uint32

	// Approve, if set, is asked before any money of a fixed delivery is sent, with what it costs at the measured rate. Its error
	// ends the payment; else the cost becomes MaxSend.
	Approve func(cost amount.Amount) error

	// Own is told to the receiver as the sender's address. Leave it empty, unless packets to it are answered.
	Own ilpcore.Address
	// Receipts, if set, are expected with every Fulfill.
	Receipts *ReceiptTerms
	// Progress, if set, is called after each fulfilled packet, by the goroutine that called Pay.
	Progress func(Result)

	open *opening // nil: pay and be done
}

// NoSlippage is a Slippage of none at all. Nodes round down, so payments in several steps mostly need a little.
const NoSlippage = 1<<32 - 1

// ReceiptTerms say which receipts (RFC 39) a receiver was set up to give.
type ReceiptTerms struct {
	Nonce  [16]byte
	Secret []byte // 32 bytes; nil: unknown here, so that only the nonce can be compared
}

// Result says what a payment did, also one that failed.
type Result struct {
	Sent      amount.Amount // of fulfilled packets, in base units of the sender
	Delivered amount.Amount // in base units of the receiver, as its authenticated replies say
	// Unknown is the amount of packets whose outcome nobody told: they may have been paid, or not. It is not part of Sent.
	Unknown amount.Amount
	// Doubtful is when the last of those packets expires; after it none can be paid any more.
	Doubtful time.Time

	Fulfilled int // packets that were paid
	Rejected  int // packets with money that were not
	Probes    int // packets that nobody could fulfill, to measure the way

	DestinationAsset *ilpcore.Asset // what the receiver counts, as it says; nil: it did not say
	Receipt          []byte         // the latest receipt, 58 bytes; nil: none
}

// Pay makes the payment. The Result holds also when there is an error. A fixed send leaves what would not even become one base
// unit of the receiver; a fixed delivery delivers no less, and more by less than what one base unit of the sender is worth or one of
// the receiver's, except for packets whose outcome is unknown.
//
// Errors are the sentinels of this package, a *RejectError, or that of ctx. When ctx ends, no packet is sent any more, and the
// answers to those in flight are awaited for five seconds.
func (s Stream) Pay(ctx context.Context, p Payment) (Result, error) {
	if err := p.check(); err != nil {
		return Result{}, err
	}
	if s.InFlight == 0 {
		s.InFlight = 64
	}
	if s.InFlight < 1 || s.InFlight > 1000 {
		return Result{}, fmt.Errorf("%w: InFlight is %d, not from 1 to 1000", ErrPayment, s.InFlight)
	}
	if s.GiveUp == 0 {
		s.GiveUp = 30 * time.Second
	}
	switch p.Slippage {
	case 0:
		p.Slippage = 10_000
	case NoSlippage:
		p.Slippage = 0
	}
	c := newConnection(ctx, s, p)
	defer c.end()
	if err := c.measure(); err != nil {
		return c.result, err
	}
	err := c.transfer()
	return c.result, err
}

func (p *Payment) check() error {
	switch {
	case !p.Address.Valid():
		return fmt.Errorf("%w: %w", ErrPayment, ilpcore.ErrAddress)
	case len(p.Secret) < 16:
		return fmt.Errorf("%w: the shared secret has fewer than 16 bytes", ErrPayment)
	case (p.Send == 0) == (p.Deliver == 0):
		return fmt.Errorf("%w: set either the amount to send or the amount to deliver", ErrPayment)
	case p.MinRate.Den == 0 && p.MinRate.Num != 0:
		return fmt.Errorf("%w: the least rate %s is no fraction", ErrPayment, p.MinRate)
	case p.Own != "" && !p.Own.Valid():
		return fmt.Errorf("%w: the sender's own address: %w", ErrPayment, ilpcore.ErrAddress)
	case p.MaxSend != 0 && p.Send > p.MaxSend:
		return fmt.Errorf("%w: %s is to be sent, and the limit is %s", ErrMaxSend, p.Send, p.MaxSend)
	}
	return nil
}

// limit returns the most that the payment may send.
func (p *Payment) limit() amount.Amount {
	switch {
	case p.Send != 0:
		return p.Send
	case p.MaxSend != 0:
		return p.MaxSend
	}
	return amount.Max
}

// least returns the least that has to arrive of a packet of n: 1 at least, since no packet with money should arrive empty.
func (c *connection) least(n amount.Amount) amount.Amount {
	return max(1, c.payment.MinRate.Of(n), c.slipped.Of(n))
}

// checkReceipt notes the receipt of a Fulfill, and says whether it is what was agreed on.
func (c *connection) checkReceipt(receipt []byte) bool {
	terms := c.payment.Receipts
	nonce, ok := stream.ReceiptNonce(receipt)
	if !ok {
		return terms == nil
	}
	if terms != nil {
		if nonce != terms.Nonce {
			return false
		}
		if len(terms.Secret) > 0 {
			if r, err := stream.VerifyReceipt(receipt, terms.Secret); err != nil || r.StreamID != moneyStream {
				return false
			}
		}
	}
	// The totals stand at a fixed place, and the latest receipt is the one with the highest.
	if c.result.Receipt == nil || string(receiptTotal(receipt)) >= string(receiptTotal(c.result.Receipt)) {
		c.result.Receipt = append([]byte(nil), receipt...)
	}
	return true
}

func receiptTotal(receipt []byte) []byte { return receipt[18:26] }
