package caddymodule

// This file lends the ledger to the receiver.

import (
	"context"
	"errors"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
)

// crediter is the receiver's Crediter.
type crediter struct {
	running   *running
	addresses receiver.Addresses
}

// Credit books a payment in the node's asset of that moment. The ledger refuses it if its balances are in another.
func (c *crediter) Credit(ctx context.Context, credit receiver.Credit) (repeated bool, err error) {
	b, held, err := c.running.lease()
	if err != nil {
		return false, receiver.ErrUnavailable
	}
	defer held.end()
	_, asset, ok := c.addresses.Address()
	if !ok {
		return false, receiver.ErrUnavailable
	}
	if err := b.pin(asset); err != nil {
		return false, err
	}
	with := balances.Credit{
		Account: credit.Payee.ID, Amount: credit.Amount, Condition: credit.Condition, Digest: credit.Digest,
		Deadline: credit.Deadline, Max: c.running.settings.maxBalance,
	}
	if debit := connector.DebitIn(ctx, b.store); debit != nil {
		with.Along = debit
	}
	repeated, err = b.ledger.Credit(ctx, with)
	if err == nil && !repeated && credit.Amount > 0 {
		c.count(b, credit, asset)
	}
	return repeated, receiverError(err)
}

func (c *crediter) count(b *books, credit receiver.Credit, asset ilpcore.Asset) {
	if t := b.tally.Load(); t != nil {
		t.credited.add(credit.Amount)
	}
	if credit.Quote != [8]byte{} && b.conversions.paid(credit.Quote, credit.Amount, credit.Due) {
		counts.conversions.Add(1)
	}
	c.running.app.announceCredit(credit.Payee.ID, credit.Amount, asset, credit.From)
}

func (c *crediter) Lookup(ctx context.Context, condition [32]byte) (digest [32]byte, found bool, err error) {
	b, held, err := c.running.lease()
	if err != nil {
		return digest, false, receiver.ErrUnavailable
	}
	defer held.end()
	return b.ledger.Lookup(ctx, condition)
}

// pin makes asset what the ledger counts, or is balances.ErrAsset.
func (b *books) pin(asset ilpcore.Asset) error {
	if err := b.ledger.PinAsset(asset.Code, asset.Scale); err != nil {
		return err
	}
	if t := b.tally.Load(); t == nil || t.asset != asset {
		b.tally.Store(tallyOf(asset))
	}
	return nil
}

// receiverError says in the receiver's words what the ledger answered.
func receiverError(err error) error {
	for _, pair := range []struct{ ours, theirs error }{
		{balances.ErrTooLate, receiver.ErrTooLate},
		{balances.ErrMismatch, receiver.ErrMismatch},
		{balances.ErrBusy, receiver.ErrBusy},
		{balances.ErrMaxBalance, receiver.ErrMaxBalance},
	} {
		if errors.Is(err, pair.ours) {
			return pair.theirs
		}
	}
	return err
}

var _ receiver.Crediter = (*crediter)(nil)
