package receiver

// This file is the road of a packet: address, expiry, segment, duplicates, then PSK2 or STREAM by the key that opens it.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/ilpcore/stream"
	"github.com/paydoor/paydoor/internal/failpoint"
)

// Addresses is what the receiver needs to know of the node's Interledger address.
type Addresses interface {
	// Address returns the current address and asset; ok is false while there is none.
	Address() (address ilpcore.Address, asset ilpcore.Asset, ok bool)
	// Suffix returns what follows the node's own address, current or still honoured, in destination.
	Suffix(destination []byte) (rest []byte, ok bool)
}

// Config is what a Receiver is made of. Secrets, Addresses, Crediter, Random and Now are required.
type Config struct {
	Secrets   [][]byte // the first seals, any opens; at least 32 random bytes each
	Addresses Addresses
	Crediter  Crediter
	Sessions  *Sessions // nil: a new one
	Random    io.Reader // cryptographically secure
	Now       func() time.Time

	// Margin is the time a packet must have left when it arrives; 0 means 1 s. Less is R02, which ends the payment.
	Margin time.Duration
	// Reserve is the time that must be left for the way back when the credit is durable; 0 means 500 ms. Less is
	// R00. It has to cover the way back and the difference between the clocks of this node and its neighbour: a payer chooses the
	// expiry, and a Fulfill that comes too late is a credit that nobody pays for.
	Reserve time.Duration
	// Conflict is called, if set, when a known condition comes with other content: somebody tampers, or a peer is broken.
	Conflict func(from ilpcore.AccountID)
}

// Receiver answers the Prepares to the addresses that it minted. It is safe for concurrent use and starts no goroutine.
type Receiver struct {
	secrets   []secretKeys
	addresses Addresses
	crediter  Crediter
	sessions  *Sessions
	opened    *generations[*opened]
	random    io.Reader
	now       func() time.Time
	margin    time.Duration
	reserve   time.Duration
	conflict  func(from ilpcore.AccountID)

	plaintexts sync.Pool // of *[]byte
}

// opened is an address segment whose packets were decrypted before, with its keys.
type opened struct {
	terms
	stream  *ilpcore.EndToEnd
	psk2    *ilpcore.EndToEnd
	psk2RFC *ilpcore.EndToEnd
}

// New returns a Receiver, or an error that says which part of c cannot be used.
func New(c Config) (*Receiver, error) {
	if len(c.Secrets) == 0 || c.Addresses == nil || c.Crediter == nil || c.Random == nil || c.Now == nil {
		return nil, errors.New("a receiver needs a secret, addresses, a crediter, randomness and a clock")
	}
	r := &Receiver{
		addresses: c.Addresses, crediter: c.Crediter, sessions: c.Sessions, opened: newGenerations[*opened](8192, 10*time.Minute),
		random: c.Random, now: c.Now, margin: c.Margin, reserve: c.Reserve, conflict: c.Conflict,
	}
	r.plaintexts.New = func() any { return new([]byte) }
	for i, secret := range c.Secrets {
		keys, err := newSecretKeys(secret)
		if err != nil {
			return nil, fmt.Errorf("secret %d: %w", i+1, err)
		}
		r.secrets = append(r.secrets, keys)
	}
	if r.sessions == nil {
		r.sessions = NewSessions()
	}
	if r.margin == 0 {
		r.margin = time.Second
	}
	if r.reserve == 0 {
		r.reserve = 500 * time.Millisecond
	}
	if r.conflict == nil {
		r.conflict = func(ilpcore.AccountID) {}
	}
	return r, nil
}

// HandlePrepare answers one packet. Every failure before the packet is decrypted writes nothing and answers without data.
func (r *Receiver) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	rest, ok := r.addresses.Suffix(in.Destination)
	if !ok {
		return r.reject(ilpcore.F02, "no such receiver at this node", nil)
	}
	return r.receive(ctx, in, rest, nil)
}

// receive answers one packet; rest is what follows the address of the node, or that of account if it is not nil.
func (r *Receiver) receive(ctx context.Context, in ilpcore.Incoming, rest []byte, account *Account) ilpcore.Reply {
	segment, ok := firstSegment(rest)
	if !ok {
		return r.reject(ilpcore.F02, "no such receiver at this node", nil)
	}
	now := r.now()
	switch left := in.ExpiresAt.Sub(now); {
	case left <= 0:
		return r.reject(ilpcore.R00, "the packet had expired when it arrived", nil)
	case left < r.margin:
		return r.reject(ilpcore.R02, "too little time is left until the packet expires", nil)
	}
	q, kept, err := r.open(segment, now)
	if err != nil || !account.paidBy(q.payee) {
		return r.reject(ilpcore.F02, "no such receiver at this node", nil)
	}
	if !q.expiry.IsZero() && now.After(q.expiry) {
		return r.reject(ilpcore.F02, "this quote has expired: ask for the price again", nil)
	}
	p := payment{Incoming: in, segment: segment, account: account, crediter: r.crediter, quote: q, kept: kept, now: now}
	if account != nil {
		p.crediter = account.Crediter
	}
	known, found, err := p.crediter.Lookup(ctx, in.Condition)
	if err != nil {
		return r.reject(ilpcore.T00, "credits cannot be taken for now", nil)
	}
	if found && known != p.digest() {
		r.conflict(in.From)
		return r.reject(ilpcore.F00, "this condition was used before with another amount, destination or data", nil)
	}
	p.known = found
	return r.decrypt(ctx, &p)
}

