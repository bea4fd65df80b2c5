package connector

// This file measures packets that nobody waits for, as they come in bursts over a link.

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"sync"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// gathers is a link whose answers come all at once.
type gathers struct {
	Link
	askers []ilpcore.Asker
	ins    []ilpcore.Incoming
}

func (l *gathers) StartPrepare(_ context.Context, in ilpcore.Incoming, asker ilpcore.Asker, _ *ilpcore.Burst) bool {
	l.askers = append(l.askers, asker)
	l.ins = append(l.ins, in)
	return true
}

// counts is an asker that counts what was fulfilled.
type counts struct {
	sync.WaitGroup
	b *testing.B
}

func (c *counts) Answered(reply ilpcore.Reply, _ *ilpcore.Burst) {
	if !reply.Fulfilled {
		c.b.Errorf("%+v", reply)
	}
	c.Done()
}

// BenchmarkStartDurably is bursts of 32 packets whose money is on disk before they are answered.
func BenchmarkStartDurably(b *testing.B) {
	const burst = 32
	link := &gathers{Link: answers(ilpcore.Reply{})}
	s := openStore(b, filepath.Join(b.TempDir(), "store"), store.Options{Journal: true})
	n := newNode(b, Config{
		Address: "test.gw", Asset: usd9, Books: openBooks(b, s), Passed: func(Passage) {},
		Accounts: []Account{{ID: "alice", MaxPacketsPerMinute: 1 << 30, MaxInFlight: 1 << 20}, {ID: "bob", Asset: usd9, Link: link}},
		Routes:   []Route{{"test.bob", "bob"}},
	})
	var in [burst]ilpcore.Incoming
	var fulfillments [burst][32]byte
	count := &counts{b: b}
	var going, coming ilpcore.Burst
	number := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		count.Add(burst)
		for i := range in {
			number++
			binary.BigEndian.PutUint64(fulfillments[i][:], number)
			in[i] = packet("alice", "test.bob.x")
			in[i].Condition = ilpcore.ConditionOf(fulfillments[i])
			in[i].ExpiresAt = n.now().Add(20e9)
			if !n.StartPrepare(context.Background(), in[i], count, &going) {
				b.Fatal("not begun")
			}
		}
		going.End()
		for i, asker := range link.askers {
			asker.Answered(ilpcore.Fulfill(fulfillments[i], nil), &coming)
		}
		coming.End()
		link.askers, link.ins = link.askers[:0], link.ins[:0]
		count.Wait()
	}
}
