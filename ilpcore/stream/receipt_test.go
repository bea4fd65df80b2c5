package stream

// This file checks receipts against the published one, and that no other signature passes.

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/paydoor/paydoor/amount"
)

// vectorReceipt is the receipt of the fixture frame:stream_receipt: nonce and secret all zeros, stream 1, total 500.
const vectorReceipt = "AQAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAfTBIvoCUt67Zy1ZGCP3EOmVFtZzhc85fah8yPnoyL9RMA=="

func TestReceiptVector(t *testing.T) {
	want := unbase64(t, vectorReceipt)
	secret := make([]byte, 32)
	receipt := Receipt{StreamID: 1, TotalReceived: 500}
	if got := receipt.Append([]byte("before"), secret); !bytes.Equal(got, append([]byte("before"), want...)) {
		t.Errorf("Append = %x, want %x", got, want)
	}
	if len(want) != ReceiptLength {
		t.Errorf("%d bytes", len(want))
	}
	if got, err := VerifyReceipt(want, secret); err != nil || got != receipt {
		t.Errorf("VerifyReceipt = %+v, %v", got, err)
	}
}

func TestVerifyReceiptRefuses(t *testing.T) {
	receipt, secret := unbase64(t, vectorReceipt), make([]byte, 32)
	for n := range receipt {
		changed := bytes.Clone(receipt)
		changed[n] ^= 1
		if _, err := VerifyReceipt(changed, secret); !errors.Is(err, ErrReceipt) {
			t.Errorf("byte %d changed: %v", n, err)
		}
	}
	for name, b := range map[string][]byte{"empty": nil, "short": receipt[:57], "long": append(receipt, 0)} {
		if _, err := VerifyReceipt(b, secret); !errors.Is(err, ErrReceipt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := VerifyReceipt(receipt, bytes.Repeat([]byte{1}, 32)); !errors.Is(err, ErrReceipt) {
		t.Errorf("another secret: %v", err)
	}
}

func TestReceiptRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Receipt{StreamID: rapid.Uint8().Draw(t, "stream"), TotalReceived: amount.Amount(rapid.Uint64().Draw(t, "total"))}
		copy(want.Nonce[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "nonce"))
		secret := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret")
		b := want.Append(nil, secret)
		if nonce, ok := ReceiptNonce(b); !ok || nonce != want.Nonce {
			t.Fatalf("nonce %x, %v", nonce, ok)
		}
		if got, err := VerifyReceipt(b, secret); err != nil || got != want {
			t.Fatalf("VerifyReceipt = %+v, %v; want %+v", got, err, want)
		}
	})
}
