package receiver

import (
	"context"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

// BenchmarkStreamPacket is one paid STREAM packet with cached keys, from Prepare to Fulfill, without the ledger.
func BenchmarkStreamPacket(b *testing.B) {
	f := newFixture(b)
	f.Receiver.crediter = noBooks{}
	in := f.stream(f.quote(false, 10), 10, 0, true, money(1, 10))
	f.handle(in)
	b.ReportAllocs()
	for b.Loop() {
		if reply := f.HandlePrepare(context.Background(), in); !reply.Fulfilled {
			b.Fatal(reply.Message)
		}
	}
}

// BenchmarkPSK2Packet is the same with PSK2.
func BenchmarkPSK2Packet(b *testing.B) {
	f := newFixture(b)
	f.Receiver.crediter = noBooks{}
	in := f.psk2(f.quote(false, 10), 10, 10, token, true)
	f.handle(in)
	b.ReportAllocs()
	for b.Loop() {
		if reply := f.HandlePrepare(context.Background(), in); !reply.Fulfilled {
			b.Fatal(reply.Message)
		}
	}
}

// BenchmarkStranger is a packet to a quote whose data cannot be decrypted.
func BenchmarkStranger(b *testing.B) {
	f := newFixture(b)
	in := f.stream(f.quote(true, 10), 10, 0, true, nil)
	in.Data[0] ^= 1
	b.ReportAllocs()
	for b.Loop() {
		if reply := f.HandlePrepare(context.Background(), in); reply.Code != ilpcore.F06 {
			b.Fatal(reply)
		}
	}
}

// BenchmarkQuote is the quote of a 402.
func BenchmarkQuote(b *testing.B) {
	f := newFixture(b)
	b.ReportAllocs()
	for b.Loop() {
		f.quote(true, 10)
	}
}

// noBooks takes every credit.
type noBooks struct{}

func (noBooks) Credit(context.Context, Credit) (bool, error) { return false, nil }
func (noBooks) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}
