package receiver

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
)

// TestAddressAndExpiry covers what happens before a packet is decrypted: no data in the answer, and nothing credited.
func TestAddressAndExpiry(t *testing.T) {
	other := []byte("another receiver secret, 32 bytes")
	tests := []struct {
		name string
		edit func(f *fixture, q *Quote, in *ilpcore.Incoming)
		want ilpcore.Code
	}{
		{"good", func(*fixture, *Quote, *ilpcore.Incoming) {}, fulfilled},
		{"former address", func(f *fixture, q *Quote, in *ilpcore.Incoming) {
			in.Destination = []byte(strings.Replace(q.Address, "test.node", "test.former", 1))
		}, fulfilled},
		{"further segment", func(f *fixture, q *Quote, in *ilpcore.Incoming) { in.Destination = []byte(q.Address + ".more.here") }, fulfilled},
		{"another node", func(f *fixture, q *Quote, in *ilpcore.Incoming) {
			in.Destination = []byte("test.nodex" + q.Address[9:])
		}, ilpcore.F02},
		{"no segment", func(f *fixture, q *Quote, in *ilpcore.Incoming) { in.Destination = []byte("test.node") }, ilpcore.F02},
		{"short segment", func(f *fixture, q *Quote, in *ilpcore.Incoming) {
			in.Destination = in.Destination[:len(in.Destination)-1]
		}, ilpcore.F02},
		{"tampered segment", func(f *fixture, q *Quote, in *ilpcore.Incoming) { flip(in.Destination, 40) }, ilpcore.F02},
		{"other spelling", func(f *fixture, q *Quote, in *ilpcore.Incoming) { respell(in.Destination) }, ilpcore.F02},
		{"another secret", func(f *fixture, q *Quote, in *ilpcore.Incoming) { f.Receiver = f.rebuild(other) }, ilpcore.F02},
		{"rotated secret", func(f *fixture, q *Quote, in *ilpcore.Incoming) {
			f.Receiver = f.rebuild(other, []byte("a receiver secret of 32 bytes...."))
		}, fulfilled},
		{"expired", func(f *fixture, q *Quote, in *ilpcore.Incoming) { in.ExpiresAt = f.now }, ilpcore.R00},
		{"too tight", func(f *fixture, q *Quote, in *ilpcore.Incoming) { in.ExpiresAt = f.now.Add(999 * time.Millisecond) }, ilpcore.R02},
		{"just enough", func(f *fixture, q *Quote, in *ilpcore.Incoming) { in.ExpiresAt = f.now.Add(time.Second) }, fulfilled},
		{"tampered data", func(f *fixture, q *Quote, in *ilpcore.Incoming) { in.Data[20] ^= 1 }, ilpcore.F06},
		{"no data", func(f *fixture, q *Quote, in *ilpcore.Incoming) { in.Data = nil }, ilpcore.F06},
		{"27 bytes of data", func(f *fixture, q *Quote, in *ilpcore.Incoming) { in.Data = in.Data[:27] }, ilpcore.F06},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			q := f.quote(false, 10)
			in := f.psk2(q, 10, 10, nil, true)
			test.edit(f, &q, &in)
			reply := f.handle(in)
			f.code(reply, test.want)
			if test.want != fulfilled {
				f.balance(0)
				if len(reply.Data) != 0 {
					t.Errorf("an answer to a stranger carries %d bytes", len(reply.Data))
				}
			} else {
				f.balance(10)
			}
		})
	}
}

func flip(b []byte, i int) {
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
}

// respell changes the bits of the last character that lenient decoders ignore.
func respell(b []byte) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(b) - 1
	b[last] = alphabet[strings.IndexByte(alphabet, b[last])^1]
}

