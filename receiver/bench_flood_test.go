package receiver

// This file measures what a flood does to others: one token's packets alone, and beside each kind of flood from one goroutine that
// sends as fast as it can. Compare the sub-benchmarks with "quiet"; the flood itself takes up to one of the cores.

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// floods are the kinds of packets that cost their sender little. Each is made once per packet, except for the sealing.
func (f *fixture) floods() map[string]func() ilpcore.Incoming {
	dust := f.packets(f.quoteFor(payeeOf(1), 1<<60))
	probe := dust.packet(amount.Max, true)
	stranger := dust.packet(10, false)
	stranger.Data[20] ^= 1
	return map[string]func() ilpcore.Incoming{
		"dust":      func() ilpcore.Incoming { return dust.packet(1, false) },
		"probes":    func() ilpcore.Incoming { return probe },
		"strangers": func() ilpcore.Incoming { return stranger },
		"quotes":    func() ilpcore.Incoming { return f.packets(f.quoteFor(payeeOf(2), 10)).packet(1000, false) },
	}
}

// BenchmarkOthersDuringAFlood is the receiver alone, with a ledger that costs nothing.
func BenchmarkOthersDuringAFlood(b *testing.B) {
	benchmarkFloods(b, func(f *fixture) { f.Receiver.crediter = &counted{} })
}

// BenchmarkOthersDuringAFloodDurable is the same with the real ledger: each packet waits for the disk.
func BenchmarkOthersDuringAFloodDurable(b *testing.B) {
	benchmarkFloods(b, func(f *fixture) { f.durable() })
}

func benchmarkFloods(b *testing.B, crediter func(*fixture)) {
	for _, name := range []string{"quiet", "dust", "probes", "strangers", "quotes"} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b)
			crediter(f)
			victim := f.packets(f.quote(false, 10))
			f.code(f.handle(victim.packet(1, false)), fulfilled)
			var over atomic.Bool
			var flooder sync.WaitGroup
			if packet := f.floods()[name]; packet != nil {
				flooder.Go(func() {
					for !over.Load() {
						f.handle(packet())
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				if reply := f.handle(victim.packet(1, false)); !reply.Fulfilled {
					b.Fatal(reply.Message)
				}
			}
			over.Store(true)
			flooder.Wait()
		})
	}
}
