package receiver

// This file holds what the tests of the receiver share: a ledger in memory, a node with two addresses, and a sender.

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// books is an honest ledger in memory.
type books struct {
	mu       sync.Mutex
	balances map[Payee]amount.Amount
	known    map[[32]byte][32]byte
	credits  int
	quotes   int // credits to the quote of a 402
	fail     error
}

func (b *books) Credit(_ context.Context, c Credit) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if digest, ok := b.known[c.Condition]; ok {
		if digest != c.Digest {
			return false, ErrMismatch
		}
		return true, nil
	}
	if b.fail != nil {
		return false, b.fail
	}
	sum, ok := b.balances[c.Payee].Add(c.Amount)
	if !ok {
		return false, ErrMaxBalance
	}
	b.balances[c.Payee] = sum
	b.known[c.Condition] = c.Digest
	b.credits++
	if c.Quote != [8]byte{} {
		b.quotes++
	}
	return false, nil
}

func (b *books) Lookup(_ context.Context, condition [32]byte) ([32]byte, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	digest, ok := b.known[condition]
	return digest, ok, nil
}

// node is a node that may be without an address.
type node struct{ down bool }

func (n *node) Address() (ilpcore.Address, ilpcore.Asset, bool) {
	return "test.node", ilpcore.Asset{Code: "USD", Scale: 9}, !n.down
}

func (n *node) Suffix(destination []byte) ([]byte, bool) {
	if rest, ok := ilpcore.Address("test.former").Suffix(destination); ok {
		return rest, true
	}
	return ilpcore.Address("test.node").Suffix(destination)
}

// fixture is a receiver with everything around it.
type fixture struct {
	*Receiver
	t         testing.TB
	books     *books
	node      *node
	now       time.Time
	conflicts int
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{t: t, books: &books{balances: map[Payee]amount.Amount{}, known: map[[32]byte][32]byte{}}, node: &node{}, now: start}
	f.Receiver = f.rebuild([]byte("a receiver secret of 32 bytes...."))
	return f
}

func (f *fixture) rebuild(secrets ...[]byte) *Receiver {
	f.t.Helper()
	r, err := New(Config{
		Secrets: secrets, Addresses: f.node, Crediter: f.books, Random: rand.Reader,
		Now:      func() time.Time { return f.now },
		Conflict: func(ilpcore.AccountID) { f.conflicts++ },
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

var (
	token = []byte("0123456789abcdef0123456789abcdef")
	payee = TokenPayee([32]byte{1, 2, 3})
)

func (f *fixture) quote(capped bool, due amount.Amount) Quote {
	f.t.Helper()
	q, err := f.Quote(QuoteRequest{Payee: payee, Token: token, Due: due, Capped: capped})
	if err != nil {
		f.t.Fatal(err)
	}
	return q
}

// prepare seals plain for q. A fulfillable packet has the right condition.
func (f *fixture) prepare(keys *ilpcore.EndToEnd, q Quote, n amount.Amount, plain []byte, fulfillable bool) ilpcore.Incoming {
	f.t.Helper()
	data, err := keys.Seal(nil, plain, rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	in := ilpcore.Incoming{From: "uplink", Prepare: ilpcore.Prepare{
		Amount: n, ExpiresAt: f.now.Add(30 * time.Second), Destination: []byte(q.Address), Data: data,
	}}
	if fulfillable {
		in.Condition = keys.Condition(data)
	} else {
		rand.Read(in.Condition[:])
	}
	return in
}

func (f *fixture) psk2(q Quote, n, least amount.Amount, memo []byte, fulfillable bool) ilpcore.Incoming {
	f.t.Helper()
	packet := psk2.Packet{Type: psk2.TypeRequest, RequestID: 77, Amount: least, Data: memo}
	plain, err := packet.Append(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.prepare(psk2.Keys(q.SharedSecret[:]), q, n, plain, fulfillable)
}

func (f *fixture) stream(q Quote, n, least amount.Amount, fulfillable bool, frames func(*stream.Builder)) ilpcore.Incoming {
	f.t.Helper()
	b := stream.Begin(nil, ilpcore.TypePrepare, 5, least)
	if frames != nil {
		frames(&b)
	}
	plain, err := b.Finish()
	if err != nil {
		f.t.Fatal(err)
	}
	return f.prepare(stream.Keys(q.SharedSecret[:]), q, n, plain, fulfillable)
}

func (f *fixture) handle(in ilpcore.Incoming) ilpcore.Reply {
	return f.HandlePrepare(context.Background(), in)
}

// psk2Answer opens the data of a reply to a PSK2 packet.
func (f *fixture) psk2Answer(q Quote, reply ilpcore.Reply) psk2.Packet {
	f.t.Helper()
	plain, err := psk2.Keys(q.SharedSecret[:]).Open(nil, reply.Data)
	if err != nil {
		f.t.Fatalf("reply %s %q: opening its data: %v", reply.Code, reply.Message, err)
	}
	packet, err := psk2.Decode(plain)
	if err != nil {
		f.t.Fatal(err)
	}
	return packet
}

// streamAnswer opens the data of a reply to a STREAM packet.
func (f *fixture) streamAnswer(q Quote, reply ilpcore.Reply) stream.Packet {
	f.t.Helper()
	plain, err := stream.Keys(q.SharedSecret[:]).Open(nil, reply.Data)
	if err != nil {
		f.t.Fatalf("reply %s %q: opening its data: %v", reply.Code, reply.Message, err)
	}
	packet, err := stream.DecodeReply(plain, reply.Fulfilled, 5)
	if err != nil {
		f.t.Fatal(err)
	}
	return packet
}

func (f *fixture) balance(want amount.Amount) {
	f.t.Helper()
	if got := f.books.balances[payee]; got != want {
		f.t.Errorf("balance is %s, want %s", got, want)
	}
}

func (f *fixture) code(reply ilpcore.Reply, want ilpcore.Code) {
	f.t.Helper()
	switch {
	case want == (ilpcore.Code{}) && !reply.Fulfilled:
		f.t.Errorf("got %s %q, want a Fulfill", reply.Code, reply.Message)
	case want != (ilpcore.Code{}) && reply.Fulfilled:
		f.t.Errorf("got a Fulfill, want %s", want)
	case want != reply.Code:
		f.t.Errorf("got %s %q, want %s", reply.Code, reply.Message, want)
	}
}

func amountOf(n uint64) amount.Amount { return amount.Amount(n) }

// fulfilled stands in tables for "no reject code".
var fulfilled ilpcore.Code

func tokenText() []byte { return []byte(base64.RawURLEncoding.EncodeToString(token)) }