// TestP2AtMostOneCredit and TestP8IdempotentRetry at the level of packets: the ledger's own tests show it across restarts.
func TestP8IdempotentRetry(t *testing.T) {
	f := newFixture(t)
	q := f.quote(false, 10)
	in := f.psk2(q, 100, 10, nil, true)
	first := f.handle(in)
	f.code(first, fulfilled)
	in.ExpiresAt = in.ExpiresAt.Add(time.Second)
	again := f.handle(in)
	f.code(again, fulfilled)
	if again.Fulfillment != first.Fulfillment || f.psk2Answer(q, again).Amount != f.psk2Answer(q, first).Amount {
		t.Error("the retry got another answer")
	}
	if string(again.Data) == string(first.Data) {
		t.Error("the retry's data was not sealed afresh")
	}
	f.balance(100)

	for name, edit := range map[string]func(*ilpcore.Incoming){
		"amount":      func(in *ilpcore.Incoming) { in.Amount = 101 },
		"zero":        func(in *ilpcore.Incoming) { in.Amount = 0 },
		"destination": func(in *ilpcore.Incoming) { in.Destination = []byte(f.quote(true, 10).Address) },
		"segment":     func(in *ilpcore.Incoming) { in.Destination = []byte(q.Address + ".x") },
		"data":        func(in *ilpcore.Incoming) { in.Data = append([]byte{0}, in.Data...) },
	} {
		changed := in
		edit(&changed)
		before := f.conflicts
		f.code(f.handle(changed), ilpcore.F00)
		if f.conflicts != before+1 {
			t.Errorf("another %s was not reported", name)
		}
	}
	f.balance(100)
}

// TestP9UnpaidQuotesCostNothing: quotes and packets that nobody can decrypt leave nothing behind.
func TestP9UnpaidQuotesCostNothing(t *testing.T) {
	f := newFixture(t)
	for range 1000 {
		in := f.psk2(f.quote(true, 10), 10, 10, nil, true)
		in.Data[0] ^= 1
		f.code(f.handle(in), ilpcore.F06)
	}
	if n := f.opened.len() + f.sessions.Len(); n != 0 {
		t.Errorf("%d quotes are remembered", n)
	}
}

func TestQuotes(t *testing.T) {
	f := newFixture(t)
	if f.quote(false, 10) != f.quote(false, 10) {
		t.Error("the same quote has two addresses or secrets")
	}
	if f.quote(false, 10) == f.quote(false, 11) {
		t.Error("different prices have the same quote")
	}
	if f.quote(true, 10).Address == f.quote(true, 10).Address {
		t.Error("two capped quotes have one address")
	}
	q := f.quote(false, 10)
	if address, err := ilpcore.ParseAddress(q.Address); err != nil || !strings.HasPrefix(address.String(), "test.node.") {
		t.Errorf("address %q: %v", q.Address, err)
	}
	if strings.Contains(q.Address, string(tokenText())) {
		t.Error("the address shows the token")
	}
	f.node.down = true
	if _, err := f.Quote(QuoteRequest{Payee: payee}); err != ErrNoAddress {
		t.Errorf("without an address: %v", err)
	}
}

func TestExpiredQuote(t *testing.T) {
	f := newFixture(t)
	capped, open := f.quote(true, 10), f.quote(false, 10)
	f.now = f.now.Add(cappedLifetime + time.Minute)
	f.code(f.handle(f.psk2(capped, 10, 10, nil, true)), ilpcore.F02)
	f.code(f.handle(f.psk2(open, 10, 10, nil, true)), fulfilled)
}

func TestWeakSecretIsRefused(t *testing.T) {
	_, err := New(Config{Secrets: [][]byte{[]byte("shh")}, Addresses: &node{}, Crediter: &books{}, Random: strings.NewReader(""), Now: time.Now})
	if err == nil || strings.Contains(err.Error(), "shh") || !strings.Contains(err.Error(), "at least 32") {
		t.Errorf("got %v", err)
	}
}

