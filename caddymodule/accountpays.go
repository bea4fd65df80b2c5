package caddymodule

// This file pays for the accounts of the node (nodeapi.Sender): SPSP says where to, and STREAM sends the money, in packets of the account.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/internal/loopback"
	"github.com/paydoor/paydoor/nodeapi"
	"github.com/paydoor/paydoor/payer"
)

// sender pays over the node of one config. Whoever calls it keeps the books open.
type sender struct {
	node     *connector.Node
	rates    *connector.Rates
	private  bool // receivers may be on this machine and on private networks
	insecure bool // and without TLS on other machines
}

// Pay sends what o says. At least what the node's own rates give has to arrive, less the slippage; of a receiver that does not say what it
// counts, what was measured before any money was sent.
func (s *sender) Pay(ctx context.Context, o nodeapi.Outgoing) (d nodeapi.Delivery, err error) {
	link, err := s.node.Local(o.From)
	if err != nil {
		return d, err
	}
	if now, _ := s.node.Account(o.From); now.UUID != o.UUID {
		return d, errGone
	}
	to, receipts, err := s.resolve(ctx, o)
	if errors.Is(err, payer.ErrPrivateAddress) {
		err = fmt.Errorf("%w; the operator may write allow_private into ilp_node", err)
	}
	if err != nil {
		return d, err
	}
	slippage := o.Slippage
	if slippage == 0 {
		slippage = payer.NoSlippage
	}
	result, err := payer.Stream{Link: link, Random: rand.Reader, Now: time.Now}.Pay(ctx, payer.Payment{
		Address: to.Address, Secret: to.Secret, Send: o.Amount, Slippage: slippage,
		Receipts:  receipts,
		LeastRate: func(asset ilpcore.Asset) (payer.Rate, error) { return s.leastRate(o, asset) },
	})
	return nodeapi.Delivery{
		To: to.Address, Sent: result.Sent, InFlight: result.Unknown, Delivered: result.Delivered, Asset: result.DestinationAsset,
		Receipt: result.Receipt,
	}, err
}

// errGone says that an account was deleted before its payment began; a new one of its name does not pay for it.
var errGone = errors.New("the account is gone")

// errNoReceipts says that a receiver does not do what the payer insists on.
var errNoReceipts = errors.New("the receiver gives no STREAM receipts, so nothing was paid; leave receipt_nonce and receipt_secret out to pay without")

// resolve asks the receiver where to pay, and, where o says so, for receipts.
func (s *sender) resolve(ctx context.Context, o nodeapi.Outgoing) (to payer.Endpoint, receipts *payer.ReceiptTerms, err error) {
	if o.Receipts == nil {
		to, err = s.resolver(o.Receiver).Resolve(ctx, o.Receiver)
		return to, nil, err
	}
	receipts = &payer.ReceiptTerms{Nonce: o.Receipts.Nonce, Secret: o.Receipts.Secret[:]}
	to, err = s.resolver(o.Receiver).ResolveWithReceipts(ctx, o.Receiver, receipts)
	if err == nil && !to.Receipts {
		err = errNoReceipts
	}
	return to, receipts, err
}

// resolver asks this machine without TLS where the receiver is written so, and others only with insecure. Payment pointers are https always.
func (s *sender) resolver(receiver string) payer.Resolver {
	u, err := url.Parse(receiver)
	plain := err == nil && u.Scheme == "http" && (s.insecure || s.private && loopback.Host(u.Hostname()))
	return payer.Resolver{AllowPrivate: s.private, Insecure: plain}
}

// leastRate is what the node itself would give for the account's money, its spread taken off, less the slippage.
func (s *sender) leastRate(o nodeapi.Outgoing, to ilpcore.Asset) (payer.Rate, error) {
	from, err := s.assetOf(o.From)
	if err != nil {
		return payer.Rate{}, err
	}
	ratio, err := s.rates.Ratio(from, to)
	if err != nil {
		return payer.Rate{}, fmt.Errorf("%w: without one nobody knows what has to arrive; the operator sets rates", err)
	}
	return fraction(ratio.Mul(ratio, big.NewRat(int64(million-min(o.Slippage, million)), million))), nil
}

const million = 1_000_000

// assetOf is what an account counts: its own asset, or the node's.
func (s *sender) assetOf(id ilpcore.AccountID) (ilpcore.Asset, error) {
	account, ok := s.node.Account(id)
	if ok && account.Asset != (ilpcore.Asset{}) {
		return account.Asset, nil
	}
	_, asset, ready := s.node.Address()
	if !ok || !ready {
		return asset, errors.New("the account is gone, or the node does not know yet what it counts")
	}
	return asset, nil
}

// fraction returns r with both parts in 64 bits: what does not fit loses its last bits, downwards.
func fraction(r *big.Rat) payer.Rate {
	num, den := new(big.Int).Set(r.Num()), new(big.Int).Set(r.Denom())
	for !num.IsUint64() || !den.IsUint64() {
		num.Rsh(num, 1)
		den.Add(den.Rsh(den, 1), big.NewInt(1))
	}
	return payer.Rate{Num: num.Uint64(), Den: den.Uint64()}
}

var _ nodeapi.Sender = (*sender)(nil)
