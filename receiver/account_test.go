package receiver

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

const aliceAddress = ilpcore.Address("test.node.alice")

func (f *fixture) accountQuote(uuid string) Quote {
	f.t.Helper()
	q, err := f.QuoteAccount(uuid, aliceAddress, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return q
}

// rest is what follows alice's address.
func rest(t testing.TB, in ilpcore.Incoming) []byte {
	t.Helper()
	rest, ok := aliceAddress.Suffix(in.Destination)
	if !ok {
		t.Fatalf("%s is not below %s", in.Destination, aliceAddress)
	}
	return rest
}

func TestAccountIsPaid(t *testing.T) {
	f := newFixture(t)
	q := f.accountQuote("alice")
	var heard []Received
	alice := &Account{UUID: "alice", Asset: ilpcore.Asset{Code: "XYZ", Scale: 6}, Crediter: f.books, Received: func(r Received) { heard = append(heard, r) }}
	first := f.stream(q, 10, 10, true, func(b *stream.Builder) {
		b.ConnectionNewAddress(stream.ConnectionNewAddress{Address: []byte("test.sender")})
		b.StreamMoney(stream.StreamMoney{StreamID: 1, Shares: 1})
	})
	if !f.Recognises("alice", rest(t, first)) {
		t.Fatal("the address was not recognised")
	}
	for range 2 { // the second is a repetition
		reply := f.ReceiveFor(t.Context(), first, rest(t, first), alice)
		f.code(reply, fulfilled)
		asset := ""
		packet := f.streamAnswer(q, reply)
		for frame := range packet.Frames() {
			if frame.Type == stream.FrameConnectionAssetDetails {
				asset = string(frame.ConnectionAssetDetails().Code)
			}
		}
		if asset != "XYZ" {
			t.Errorf("the asset is %q, want the account's", asset)
		}
	}
	end := func(b *stream.Builder) { b.ConnectionClose(stream.ConnectionClose{Code: stream.NoError}) }
	last := f.stream(q, 0, 0, true, end)
	f.code(f.ReceiveFor(t.Context(), last, rest(t, last), alice), fulfilled)
	unfulfillable := f.stream(q, 0, 0, false, end)
	f.code(f.ReceiveFor(t.Context(), unfulfillable, rest(t, unfulfillable), alice), ilpcore.F99)
	paid := f.psk2(q, 5, 5, nil, true)
	f.code(f.ReceiveFor(t.Context(), paid, rest(t, paid), alice), fulfilled)
	if got := f.books.balances[AccountPayee("alice")]; got != 15 || f.books.credits != 2 {
		t.Errorf("alice has %d by %d credits, want 15 by 2", got, f.books.credits)
	}
	want := []Received{{Amount: 10, Sequence: heard[0].Sequence}, {Sequence: heard[1].Sequence, Closed: true}, {Sequence: heard[2].Sequence, Closed: true}, {Amount: 5}}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

func TestAccountQuotesAreUniqueAndOnlyForTheirAccount(t *testing.T) {
	f := newFixture(t)
	q, other, token := f.accountQuote("alice"), f.accountQuote("alice"), f.quote(false, 10)
	if q.Address == other.Address || q.SharedSecret == other.SharedSecret {
		t.Error("two quotes are the same")
	}
	in := f.stream(q, 10, 10, true, nil)
	bob := &Account{UUID: "bob", Crediter: f.books}
	if f.Recognises("bob", rest(t, in)) {
		t.Error("bob's address was recognised in alice's")
	}
	f.code(f.ReceiveFor(t.Context(), in, rest(t, in), bob), ilpcore.F02)
	// Straight below the node there are tokens, and only they.
	in.Destination = append([]byte("test.node."), rest(t, in)...)
	f.code(f.handle(in), ilpcore.F02)
	paid := f.stream(token, 10, 10, true, nil)
	segment, _ := f.node.Suffix(paid.Destination)
	if f.Recognises("alice", segment) {
		t.Error("a token's address was recognised as alice's")
	}
	f.code(f.ReceiveFor(t.Context(), paid, segment, &Account{UUID: "alice", Crediter: f.books}), ilpcore.F02)
	if f.books.credits != 0 {
		t.Errorf("%d credits", f.books.credits)
	}
	if _, err := f.QuoteAccount("alice", "", nil); err == nil {
		t.Error("an account without an address got a quote")
	}
}

func TestReceipts(t *testing.T) {
	f := newFixture(t)
	terms := &ReceiptTerms{Nonce: [16]byte{1, 2}, Secret: [32]byte{3, 4}}
	q, err := f.QuoteAccount("alice", aliceAddress, terms)
	if err != nil {
		t.Fatal(err)
	}
	alice := &Account{UUID: "alice", Crediter: f.books}
	pay := func(in ilpcore.Incoming, want stream.Receipt) {
		t.Helper()
		if !f.Recognises("alice", rest(t, in)) {
			t.Fatal("the address was not recognised")
		}
		reply := f.ReceiveFor(t.Context(), in, rest(t, in), alice)
		f.code(reply, fulfilled)
		packet := f.streamAnswer(q, reply)
		n := 0
		for frame := range packet.Frames() {
			if frame.Type != stream.FrameStreamReceipt {
				continue
			}
			n++
			got, err := stream.VerifyReceipt(frame.StreamReceipt().Receipt, terms.Secret[:])
			if err != nil || got != want || frame.StreamReceipt().StreamID != uint64(want.StreamID) {
				t.Errorf("receipt %+v, %v; want %+v", got, err, want)
			}
		}
		if n != 1 {
			t.Errorf("%d receipts", n)
		}
	}
	receipt := func(id uint8, total amount.Amount) stream.Receipt {
		return stream.Receipt{Nonce: terms.Nonce, StreamID: id, TotalReceived: total}
	}
	first := f.stream(q, 10, 10, true, nil)
	pay(first, receipt(1, 10))
	pay(f.stream(q, 5, 5, true, money(3, 1)), receipt(3, 5))
	pay(f.stream(q, 7, 7, true, nil), receipt(1, 17))
	pay(first, receipt(1, 17)) // a repetition
	f.Receiver.sessions = NewSessions()
	pay(first, receipt(1, 10)) // after a restart
	in := f.stream(q, 10, 10, false, nil)
	packet := f.streamAnswer(q, f.ReceiveFor(t.Context(), in, rest(t, in), alice))
	for frame := range packet.Frames() {
		if frame.Type == stream.FrameStreamReceipt {
			t.Error("a reject has a receipt")
		}
	}
}

func TestNobodyIsPaidWithoutAUUID(t *testing.T) {
	f := newFixture(t)
	q := f.accountQuote("")
	in := f.stream(q, 10, 10, true, nil)
	if f.Recognises("", rest(t, in)) {
		t.Error("the address of no account was recognised")
	}
	f.code(f.ReceiveFor(t.Context(), in, rest(t, in), &Account{Crediter: f.books}), ilpcore.F02)
}