// TestPSK2 is the table of receiver rules for PSK2.
func TestPSK2(t *testing.T) {
	text := tokenText()
	stray := []byte("another-token-xx")
	tests := []struct {
		name        string
		n, least    uint64
		memo        []byte
		fulfillable bool
		fail        error
		want        ilpcore.Code
		credited    uint64
	}{
		{"payment", 100, 10, token, true, nil, fulfilled, 100},
		{"exact", 10, 10, token, true, nil, fulfilled, 10},
		{"memo as text", 10, 10, text, true, nil, fulfilled, 10},
		{"memo of 16 bytes", 10, 10, token[:16], true, nil, fulfilled, 10},
		{"no memo", 10, 10, nil, true, nil, fulfilled, 10},
		{"short other data", 10, 10, []byte("hello"), true, nil, fulfilled, 10},
		{"long other data", 10, 10, []byte(strings.Repeat("x", 65)), true, nil, fulfilled, 10},
		{"another token", 10, 10, stray, true, nil, ilpcore.F99, 0},
		{"too little", 9, 10, token, true, nil, ilpcore.F99, 0},
		{"quote", 1000, 0, nil, false, nil, ilpcore.F05, 0},
		{"quote with the RFC's minimum", 1000, 1<<64 - 1, nil, false, nil, ilpcore.F05, 0},
		{"quote with stray data", 1000, 0, stray, false, nil, ilpcore.F05, 0},
		{"nothing", 0, 0, nil, true, nil, fulfilled, 0},
		{"largest", 1<<64 - 1, 10, nil, true, nil, fulfilled, 1<<64 - 1},
		{"late", 10, 10, nil, true, ErrTooLate, ilpcore.R00, 0},
		{"busy", 10, 10, nil, true, ErrBusy, ilpcore.T03, 0},
		{"full", 10, 10, nil, true, ErrMaxBalance, ilpcore.F99, 0},
		{"unavailable", 10, 10, nil, true, ErrUnavailable, ilpcore.T00, 0},
		{"strange error", 10, 10, nil, true, context.Canceled, ilpcore.T00, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.books.fail = test.fail
			q := f.quote(true, 10) // a cap is for STREAM alone
			reply := f.handle(f.psk2(q, amountOf(test.n), amountOf(test.least), test.memo, test.fulfillable))
			f.code(reply, test.want)
			f.balance(amountOf(test.credited))
			answer := f.psk2Answer(q, reply)
			kind := uint8(psk2.TypeError)
			if test.want == fulfilled {
				kind = psk2.TypeResponse
			}
			if answer.Type != kind || answer.RequestID != 77 || answer.Amount != amountOf(test.n) {
				t.Errorf("answer %+v", answer)
			}
		})
	}
}

func TestPSK2OfTheRFC(t *testing.T) {
	f := newFixture(t)
	q := f.quote(false, 10)
	packet := psk2.Packet{Type: psk2.TypeRequest, RequestID: 77, Amount: 10}
	plain, _ := packet.Append(nil)
	f.code(f.handle(f.prepare(psk2.RFCKeys(q.SharedSecret[:]), q, 10, plain, true)), fulfilled)
	f.balance(10)
}

// TestPSK2OtherTypes: the older chunk types and answers that come as requests get F06 without data, which makes old senders stop.
func TestPSK2OtherTypes(t *testing.T) {
	for _, kind := range []byte{0, 1, 2, 3, 5, 6, 7, 255} {
		f := newFixture(t)
		q := f.quote(false, 10)
		packet := psk2.Packet{Type: psk2.TypeRequest, RequestID: 77, Amount: 10}
		plain, _ := packet.Append(nil)
		plain[0] = kind
		reply := f.handle(f.prepare(psk2.Keys(q.SharedSecret[:]), q, 10, plain, true))
		f.code(reply, ilpcore.F06)
		if len(reply.Data) != 0 {
			t.Errorf("type %d: the answer has data", kind)
		}
		f.balance(0)
	}
}
