package receiver

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// goldenPointer is the pointer of payee under the secret of newFixture. Pointers are honoured for ever, so their format is final.
const goldenPointer = "OyHbbGr4MK8Frvthxc232z_5qiVNH2iPhIzTz1CcDRzc5BqXBzJzqc-DpwpllJ-o0l3eXnmXRsHhM3Ving"

func (f *fixture) pointerQuote(pointer string, receipts *ReceiptTerms) Quote {
	f.t.Helper()
	q, err := f.QuotePointer(pointer, receipts)
	if err != nil {
		f.t.Fatal(err)
	}
	return q
}

func TestPointerNamesAToken(t *testing.T) {
	f := newFixture(t)
	pointer := f.Pointer(payee.ID)
	if pointer != goldenPointer || len(pointer) != PointerLength || pointer == f.Pointer([32]byte{4}) {
		t.Errorf("the pointer is %q", pointer)
	}
	if id := hex.EncodeToString(payee.ID[:4]); strings.Contains(hex.EncodeToString([]byte(pointer)), id) {
		t.Error("the pointer shows the token's account")
	}
	first, second := f.pointerQuote(pointer, nil), f.pointerQuote(pointer, nil)
	if first.Address == second.Address || first.SharedSecret == second.SharedSecret {
		t.Error("two payers got the same quote")
	}
	in := f.stream(first, 10, 10, true, money(1, 10))
	f.code(f.handle(in), fulfilled)
	f.code(f.handle(in), fulfilled)
	f.code(f.handle(f.stream(second, 7, 7, true, money(1, 7))), fulfilled)
	f.code(f.handle(f.psk2(second, 5, 5, []byte("a memo that is no token, 32 byte"), true)), fulfilled)
	f.balance(22)
	if f.books.quotes != 0 {
		t.Error("the payments were counted as those of a 402's quote")
	}
	f.code(f.handle(f.stream(f.quote(true, 10), 10, 10, true, money(1, 10))), fulfilled)
	if f.books.quotes != 1 {
		t.Error("the payment of a 402's quote was not counted")
	}
}

// TestPointersSurviveARotation: the first secret seals, any opens.
func TestPointersSurviveARotation(t *testing.T) {
	f := newFixture(t)
	pointer := f.Pointer(payee.ID)
	f.Receiver = f.rebuild([]byte("a new receiver secret of 32 byte"), []byte("a receiver secret of 32 bytes...."))
	q := f.pointerQuote(pointer, nil)
	f.code(f.handle(f.stream(q, 10, 10, true, nil)), fulfilled)
	f.balance(10)
	if f.Pointer(payee.ID) == pointer {
		t.Error("the old secret still seals")
	}
	f.Receiver = f.rebuild([]byte("a new receiver secret of 32 byte"))
	if _, err := f.QuotePointer(pointer, nil); !errors.Is(err, ErrPointer) {
		t.Errorf("without its secret: %v", err)
	}
}

func TestPointerRefuses(t *testing.T) {
	f := newFixture(t)
	pointer := f.Pointer(payee.ID)
	segment := f.quote(false, 10).Address[len("test.node."):]
	bad := map[string]string{
		"empty": "", "short": pointer[1:], "long": pointer + "A", "padded": pointer + "==", "a line break": pointer[:40] + "\n" + pointer[41:],
		"an account": hex.EncodeToString(payee.ID[:]), "the segment of a quote": segment, "its beginning": segment[:PointerLength],
	}
	for i := range pointer {
		changed := []byte(pointer)
		if changed[i]++; changed[i] == 'z'+1 {
			changed[i] = 'a'
		}
		bad["changed at "+string(rune('a'+i))] = string(changed)
	}
	for name, pointer := range bad {
		if _, err := f.QuotePointer(pointer, nil); !errors.Is(err, ErrPointer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.node.down = true
	if _, err := f.QuotePointer(pointer, nil); !errors.Is(err, ErrNoAddress) {
		t.Errorf("without an address: %v", err)
	}
}

// TestP9PointersCostNothing: who asks where to pay leaves nothing behind.
func TestP9PointersCostNothing(t *testing.T) {
	f := newFixture(t)
	for n := range 1000 {
		q := f.pointerQuote(f.Pointer([32]byte{byte(n), byte(n >> 8)}), &ReceiptTerms{})
		in := f.stream(q, 10, 10, true, nil)
		in.Data[0] ^= 1
		f.handle(in)
	}
	if n := f.opened.len() + f.sessions.Len() + f.sessions.receipts.len(); n != 0 {
		t.Errorf("%d quotes are remembered", n)
	}
}

func TestReceiptsOfATokensQuote(t *testing.T) {
	f := newFixture(t)
	terms := &ReceiptTerms{Nonce: [16]byte{1, 2}, Secret: [32]byte{3, 4}}
	q := f.pointerQuote(f.Pointer(payee.ID), terms)
	total := amount.Amount(0)
	for _, n := range []amount.Amount{10, 7, 1} {
		total += n
		reply := f.handle(f.stream(q, n, n, true, money(1, 1)))
		f.code(reply, fulfilled)
		packet := f.streamAnswer(q, reply)
		var receipts []stream.Receipt
		for frame := range packet.Frames() {
			if frame.Type == stream.FrameStreamReceipt {
				r, err := stream.VerifyReceipt(frame.StreamReceipt().Receipt, terms.Secret[:])
				if err != nil {
					t.Error(err)
				}
				receipts = append(receipts, r)
			}
		}
		if want := (stream.Receipt{Nonce: terms.Nonce, StreamID: 1, TotalReceived: total}); len(receipts) != 1 || receipts[0] != want {
			t.Errorf("receipts %+v, want %+v", receipts, want)
		}
	}
	f.balance(18)
}

// FuzzPointer: what opens is sealed to the same text, so that a token has one pointer.
func FuzzPointer(f *testing.F) {
	fx := newFixture(f)
	f.Add(goldenPointer)
	f.Fuzz(func(t *testing.T, pointer string) {
		if id, err := fx.openPointer(pointer); err == nil && fx.Pointer(id) != pointer {
			t.Errorf("%q has another spelling", pointer)
		}
	})
}

// BenchmarkPointer is what each 402 costs for telling the pointer.
func BenchmarkPointer(b *testing.B) {
	f := newFixture(b)
	b.ReportAllocs()
	for b.Loop() {
		f.Pointer(payee.ID)
	}
}
