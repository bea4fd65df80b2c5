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
	charges int // answers with 200
}

type buyerKey struct{}

func newBuyer(w *world, seed uint64, i int) *buyer {
	b := &buyer{world: w, random: mathrand.New(mathrand.NewPCG(seed, uint64(i)+1))}
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
	b.mu.Lock()
	charges := b.charges
	b.mu.Unlock()
	if charges > 1 || served && charges == 0 {
		w.fault("a request with the result %v, %v was charged %d times", response, err, charges)
	}
}

// hop is one of the requests that a buyer's becomes when it is redirected: what its host asks for and gets, and what leaves for it.
type hop struct {
	buyer *buyer

	mu        sync.Mutex
	price     amount.Amount // the highest that was asked for
	charged   bool
	delivered amount.Amount
	left      amount.Amount // of the payer
}

type hopKey struct{}

func hopOf(ctx context.Context) *hop { return ctx.Value(hopKey{}).(*hop) }

func (p *hop) quoted(price amount.Amount) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.price = max(p.price, price)
}

func (p *hop) charge() {
	p.mu.Lock()
	p.charged = true
	p.mu.Unlock()
	p.buyer.mu.Lock()
	defer p.buyer.mu.Unlock()
	p.buyer.charges++
}

// hops is a Transport that knows where one request ends and the next begins.
type hops struct{ *Transport }

func (h hops) RoundTrip(r *http.Request) (*http.Response, error) {
	b := r.Context().Value(buyerKey{}).(*buyer)
	p := &hop{buyer: b}
	response, err := h.Transport.RoundTrip(r.WithContext(context.WithValue(r.Context(), hopKey{}, p)))
	p.mu.Lock()
	left := p.left
	p.mu.Unlock()
	if most := b.world.limits.PerRequest; most > 0 && left > most {
		b.world.fault("%s left for one request, and the cap is %s", left, most)
	}
	return response, err
}
