package payer

// This file lets several requests be one for the caps: a request and those that redirects make of it.

import (
	"context"
	"sync"

	"github.com/paydoor/paydoor/amount"
)

// Together returns a context whose requests to one host count as one request against the cap per request. http.Client follows redirects with the context
// of the first request, so with it a server cannot have the cap again for each redirect to itself.
func Together(ctx context.Context) context.Context {
	return context.WithValue(ctx, purseKey{}, &purse{spent: map[string]amount.Amount{}})
}

type purseKey struct{}

// purse is what was spent for a request, by host, or may have been.
type purse struct {
	mu    sync.Mutex
	spent map[string]amount.Amount
}

// purseOf returns the purse of Together, or a new one.
func purseOf(ctx context.Context) *purse {
	if shared, ok := ctx.Value(purseKey{}).(*purse); ok {
		return shared
	}
	return &purse{spent: map[string]amount.Amount{}}
}

func (p *purse) spentAt(host string) amount.Amount {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spent[host]
}

func (p *purse) spend(host string, n amount.Amount) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spent[host] = p.spent[host].Saturate(n)
}
