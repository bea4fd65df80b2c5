package connector

// This file credits somewhere else in the store what a packet brings, as the ledger of tokens does.

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// till is a receiver that credits in a store, and keeps what it has there under "till".
type till struct {
	store  *store.Store
	total  uint64
	late   bool // the credit is taken back
	spoil  bool // the answer goes wrong after the credit
	early  bool // the packet is answered before the credit is durable
	during func()
	ended  chan struct{}
}

func (c *till) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	c.ended = make(chan struct{})
	debit := DebitIn(ctx, c.store)
	ticket, err := c.store.Join(func(g *store.Group) {
		c.add(g, int64(in.Amount))
		debit.Put(g)
		g.AfterCommit(func() {
			if c.during != nil {
				c.during()
			}
			if !c.late {
				debit.Keep()
				close(c.ended)
				return
			}
			_, _ = c.store.FollowUp(func(g *store.Group) {
				c.add(g, -int64(in.Amount))
				debit.Undo(g)
				g.AfterCommit(func() { close(c.ended) })
			})
		})
	})
	switch {
	case err != nil:
		return ilpcore.Reject(ilpcore.T00, "", "no credit", nil)
	case c.early:
		return ilpcore.Reject(ilpcore.T00, "", "no time", nil)
	}
	if err := ticket.Wait(ctx); err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "no disk", nil)
	}
	<-c.ended
	if c.late || c.spoil {
		return ilpcore.Reject(ilpcore.R00, "", "too late", nil)
	}
	return ilpcore.Fulfill(testFulfillment, nil)
}

func (c *till) add(g *store.Group, n int64) {
	c.total += uint64(n)
	g.Put([]byte("till"), binary.BigEndian.AppendUint64(nil, c.total))
}

// TestACreditAndItsDebitAreOneGroup, at every point at which the disk may fail, and when the credit is taken back.
func TestACreditAndItsDebitAreOneGroup(t *testing.T) {
	for name, test := range map[string]struct {
		edit   func(*till)
		want   string
		groups uint64
		net    int64  // of alice
		total  uint64 // in the till
	}{
		"fulfilled":              {func(*till) {}, "by ", 1, -10, 10},
		"taken back":             {func(c *till) { c.late = true }, "R00", 2, 0, 0},
		"rejected after all":     {func(c *till) { c.spoil = true }, "R00", 2, 0, 10},
		"answered before":        {func(c *till) { c.early = true }, "T00", 1, -10, 10},
		"answered before it was": {func(c *till) { c.early, c.late = true, true }, "T00", 2, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			s := openStore(t, dir, store.Options{})
			c := &till{store: s}
			test.edit(c)
			n := newNode(t, Config{Address: "test.gw", Asset: usd9, Books: openBooks(t, s), Receiver: c, Accounts: []Account{{ID: "alice"}}})
			credit(t, n.books, "alice", 4)
			before := s.Durable()
			c.during = func() {
				var room hold
				if err := n.books.expect(&room, "alice", 1<<63-1); err != ErrRange {
					t.Errorf("the room that the debit leaves was taken: %v", err)
				}
			}
			if got := outcome(n.HandlePrepare(t.Context(), soon("alice", "test.gw.x"))); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			<-c.ended
			if test.net == 0 { // as it was
				wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {0, 4}})
			} else {
				wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {-6, 0}})
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if groups := s.Durable() - before; groups != test.groups {
				t.Errorf("%d groups, want %d", groups, test.groups)
			}
			wantOnDisk(t, dir, 4+test.net, test.total)
		})
	}
	for _, at := range []store.Point{store.BeforeCommit, store.AfterCommit, store.BeforeSidecar, store.BeforeRelease} {
		dir := filepath.Join(t.TempDir(), "store")
		failing := false
		s := openStore(t, dir, store.Options{Fault: func(p store.Point, _ uint64) error {
			if p == at && failing {
				return context.DeadlineExceeded
			}
			return nil
		}})
		c := &till{store: s}
		n := newNode(t, Config{Address: "test.gw", Asset: usd9, Books: openBooks(t, s), Receiver: c, Accounts: []Account{{ID: "alice"}}})
		if got := outcome(n.HandlePrepare(t.Context(), soon("alice", "test.gw.x"))); got != "by " {
			t.Fatal(got)
		}
		failing = true
		if got := outcome(n.HandlePrepare(t.Context(), soon("alice", "test.gw.x"))); got != "T00" {
			t.Errorf("at %v: %s", at, got)
		}
		_ = s.Close()
		after := openStore(t, dir, store.Options{})
		value, err := after.Get([]byte("till"))
		if err != nil {
			t.Fatal(err)
		}
		total := int64(binary.BigEndian.Uint64(value))
		if net := balanceOf(openBooks(t, after), "alice").Net(); net != -total || total != 10 && total != 20 {
			t.Errorf("at %v: alice has %d, the till %d", at, net, total)
		}
	}
}

func wantOnDisk(t *testing.T, dir string, net int64, total uint64) {
	t.Helper()
	s := openStore(t, dir, store.Options{})
	value, err := s.Get([]byte("till"))
	if err != nil || binary.BigEndian.Uint64(value) != total {
		t.Errorf("the till has %x, want %d: %v", value, total, err)
	}
	if got := balanceOf(openBooks(t, s), "alice").Net(); got != net {
		t.Errorf("alice has %d on disk, want %d", got, net)
	}
}

// TestADebitOfAnotherStore is not the creditor's.
func TestADebitOfAnotherStore(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "store"), store.Options{})
	other := openStore(t, filepath.Join(t.TempDir(), "store"), store.Options{})
	n := newNode(t, Config{
		Address: "test.gw", Asset: usd9, Books: openBooks(t, s), Accounts: []Account{{ID: "alice"}},
		Receiver: ilpcore.HandlerFunc(func(ctx context.Context, _ ilpcore.Incoming) ilpcore.Reply {
			if DebitIn(ctx, other) != nil || DebitIn(context.Background(), s) != nil || DebitIn(ctx, s) == nil {
				t.Error("the debit is not that of its store alone")
			}
			return ilpcore.Fulfill(testFulfillment, nil)
		}),
	})
	if got := outcome(n.HandlePrepare(t.Context(), soon("alice", "test.gw.x"))); got != "by " {
		t.Error(got)
	}
	wantBalances(t, n, map[ilpcore.AccountID]Balance{"alice": {-10, 0}})
}
