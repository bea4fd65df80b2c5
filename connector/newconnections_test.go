package connector

// This file has neighbours open new connections while packets go both ways: nothing that one of them has fulfilled gets lost on the way back.

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	mathrand "math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/store"
)

// otherNode is a node at the other end, which fulfils four packets of five.
type otherNode struct {
	user, endpoint   string
	link             atomic.Pointer[btp.Link]
	fulfilled, heard atomic.Int64
}

func (o *otherNode) HandlePrepare(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	switch mathrand.IntN(5) {
	case 0:
		return ilpcore.Reject(ilpcore.F99, "", "no", nil)
	case 1:
		time.Sleep(time.Duration(mathrand.IntN(5)) * time.Millisecond)
	}
	o.fulfilled.Add(int64(in.Amount))
	return ilpcore.Fulfill([32]byte(in.Data), in.Data)
}

// connect opens a new connection and closes the one before.
func (o *otherNode) connect(t *testing.T) {
	next, err := btp.Dial(btp.Config{Account: "gw", URL: btp.URL{Endpoint: o.endpoint, User: o.user, Token: o.user + "'s token"}, Handler: o})
	if err != nil {
		t.Error(err)
		return
	}
	for !next.Up() {
		time.Sleep(time.Millisecond)
	}
	if before := o.link.Swap(next); before != nil {
		_ = before.Close()
	}
}

// send sends a packet and counts what is fulfilled.
func (o *otherNode) send(t *testing.T, destination string) {
	var fulfillment [32]byte
	rand.Read(fulfillment[:])
	p := ilpcore.Prepare{
		Amount: amount.Amount(1 + mathrand.IntN(9)), ExpiresAt: time.Now().Add(20 * time.Second), Condition: sha256.Sum256(fulfillment[:]),
		Destination: []byte(destination), Data: append(fulfillment[:], make([]byte, mathrand.IntN(3000))...),
	}
	reply := o.link.Load().HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p})
	if !reply.Fulfilled {
		return
	}
	o.heard.Add(int64(p.Amount))
	if string(reply.Data) != string(p.Data) {
		t.Error("the data of another packet")
	}
}

// fromLinks gives the node what the links bring, which are there before it.
type fromLinks struct{ atomic.Pointer[Node] }

func (f *fromLinks) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	return f.Load().HandlePrepare(ctx, in)
}

func (f *fromLinks) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) bool {
	return f.Load().StartPrepare(ctx, in, asker, burst)
}

func TestNoFulfillIsLostBetweenTwoConnections(t *testing.T) {
	var node fromLinks
	listener := btp.NewListener(btp.ListenerConfig{})
	server := httptest.NewServer(listener)
	accounts, others := []Account{}, []*otherNode{}
	for _, name := range []string{"alice", "bob"} {
		link, err := btp.Await(btp.AwaitConfig{Account: ilpcore.AccountID(name), Token: name + "'s token", Handler: &node})
		if err != nil {
			t.Fatal(err)
		}
		defer link.Close()
		listener.Add(link)
		accounts = append(accounts, Account{ID: ilpcore.AccountID(name), Link: link, MaxPacketsPerMinute: 1e9})
		others = append(others, &otherNode{user: name, endpoint: "ws" + strings.TrimPrefix(server.URL, "http")})
	}
	n := newNode(t, Config{
		Address: "test.gw", Asset: usd9, Accounts: accounts, Routes: []Route{{"test.alice", "alice"}, {"test.bob", "bob"}},
		Books: openBooks(t, openStore(t, filepath.Join(t.TempDir(), "store"), store.Options{})),
	})
	node.Store(n)
	for _, o := range others {
		o.connect(t)
	}
	var sending, changing sync.WaitGroup
	var sent atomic.Bool
	for i := range 16 {
		sending.Go(func() {
			for range 150 {
				others[i%2].send(t, "test."+others[1-i%2].user+".x")
			}
		})
	}
	changing.Go(func() {
		for i := 0; !sent.Load(); i = 1 - i {
			time.Sleep(50 * time.Millisecond)
			others[i].connect(t)
		}
	})
	sending.Wait()
	sent.Store(true)
	changing.Wait()
	for _, o := range others {
		_ = o.link.Load().Close()
	}
	_, _ = listener.Close(), n.Close()
	server.Close()
	alice, bob := others[0], others[1]
	if alice.fulfilled.Load() != bob.heard.Load() || bob.fulfilled.Load() != alice.heard.Load() || alice.heard.Load() == 0 {
		t.Errorf("alice fulfilled %d, and bob heard of %d; he fulfilled %d, and she heard of %d",
			alice.fulfilled.Load(), bob.heard.Load(), bob.fulfilled.Load(), alice.heard.Load())
	}
	net := alice.fulfilled.Load() - bob.fulfilled.Load()
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {Clearing: net}, "bob": {Clearing: -net}})
	wantNothingUnderWay(t, n)
}