// payment is a packet on its way through the receiver.
type payment struct {
	ilpcore.Incoming
	segment  []byte   // of the destination, that the quote is sealed in
	account  *Account // nil: a token is paid
	crediter Crediter
	quote    *opened
	kept     bool // quote comes from the cache
	now      time.Time
	known    bool // credited before, with this very content

	digested bool
	sum      [32]byte
}

// digest returns a hash of what an identical retry has in common: everything but the expiry.
func (p *payment) digest() [32]byte {
	if p.digested {
		return p.sum
	}
	var head [18]byte
	binary.BigEndian.PutUint64(head[:8], uint64(p.Amount))
	binary.BigEndian.PutUint64(head[8:16], uint64(len(p.Destination)))
	h := sha256.New()
	h.Write(head[:])
	h.Write(p.Destination)
	h.Write(p.Data)
	h.Sum(p.sum[:0])
	p.digested = true
	return p.sum
}

// firstSegment returns the one segment after the address; further segments are the sender's business.
func firstSegment(rest []byte) ([]byte, bool) {
	if i := bytes.IndexByte(rest, '.'); i >= 0 {
		rest = rest[:i]
	}
	return rest, len(rest) == segmentLength || len(rest) == longSegment
}

// open returns the quote of a segment. It is kept only once a packet for it was decrypted, so that addresses alone fill nothing.
func (r *Receiver) open(segment []byte, now time.Time) (q *opened, kept bool, err error) {
	if q, ok := r.opened.get(segment, now); ok {
		return q, true, nil
	}
	var room [sealedLength + receiptLength + 2]byte
	n, err := canonical.Decode(room[:], segment)
	if err != nil {
		return nil, false, errSegment
	}
	sealed := room[:n]
	for _, keys := range r.secrets {
		t, err := keys.decode(sealed)
		if err != nil {
			continue
		}
		secret := keys.secret(sealed)
		return &opened{terms: t, stream: stream.Keys(secret[:]), psk2: psk2.Keys(secret[:]), psk2RFC: psk2.RFCKeys(secret[:])}, false, nil
	}
	return nil, false, errSegment
}

// decrypt finds the key that opens the data, and with it the protocol.
func (r *Receiver) decrypt(ctx context.Context, p *payment) ilpcore.Reply {
	room := r.plaintexts.Get().(*[]byte)
	defer r.plaintexts.Put(room)
	if cap(*room) < len(p.Data) {
		*room = make([]byte, 0, max(1024, len(p.Data)))
	}
	if plain, err := p.quote.stream.Open((*room)[:0], p.Data); err == nil {
		r.remember(p)
		return r.receiveStream(ctx, p, plain)
	}
	for _, keys := range [...]*ilpcore.EndToEnd{p.quote.psk2, p.quote.psk2RFC} {
		if plain, err := keys.Open((*room)[:0], p.Data); err == nil {
			r.remember(p)
			return r.receivePSK2(ctx, p, keys, plain)
		}
	}
	return r.reject(ilpcore.F06, "the data cannot be decrypted with the secret of this address", nil)
}

func (r *Receiver) remember(p *payment) {
	if p.kept {
		return
	}
	r.opened.getOrPut(p.segment, p.now, func() *opened { return p.quote })
}

// maxHold is how far ahead an expiry counts: later ones, up to the year 9999, are taken to be this far ahead (D8).
const maxHold = 60 * time.Second

// credit makes the payment durable; repeated says that it was before. Its errors are the sentinels of Crediter. It goes on when the
// link breaks meanwhile: the credit then stands, the answer is a Fulfill that cannot be written, and the link counts it.
func (r *Receiver) credit(ctx context.Context, p *payment) (repeated bool, err error) {
	expires := p.ExpiresAt
	if latest := p.now.Round(0).Add(maxHold); expires.After(latest) { // Round: a deadline is a time of the wall clock
		expires = latest
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), expires.Sub(p.now))
	defer cancel()
	c := Credit{
		Payee: p.quote.payee, Amount: p.Amount, Condition: p.Condition, Digest: p.digest(), From: p.From,
		Deadline: expires.Add(-r.reserve), Due: p.quote.due,
	}
	if p.quote.capped {
		c.Quote = p.quote.id
	}
	failpoint.Hit("receiver/crediting")
	repeated, err = p.crediter.Credit(ctx, c)
	failpoint.Hit("receiver/credited")
	return repeated, err
}

// refusal returns the reject code and the words for a credit that failed. ErrMaxBalance is each protocol's own to answer.
func (r *Receiver) refusal(p *payment, err error) (ilpcore.Code, string) {
	switch {
	case errors.Is(err, ErrTooLate):
		return ilpcore.R00, "the payment could not be recorded in time"
	case errors.Is(err, ErrMismatch):
		r.conflict(p.From)
		return ilpcore.F00, "this condition was used before with another amount, destination or data"
	case errors.Is(err, ErrBusy):
		return ilpcore.T03, "too many payments at once: try again shortly"
	case errors.Is(err, ErrMaxBalance):
		return ilpcore.F99, "the payment would take the balance above its maximum"
	default:
		return ilpcore.T00, "credits cannot be taken for now"
	}
}

func (r *Receiver) reject(code ilpcore.Code, message string, data []byte) ilpcore.Reply {
	own, _, _ := r.addresses.Address()
	return ilpcore.Reject(code, string(own), message, data)
}
