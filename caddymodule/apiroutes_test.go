package caddymodule

// This file listens to the routes that a node tells whose accounts the API has made.

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
	"github.com/paydoor/paydoor/nodeapi"
)

// listener is a neighbour that notes, of each table that it is told, the prefixes in the Update with which it begins.
type listener struct {
	mu     sync.Mutex
	tables map[ccp.TableID][]string
}

func (l *listener) HandlePrepare(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if u, err := ccp.DecodeUpdate(in.Data); err == nil && string(in.Destination) == ccp.UpdateDestination && u.From == 0 {
		var prefixes []string
		for _, route := range u.Routes {
			prefixes = append(prefixes, route.Prefix)
		}
		l.mu.Lock()
		if _, ok := l.tables[u.Table]; !ok {
			l.tables[u.Table] = prefixes
		}
		l.mu.Unlock()
	}
	return ilpcore.Fulfill(ilpcore.PeerFulfillment, nil)
}

func (l *listener) told() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tables)
}

// TestAReloadTellsAllRoutesOrNone: each config tells a table of its own, and what that table does not begin with the neighbour drops: its packets are F02, which
// ends payments.
func TestAReloadTellsAllRoutesOrNone(t *testing.T) {
	s := newServer(t)
	s.load()
	s.make(s.kid("a", strong))
	for i := range 20 {
		name := fmt.Sprintf("b%d", i)
		s.make(nodeapi.Settings{
			ID: ilpcore.AccountID(name), Form: nodeapi.FormRust, UUID: uuidOf(name), Relation: "peer", Asset: nodeapi.Asset{Code: "USD", Scale: 9},
			Address: ilpcore.Address("test." + name), Link: nodeapi.LinkLoopback, Created: time.Now().UTC(),
		})
	}
	l := &listener{tables: make(map[ccp.TableID][]string)}
	link := s.neighbour("/accounts/a/ilp/btp", "", strong, l)
	eventually(t, "the neighbour connects", link.Up)
	eventually(t, "it is told routes", func() bool { return l.told() == 1 })
	for n := 2; n < 5; n++ {
		s.load()
		eventually(t, "it is told those of the next config", func() bool { return l.told() >= n })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	complete := 0
	for _, prefixes := range l.tables {
		if slices.Contains(prefixes, "test.b0") && slices.Contains(prefixes, "test.b19") {
			complete++
		}
	}
	if n := len(l.tables); n != 4 {
		t.Errorf("it was told of %d tables by four configs", n)
	}
	if complete < len(l.tables)-1 { // the first config's began before its accounts were made
		t.Errorf("of %d tables %d began with all routes: %v", len(l.tables), complete, l.tables)
	}
}
