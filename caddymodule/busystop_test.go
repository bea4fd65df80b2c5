package caddymodule

// This file stops a server whose neighbours do not stop sending, or do not part.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// TestStopUnderLoad: packets that go on coming over links do not keep the node from stopping.
func TestStopUnderLoad(t *testing.T) {
	s := newServer(t)
	s.options += "\naccount kid {\n relation child\n packets_per_minute 100000000\n btp listen " + strings.Repeat("kid", 12) + "\n}" +
		"\naccount bob {\n relation child\n btp listen " + strings.Repeat("bob", 12) + "\n}"
	s.load()
	fulfilling := ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
		if len(in.Data) != 32 {
			return ilpcore.Reject(ilpcore.F00, "", "", nil)
		}
		return ilpcore.Fulfill([32]byte(in.Data), nil)
	})
	receiver := s.neighbour("/accounts/bob/ilp/btp", "bob", strings.Repeat("bob", 12), fulfilling)
	sender := s.neighbour("/accounts/kid/ilp/btp", "kid", strings.Repeat("kid", 12), nil)
	eventually(t, "both connect", func() bool { return receiver.Up() && sender.Up() })
	var stop atomic.Bool
	var fulfilled atomic.Int64
	var sending sync.WaitGroup
	defer sending.Wait()
	defer stop.Store(true)
	for i := range 900 { // more than come to an end together
		sending.Go(func() {
			fulfillment := [32]byte{1, byte(i), byte(i >> 8)}
			for !stop.Load() {
				reply := sender.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: ilpcore.Prepare{
					Amount: 1, ExpiresAt: time.Now().Add(20 * time.Second), Destination: []byte("test.paydoor.bob.x"),
					Condition: ilpcore.ConditionOf(fulfillment), Data: fulfillment[:],
				}})
				switch {
				case reply.Fulfilled:
					fulfilled.Add(1)
				case !sender.Up():
					return
				}
			}
		})
	}
	eventually(t, "packets flow", func() bool { return fulfilled.Load() > 1000 })
	stopped := make(chan error, 1)
	go func() { stopped <- caddy.Stop() }()
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the server does not stop while its neighbours send")
	}
}

// partingLink closes when as many close with it.
type partingLink struct {
	connector.OpenLink
	together *sync.WaitGroup
}

func (l partingLink) Close() error {
	l.together.Done()
	l.together.Wait()
	return errors.New("closed")
}

// TestLinksCloseTogether: many neighbours that are slow to part do not add up.
func TestLinksCloseTogether(t *testing.T) {
	var together sync.WaitGroup
	var links []acquiredLink
	for i := range 100 {
		together.Add(1)
		settings := linkSettings{Account: ilpcore.AccountID(fmt.Sprint("slow", i))}
		if _, _, err := linkPool.LoadOrNew(settings, func() (caddy.Destructor, error) {
			return &pooledLink{OpenLink: partingLink{together: &together}}, nil
		}); err != nil {
			t.Fatal(err)
		}
		links = append(links, acquiredLink{settings: settings})
	}
	released := make(chan error, 1)
	go func() { released <- releaseLinks(links) }()
	select {
	case err := <-released:
		if n := strings.Count(fmt.Sprint(err), "closed"); n != len(links) {
			t.Errorf("%d links say how they closed: %v", n, err)
		}
	case <-time.After(time.Minute):
		t.Fatal("each link waits for the one before")
	}
}
