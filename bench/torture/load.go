//go:build linux

package main

// This file is the load: packets over both kinds of link, and paid requests.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/bench/rig"
	"github.com/paydoor/paydoor/ilpcore"
)

const (
	overBTP   = 12 // packets under way at most
	overHTTP  = 6
	requests  = 16
	craftLife = 40 * time.Second // how far ahead packets expire
	patience  = 30 * time.Second // for an answer
)

var freePorts = rig.FreePorts

// errRefused makes a sender wait a little.
var errRefused = errors.New("a packet was rejected")

// sender is a link to the gateway.
type sender interface {
	send(ctx context.Context, packet []byte) (ilpcore.Reply, error)
}

// craft makes a packet of the record.
func (b *bed) craft(t *token, n amount.Amount, life time.Duration, random io.Reader) (*packet, error) {
	var p rig.Payment
	expires := time.Now().Add(life)
	if err := p.Craft(t.keys, t.address, n, expires, random); err != nil {
		return nil, err
	}
	return &packet{account: t.account, amount: n, condition: p.Condition, fulfillment: p.Fulfillment, bytes: p.Packet, expires: expires}, nil
}

// pay sends a packet and notes the answer; an error says that there was none.
func (b *bed) pay(ctx context.Context, link sender, p *packet) error {
	b.record.send(p)
	ctx, cancel := context.WithTimeout(ctx, min(patience, time.Until(p.expires)+2*time.Second)) // some are never answered
	defer cancel()
	reply, err := link.send(ctx, p.bytes)
	if errors.Is(err, errNotSent) {
		b.record.forget(p)
	}
	if err == nil {
		b.record.answer(p, reply)
	}
	return err
}

// load is the load on a bed.
type load struct {
	*bed
	persistent bool          // go on after errors: the gateway stays, or comes back
	life       time.Duration // of every other packet; the rest live for long
	stop       context.CancelFunc
	ctx        context.Context
	working    sync.WaitGroup
}

// startLoad starts everybody; end waits until they have ended. Without persistent each ends at its first error.
func (b *bed) startLoad(ctx context.Context, persistent bool, life time.Duration) *load {
	l := &load{bed: b, persistent: persistent, life: life}
	l.ctx, l.stop = context.WithCancel(ctx)
	if b.parent != nil {
		for range overBTP {
			l.each(func(r *worker) error { return l.packet(r, b.parent) })
		}
	}
	for range overHTTP {
		l.each(func(r *worker) error { return l.packet(r, b.child) })
	}
	for range requests {
		l.each(l.request)
	}
	return l
}

// end lets everybody finish what is under way.
func (l *load) end() {
	l.stop()
	l.working.Wait()
	l.child.client.CloseIdleConnections()
}

// worker has randomness of its own, so that its choices depend on the seed alone.
type worker struct {
	*rand.Rand
	bytes *rand.ChaCha8
	name  string
	count int
}

func (l *load) each(f func(*worker) error) {
	var key [32]byte
	_, _ = l.bytes.Read(key[:])
	w := &worker{bytes: rand.NewChaCha8(key), name: fmt.Sprintf("%x", key[:6])}
	w.Rand = rand.New(w.bytes)
	l.working.Go(func() {
		for l.ctx.Err() == nil {
			w.count++
			if err := f(w); err != nil {
				if !l.persistent {
					return
				}
				select {
				case <-l.ctx.Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
		}
	})
}

// packet pays somebody.
func (l *load) packet(w *worker, link sender) error {
	n, t := amount.Amount(1+w.IntN(1000)), &l.tokens[w.IntN(richTokens)]
	switch w.IntN(4) {
	case 0:
		t = &l.tokens[0]
	case 1:
		n, t = amount.Amount(1+w.IntN(30)), &l.tokens[richTokens+w.IntN(poorTokens)]
	}
	life := craftLife
	if l.life != 0 && w.IntN(2) == 0 {
		life = l.life
	}
	p, err := l.craft(t, n, life, w.bytes)
	if err != nil {
		return err
	}
	// Not with the load's own context: whoever has sent waits for the answer.
	err = l.pay(context.Background(), link, p)
	if err == nil && p.fate != fulfilled && l.persistent {
		return errRefused
	}
	return err
}

// request spends of somebody's money.
func (l *load) request(w *worker) error {
	t := &l.tokens[w.IntN(len(l.tokens))]
	if w.IntN(3) == 0 {
		t = &l.tokens[0]
	}
	path, cost := "/", uint64(price)
	switch w.IntN(20) {
	case 0:
		path = dropPath
	case 1:
		path = failPath
	case 2, 3, 4, 5:
		path, cost = cheapPath, cheap
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// A POST, because net/http would send a GET again by itself, and nobody would know.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.settings.site.String()+path, nil)
	if err != nil {
		return err
	}
	id := w.name + "." + strconv.Itoa(w.count)
	request.Header.Set("Pay-Token", t.text)
	request.Header.Set(idHeader, id)
	began := time.Now()
	answer, err := l.client.Do(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, answer.Body) // a paid answer has begun with its header
		_ = answer.Body.Close()
	}
	return l.answered(t, id, cost, began, answer, err)
}

// answered judges what came of a request.
func (l *load) answered(t *token, id string, cost uint64, began time.Time, answer *http.Response, err error) error {
	served := l.backend.take(id)
	switch {
	case errors.Is(sentOrNot(err), errNotSent) && err != nil:
		return err
	case err != nil:
		l.record.request(t.account, cost, began, false)
		return err
	}
	l.record.status(answer.StatusCode)
	switch {
	case answer.Header.Get(idHeader) == id:
		l.record.request(t.account, cost, began, true)
		if !served {
			l.record.blame("an answer has come that the backend has not given")
		}
	case answer.StatusCode == http.StatusPaymentRequired:
		balance, err := amount.Parse(answer.Header.Get("Pay-Balance"))
		if served || err != nil || uint64(balance) >= cost {
			l.record.blame(violation(fmt.Sprintf("a request for %d was refused with 402 and a balance of %q (the backend has seen it: %v)",
				cost, answer.Header.Get("Pay-Balance"), served)))
		}
	case answer.StatusCode == http.StatusServiceUnavailable && l.record.doubts():
		l.record.request(t.account, cost, began, false)
	case answer.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("status %d", answer.StatusCode)
	case answer.StatusCode == http.StatusBadGateway && served: // the backend dropped it: no charge
	default:
		l.record.blame(violation(fmt.Sprintf("a request for %d was answered with status %d", cost, answer.StatusCode)))
	}
	return nil
}
