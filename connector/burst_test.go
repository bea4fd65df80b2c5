package connector

// This file tests bursts of packets that nobody waits for: their money is joined together, and each packet counts once.

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"sync"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// tally adds up what was fulfilled.
type tally struct {
	*sync.WaitGroup
	mu        *sync.Mutex
	units     amount.Amount
	fulfilled *amount.Amount
}

func (s tally) Answered(reply ilpcore.Reply, _ *ilpcore.Burst) {
	if reply.Fulfilled {
		s.mu.Lock()
		*s.fulfilled += s.units
		s.mu.Unlock()
	}
	s.Done()
}

// Bursts larger than what is joined at once, from two accounts to two, some rejected, whose answers come in bursts from several links at a time.
func TestABurstMovesEachPacketOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir, store.Options{Journal: true})
	books := openBooks(t, s)
	links := map[string]*gathers{"bob": {Link: answers(ilpcore.Reply{})}, "carol": {Link: answers(ilpcore.Reply{})}}
	senders := []string{"alice", "dave"}
	n := newNode(t, Config{
		Address: "test.gw", Asset: usd9, Books: books,
		Accounts: []Account{
			{ID: "alice", MaxPacketsPerMinute: 1 << 30, MaxInFlight: 1 << 20}, {ID: "dave", MaxPacketsPerMinute: 1 << 30, MaxInFlight: 1 << 20},
			{ID: "bob", Asset: usd9, Link: links["bob"]}, {ID: "carol", Asset: usd9, Link: links["carol"]},
		},
		Routes: []Route{{"test.bob", "bob"}, {"test.carol", "carol"}},
	})
	var mu sync.Mutex
	var all sync.WaitGroup
	sent := map[string]*amount.Amount{"alice": new(amount.Amount), "dave": new(amount.Amount)}
	got := map[string]amount.Amount{}
	number := uint64(0)
	for range 3 {
		answered := map[string][]func(burst *ilpcore.Burst){}
		for i := range 3*mostJoined + 17 {
			number++
			from, to := senders[i%2], []string{"bob", "carol"}[i/2%2]
			var fulfillment [32]byte
			binary.BigEndian.PutUint64(fulfillment[:], number)
			in := packet(ilpcore.AccountID(from), "test."+to+".x")
			in.Amount, in.Condition, in.ExpiresAt = amount.Amount(1+i%7), ilpcore.ConditionOf(fulfillment), n.now().Add(20e9)
			all.Add(1)
			var burst ilpcore.Burst
			if !n.StartPrepare(context.Background(), in, tally{&all, &mu, in.Amount, sent[from]}, &burst) {
				t.Fatal("not begun")
			}
			burst.End()
			asker := links[to].askers[len(links[to].askers)-1]
			reply := ilpcore.Fulfill(fulfillment, nil)
			if i%5 == 0 {
				reply = ilpcore.Reject(ilpcore.F99, "test."+to, "no", nil)
			} else {
				got[to] += in.Amount
			}
			answered[to] = append(answered[to], func(burst *ilpcore.Burst) { asker.Answered(reply, burst) })
		}
		var ends sync.WaitGroup
		for _, answers := range answered {
			ends.Go(func() {
				var burst ilpcore.Burst
				for _, answer := range answers {
					answer(&burst)
				}
				burst.End()
			})
		}
		ends.Wait()
		all.Wait()
	}
	n.Close()
	wantNothingUnderWay(t, n)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*Books{books, openBooks(t, openStore(t, dir, store.Options{Journal: true}))} { // in memory, and on disk
		for _, from := range senders {
			if balance, _ := b.Balance(ilpcore.AccountID(from)); balance.Net() != -int64(*sent[from]) || *sent[from] == 0 {
				t.Errorf("%s has %+v, and %d of its packets' units were fulfilled", from, balance, *sent[from])
			}
		}
		for to, units := range got {
			if balance, _ := b.Balance(ilpcore.AccountID(to)); balance.Net() != int64(units) {
				t.Errorf("%s has %+v, and fulfilled %d", to, balance, units)
			}
		}
	}
}
