package receiver

// This file tests connections of many streams.

import (
	"slices"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// TestStreamsOneAfterTheOther: senders take no id above the highest that they were told. JavaScript receivers raise that with each stream that is closed;
// this one, which keeps nothing of streams, grants all of them at once.
func TestStreamsOneAfterTheOther(t *testing.T) {
	for _, test := range []struct {
		receipts *ReceiptTerms
		granted  uint64
	}{{nil, 1<<31 - 1}, {new(ReceiptTerms), 255}} {
		f := newFixture(t)
		q, err := f.QuotePointer(f.Pointer(payee.ID), test.receipts)
		if err != nil {
			t.Fatal(err)
		}
		hello := f.handle(f.stream(q, 0, 0, true, func(b *stream.Builder) { b.ConnectionNewAddress(stream.ConnectionNewAddress{}) }))
		if told := f.said(q, hello, 0); told.maxStream != test.granted {
			t.Errorf("the highest stream is %d, want %d", told.maxStream, test.granted)
		}
		for id := uint64(1); id <= 255; id += 2 {
			reply := f.handle(f.stream(q, 1, 1, true, money(id, 1)))
			f.code(reply, fulfilled)
			told := f.said(q, reply, 1)
			if !slices.Contains(told.streams, id) || !slices.Contains(told.streams, 1) || test.receipts != nil && told.receipt != id {
				t.Errorf("stream %d: told %+v", id, told)
			}
		}
		f.balance(128)
		reply := f.handle(f.stream(q, 1, 1, true, money(test.granted+2, 1)))
		f.code(reply, ilpcore.F99)
		if told := f.said(q, reply, 1); told.close != stream.StreamIDError {
			t.Errorf("beyond the highest: %+v", told)
		}
		f.balance(128)
	}
}

// TestAnswerToManyStreamsFits: however many streams a packet speaks of, its money is credited and answered for.
func TestAnswerToManyStreamsFits(t *testing.T) {
	f := newFixture(t)
	q := f.quote(false, 10)
	reply := f.handle(f.stream(q, 10, 10, true, func(b *stream.Builder) {
		for n := range uint64(3000) {
			money(2*n+1, 1)(b)
		}
	}))
	f.code(reply, fulfilled)
	if told := f.said(q, reply, 10); len(told.streams) != mostNamed || told.streams[0] != 1 {
		t.Errorf("told of the streams %d", told.streams)
	}
	f.balance(10)
}
