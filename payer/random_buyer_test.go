package payer

// This file is the buyers of the randomised test: each makes one request, and looks at what comes of it.

import (
	"context"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// buyer makes one request. All that happens to it is drawn from its own source.
type buyer struct {
	world *world
	begin time.Duration
	day   int64
	body  string

	mu      sync.Mutex
	random  *mathrand.Rand
	prices  map[string]amount.Amount // the highest that each host asked for
	charges map[string]amount.Amount
	times   map[string]int // of charges
	left    amount.Amount  // of the payer for it

	delivered map[string]amount.Amount // of that, to each host
}

type buyerKey struct{}

func newBuyer(w *world, seed uint64, i int) *buyer {
	b := &buyer{
		world: w, random: mathrand.New(mathrand.NewPCG(seed, uint64(i)+1)), times: map[string]int{},
		prices: map[string]amount.Amount{}, charges: map[string]amount.Amount{}, delivered: map[string]amount.Amount{},
	}
	// In the morning, so that all is over before midnight; some at nearly the same time.
	b.begin = time.Duration(b.int(randomDays))*24*time.Hour + time.Duration(b.int(30))*time.Minute + time.Duration(b.int(3000))*time.Millisecond
	b.body = strings.Repeat("x", b.int(50))
	return b
}

func (b *buyer) int(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.random.IntN(n)
}

func (b *buyer) quoted(host string, price amount.Amount) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prices[host] = max(b.prices[host], price)
}

func (b *buyer) charged(host string, price amount.Amount) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.charges[host] += price
	b.times[host]++
}

// onceBody is a body that can be read once, and has to be closed.
type onceBody struct {
	io.Reader
	closed bool
}

func (o *onceBody) Close() error {
	o.closed = true
	return nil
}

// buy sends the request, and looks at what its caller gets.
func (b *buyer) buy(t *testing.T, transport *Transport) {
	time.Sleep(b.begin)
	b.day = dayOf(time.Now())
	ctx := context.WithValue(context.Background(), buyerKey{}, b)
	patience := 3 * time.Minute
	if b.int(4) == 0 {
		patience = time.Duration(100+b.int(20000)) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	method, body := http.MethodGet, io.Reader(nil)
	var once *onceBody
	switch b.int(4) {
	case 0:
		method, body = http.MethodPost, strings.NewReader(b.body)
	case 1:
		once = &onceBody{Reader: strings.NewReader(b.body)}
		method, body = http.MethodPost, once
	}
	url := fmt.Sprintf("https://%s/%d", b.world.names[b.int(len(b.world.names))], 1+b.int(100))
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Error(err)
		return
	}
	response, err := (&http.Client{Transport: hops{transport}}).Do(r)
	if err == nil {
		response.Body.Close()
	}
	if once != nil && !once.closed {
		b.world.fault("a body was left open")
	}
	b.judge(response, err)
}

// judge counts what came of the request.
func (b *buyer) judge(response *http.Response, err error) {
	w := b.world
	served := err == nil && response.StatusCode == http.StatusOK
	w.mu.Lock()
	w.tally.Requests++
	switch {
	case errors.Is(err, ErrCap):
		w.tally.Capped++
	case err != nil:
		w.tally.Failed++
	case served:
		w.tally.Served++
	default:
		w.tally.Unserved++
	}
	w.mu.Unlock()
	if served && len(b.charges) == 0 || len(b.charges) > 1 {
		w.fault("a request with the result %v, %v was charged %v", response, err, b.charges)
	}
	for host, n := range b.times {
		if n > 1 {
			w.fault("%s has served one request %d times", host, n)
		}
	}
}

// hops lets the way of the packets know for which request they are: whoever is redirected makes several.
type hops struct{ *Transport }

type hopKey struct{}

func (h hops) RoundTrip(r *http.Request) (*http.Response, error) {
	left := new(atomic.Uint64)
	response, err := h.Transport.RoundTrip(r.WithContext(context.WithValue(r.Context(), hopKey{}, left)))
	w := r.Context().Value(buyerKey{}).(*buyer).world
	if most := w.limits.PerRequest; most > 0 && left.Load() > uint64(most) {
		w.fault("%d left for one request, and the cap is %s", left.Load(), most)
	}
	return response, err
}
