package nodeapi

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// TestOldPaymentsBecomeSums: what is forgotten still adds up, and what is young stays.
func TestOldPaymentsBecomeSums(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	b := newBedOn(t, s, streaming)
	for name, token := range map[string]string{"alice": aliceKey, "bob": bobKey} {
		b.ask(t, "POST", "/accounts", asAdmin, account(name, token))
	}
	for i := range 10 {
		b.pays(t, "alice", aliceKey, "bob", 100+i, 200)
		b.pays(t, "bob", bobKey, "alice", 10+i, 200)
	}
	total := func(account string) (kept int, net int64) {
		t.Helper()
		all, earlier := b.pages(t, account, asAdmin, "", 7)
		net = netOf(t, all)
		for name, sign := range map[string]int64{"sent_amount": -1, "received_amount": 1} {
			if text, ok := earlier[name].(string); ok {
				n, err := amount.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				net += sign * int64(n)
			}
		}
		return len(all), net
	}
	check := func(when string, now time.Time, retention time.Duration, most, want int) {
		t.Helper()
		if err := b.directory.history.forget(t.Context(), now, retention, most); err != nil {
			t.Fatal(err)
		}
		for _, account := range []string{"alice", "bob"} {
			balance, _ := b.books.Balance(ilpcore.AccountID(account))
			if kept, net := total(account); kept != want || net != balance.Net() {
				t.Errorf("%s %s has %d payments, want %d; they add up to %d, and the balance is %d", when, account, kept, want, net, balance.Net())
			}
		}
	}
	now := time.Now()
	check("when nothing is old,", now, time.Hour, 3, 20)
	later := now.Add(2 * time.Hour)
	check("without a retention", later, 0, 100, 20)
	check("with too many", later, 0, 15, 15)
	check("with a retention", later, time.Hour, 100, 0)
	check("again", later, time.Hour, 100, 0)
	for _, authorization := range []string{asAdmin, basic} {
		if w := b.ask(t, "GET", "/accounts/alice/payments", authorization, ""); !strings.Contains(w.Body.String(), `:"1045"`) || !strings.Contains(w.Body.String(), `:"145"`) {
			t.Errorf("%s", w.Body)
		}
	}
	b.pays(t, "alice", aliceKey, "bob", 1, 200)
	check("with a new one", later, time.Minute, 100, 0)
}

// TestTheEndOfAForgottenPayment: whoever closes what he paid long ago brings none of it back.
func TestTheEndOfAForgottenPayment(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "store")
		s := openStore(t, dir)
		var h *history
		reopen := func() {
			t.Helper()
			if h != nil {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = openStore(t, dir)
			}
			var err error
			if h, err = openHistory(s); err != nil {
				t.Fatal(err)
			}
		}
		reopen()
		now := time.Now().UTC()
		d := paymentDetails{Direction: received, Begun: now, Destination: "test.node.alice.segment"}
		ticket, err := s.Join(func(g *store.Group) { h.arrives("u", d)(g, 5) })
		if err != nil || ticket.Wait(t.Context()) != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Hour)
		if err := h.forget(t.Context(), now, time.Hour, mostPayments); err != nil {
			t.Fatal(err)
		}
		if restarted {
			reopen()
		}
		h.close("u", []byte(d.Destination), now)
		reopen() // what was written is there
		p, err := h.page("u", pageQuery{limit: 10})
		if err != nil || len(p.payments) != 0 || p.earlier.Received != amount.Amount(5).Sum() || p.earlier.ReceivedPayments != 1 {
			t.Errorf("restarted %v: the history has %+v, %v", restarted, p, err)
		}
	}
}

// TestForgettingEndsWithWhatItHasWritten: the next walk reads the sums, so this one does not leave them half way to the disk.
func TestForgettingEndsWithWhatItHasWritten(t *testing.T) {
	s, hold := heldStore(t)
	h, err := openHistory(s)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	ticket, err := s.Join(func(g *store.Group) {
		h.arrives("u", paymentDetails{Direction: received, Begun: now, Destination: "test.node.alice.segment"})(g, 5)
	})
	if err != nil || ticket.Wait(t.Context()) != nil {
		t.Fatal(err)
	}
	arrived, letGo := hold()
	defer letGo()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.forget(ctx, now.Add(2*time.Hour), time.Hour, mostPayments) }()
	<-arrived
	cancel()
	select {
	case err := <-ended:
		t.Errorf("it ended before its change was durable: %v", err)
		letGo()
	case <-time.After(50 * time.Millisecond):
		letGo()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
