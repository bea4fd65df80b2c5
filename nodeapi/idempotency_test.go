package nodeapi

// This file holds what is kept of an Idempotency-Key against whatever could lose it: time, a full disk, and the hourly sweep.

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/store"
)

// TestAnInterruptedPaymentIsNotForgotten: as long as nobody knows what was paid, the same key pays nothing.
func TestAnInterruptedPaymentIsNotForgotten(t *testing.T) {
	s, now := honest(), time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	b := rustBed(t, func(c *Config) { c.Sender, c.Now = s, func() time.Time { return now } })
	o := Outgoing{Receiver: "$payment-pointer.example", Amount: 1000000, Slippage: defaultSlippage}
	if err := b.directory.put(t.Context(), answerKey+answerID(aliceUUID(t, b), "k"), answerRecord{Input: hashOf(o.input()), At: now}); err != nil {
		t.Fatal(err)
	}
	for _, later := range []time.Duration{0, 25 * time.Hour, 1000 * time.Hour} {
		now = now.Add(later)
		if err := b.directory.deleteAnswers(t.Context(), now.Add(-answerLifetime)); err != nil {
			t.Fatal(err)
		}
		if w := b.askToPay(t, asAlice, "k", fromSeed); w.Code != http.StatusConflict || s.count() != 0 {
			t.Errorf("after %s: %d %s, %d payments", later, w.Code, w.Body, s.count())
		}
	}
}

// filler is a Sender that pays while the disk fills up.
type filler struct {
	*teller
	free *atomic.Uint64
}

func (f filler) Pay(ctx context.Context, o Outgoing) (Delivery, error) {
	f.free.Store(0)
	time.Sleep(150 * time.Millisecond) // until the store looks again
	return f.teller.Pay(ctx, o)
}

func TestTheAnswerToAPaymentIsKeptOnAFullDisk(t *testing.T) {
	var free atomic.Uint64
	free.Store(1 << 40)
	opened, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store"), store.Options{
		MinFree: 1 << 20, Ballast: -1, FreeSpace: func(string) (uint64, error) { return free.Load(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	s := honest()
	b := newBedOn(t, opened, func(c *Config) { c.Sender = filler{s, &free} })
	b.ask(t, "POST", "/accounts", asAdmin, account("alice", aliceKey))
	first := b.askToPay(t, asAlice, "k", fromSeed)
	if again := b.askToPay(t, asAlice, "k", fromSeed); first.Code != 200 || again.Code != 200 || again.Body.String() != first.Body.String() || s.count() != 1 {
		t.Errorf("%d %s, then %d %s; %d payments", first.Code, first.Body, again.Code, again.Body, s.count())
	}
	if w := b.askToPay(t, asAlice, "other", fromSeed); w.Code != http.StatusServiceUnavailable || s.count() != 1 {
		t.Errorf("another: %d %s", w.Code, w.Body)
	}
}

// TestTheSweepLeavesAKeyThatIsInUse: one that was old when the sweep looked, and is written down anew before it deletes.
func TestTheSweepLeavesAKeyThatIsInUse(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := honest()
	s.wait = make(chan struct{})
	b := rustBed(t, func(c *Config) { c.Sender, c.Now = s, func() time.Time { return now } })
	d, id := b.directory, answerID(aliceUUID(t, b), "k")
	if err := d.put(t.Context(), answerKey+id, answerRecord{At: now.Add(-2 * answerLifetime), Status: 200, Body: []byte("7")}); err != nil {
		t.Fatal(err)
	}
	open, held := make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = d.store.Join(func(*store.Group) { close(held); <-open }) // others cannot join
	}()
	<-held
	paid, swept := make(chan *httptest.ResponseRecorder), make(chan error)
	go func() { paid <- b.askToPay(t, asAlice, "k", fromSeed) }()
	begun := func() bool {
		d.answers.mu.Lock()
		defer d.answers.mu.Unlock()
		_, ok := d.answers.running[id]
		return ok
	}
	for !begun() {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // it has seen the old answer, and waits to write down the new one
	go func() { swept <- d.deleteAnswers(t.Context(), now.Add(-answerLifetime)) }()
	time.Sleep(50 * time.Millisecond)
	close(open)
	if err := <-swept; err != nil {
		t.Fatal(err)
	}
	for s.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	if r, err := d.answer(id); err != nil || r == nil || r.Status != 0 {
		t.Errorf("while it is being paid %+v is kept, %v", r, err)
	}
	close(s.wait)
	if w := <-paid; w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
