package nodeapi

// This file ends the payments that are being made when the API is closed.

import (
	"context"
	"sync"
)

// paying is the payments under way.
type paying struct {
	mu       sync.Mutex
	closed   bool
	stop     context.Context // ends with close
	cancel   context.CancelFunc
	underWay sync.WaitGroup
}

func newPaying() *paying {
	p := new(paying)
	p.stop, p.cancel = context.WithCancel(context.Background())
	return p
}

// begin returns a context for a payment, which ends with ctx and with close; done is called when the payment has ended. ok is false after
// close.
func (p *paying) begin(ctx context.Context) (paying context.Context, done func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, false
	}
	p.underWay.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	detach := context.AfterFunc(p.stop, cancel)
	return ctx, func() {
		detach()
		cancel()
		p.underWay.Done()
	}, true
}

// close has the payments under way stop, and waits until they have.
func (p *paying) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.underWay.Wait()
}
