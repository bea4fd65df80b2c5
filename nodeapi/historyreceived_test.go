package nodeapi

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore/stream"
	"github.com/paydoor/paydoor/store"
)

// TestWhatComesInIsOnePayment counts packets, ends, pauses and restarts.
func TestWhatComesInIsOnePayment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	b := newBedOn(t, s, nil)
	for name, token := range map[string]string{"alice": aliceKey, "bob": bobKey} {
		b.ask(t, "POST", "/accounts", asAdmin, account(name, token))
	}
	history := func() (got []string) {
		t.Helper()
		all, _ := b.pages(t, "alice", asAdmin, "", 100)
		for _, p := range all {
			got = append(got, fmt.Sprint(p["amount"], " in ", p["packets"], " ", p["state"], " ", p["connection_closed"]))
		}
		balance, _ := b.books.Balance("alice")
		if net := netOf(t, all); net != balance.Net() {
			t.Errorf("the history adds up to %d, the balance is %d", net, balance.Net())
		}
		return got
	}
	check := func(when string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, history()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	end := func(s *stream.Builder) { s.ConnectionClose(stream.ConnectionClose{Code: stream.NoError}) }
	one, two := b.invoice(t, "/accounts/alice/spsp"), b.invoice(t, "/accounts/alice/spsp")
	b.deliver(t, one.packet(t, "bob", 1, 0, end))
	check("what was not paid is nothing")
	first := one.packet(t, "bob", 2, 5, nil)
	b.deliver(t, first)
	b.deliver(t, first)
	b.deliver(t, two.packet(t, "bob", 1, 100, nil))
	longer := one.packet(t, "bob", 3, 7, nil)
	longer.Destination = append(longer.Destination, ".more"...)
	b.deliver(t, longer)
	check("two addresses", "100 in 1 under_way false", "12 in 2 under_way false")

	b.API.Close()
	b.node.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b = newBedOn(t, openStore(t, dir), nil)
	b.deliver(t, one.packet(t, "bob", 4, 1, end))
	b.deliver(t, one.packet(t, "bob", 5, 2, nil)) // overtaken by the end
	check("after a restart and the end", "100 in 1 under_way false", "15 in 4 completed true")

	b.directory.history.mu.Lock()
	for e := b.directory.history.waiting.Front(); e != nil; e = e.Next() {
		a := e.Value.(*incomingPayment)
		a.changed = a.changed.Add(-arrivalIdle - time.Second)
	}
	b.directory.history.mu.Unlock()
	b.deliver(t, one.packet(t, "bob", 6, 9, nil))
	check("after a pause", "9 in 1 under_way false", "100 in 1 under_way false", "15 in 4 completed true")
	if n := len(b.directory.history.arriving); n != 1 {
		t.Errorf("%d payments are still awaited", n)
	}
}

// TestWhatIsMovedBackIsNotReceived: the record goes with the money.
func TestWhatIsMovedBackIsNotReceived(t *testing.T) {
	h, err := openHistory(openStore(t, filepath.Join(t.TempDir(), "store")))
	if err != nil {
		t.Fatal(err)
	}
	d := paymentDetails{Direction: received, Begun: time.Now(), Destination: "test.node.alice.segment"}
	join := func(f connector.Along, units int64) {
		t.Helper()
		ticket, err := h.store.Join(func(g *store.Group) { f(g, units) })
		if err != nil || ticket.Wait(t.Context()) != nil {
			t.Fatal(err)
		}
	}
	one, other := h.arrives("u", d), h.arrives("u", d)
	for _, step := range []struct {
		f     connector.Along
		units int64
		want  []amount.Amount
	}{{one, 5, []amount.Amount{5}}, {other, 7, []amount.Amount{12}}, {one, -5, []amount.Amount{7}}, {other, -7, nil}, {h.arrives("u", d), 3, []amount.Amount{3}}} {
		join(step.f, step.units)
		p, err := h.page("u", pageQuery{limit: 10})
		var got []amount.Amount
		for _, one := range p.payments {
			got = append(got, one.units)
		}
		if diff := cmp.Diff(step.want, got); diff != "" || err != nil {
			t.Errorf("after %d: %v\n%s", step.units, err, diff)
		}
	}
	// Of too many at once the oldest is taken to have ended.
	for range mostArrivals {
		h.arriving[arrivalKey{uuid: rand.Text()}] = nil
	}
	e := d
	e.Destination = "test.node.alice.another"
	join(h.arrives("u", e), 1)
	if _, ok := h.arriving[arrivalOf("u", []byte(d.Destination))]; ok {
		t.Error("the oldest is still awaited")
	}
}
