package payer

// This file remembers what is known of each host that a Transport pays: its balance, and payments whose outcome is unknown.

import (
	"context"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// mostHosts is how many hosts are remembered before idle ones are forgotten.
const mostHosts = 4096

// hosts is a memory of hosts. The zero value is empty.
type hosts struct {
	mu     sync.Mutex
	byName map[string]*host
	forgot bool // some have been forgotten
}

// get returns the host of that name.
func (h *hosts) get(name string) *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.find(name)
}

// arrive begins a request to the host of that name, until depart. In between the host is not forgotten: two memories of one host would not know of
// each other's payments.
func (h *hosts) arrive(name string) (*host, visit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.find(name)
	return found, found.arrive()
}

func (h *hosts) find(name string) *host {
	if found := h.byName[name]; found != nil {
		return found
	}
	if h.byName == nil {
		h.byName = map[string]*host{}
	}
	if len(h.byName) >= mostHosts {
		for other, idle := range h.byName {
			if idle.forgettable() {
				delete(h.byName, other)
				h.forgot = true
				break
			}
		}
	}
	found := &host{turn: make(chan struct{}, 1)}
	if h.forgot {
		found.protocol = 1 // there may be a connection to it all the same, on which a request must not be sent twice
	}
	h.byName[name] = found
	return found
}

// host is what is known of one host.
type host struct {
	turn chan struct{} // full while somebody pays

	mu       sync.Mutex
	balance  amount.Amount
	known    bool
	promised amount.Amount // to requests that were paid and have not been answered
	payments uint64
	arrivals uint64
	present  int       // requests under way
	short    bool      // it knows tokens of 16 bytes only
	protocol int       // the version of HTTP of its last answer; 0: there was none
	doubted  time.Time // until then a payment may arrive that nobody told of
}

// enter waits for the turn to pay. leave ends it.
func (h *host) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.turn <- struct{}{}:
		return func() { <-h.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *host) says(balance amount.Amount) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.balance, h.known = balance, true
}

func (h *host) said() (balance amount.Amount, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.balance, h.known
}

// visit is what was when a request began.
type visit struct {
	payments uint64 // to the host so far
	arrivals uint64 // of requests so far, with itself
}

func (h *host) arrive() visit {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.present++
	h.arrivals++
	return visit{h.payments, h.arrivals}
}

func (h *host) depart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.present--
}

// shared says whether other requests of ours were under way together with the one of v.
func (h *host) shared(v visit) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.present > 1 || h.arrivals != v.arrivals
}

// changed says whether what a request has heard of its price may be out of date: others paid since, or will be charged, or a payment's
// outcome is unknown.
func (h *host) changed(v visit) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.payments != v.payments || h.promised > 0 || !h.doubted.IsZero()
}

// spendable returns what of balance is not promised to other requests.
func (h *host) spendable(balance amount.Amount) amount.Amount {
	h.mu.Lock()
	defer h.mu.Unlock()
	left, _ := balance.Sub(h.promised)
	return left
}

// paid promises price to a request, until used.
func (h *host) paid(price amount.Amount) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.payments++
	h.promised = h.promised.Saturate(price)
}

func (h *host) used(price amount.Amount) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.promised, _ = h.promised.Sub(price)
}

func (h *host) shorten() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.short = true
}

func (h *host) takesShort() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.short
}

func (h *host) speaks(protocol int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.protocol = protocol
}

func (h *host) speaksHTTP1() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.protocol == 1
}

func (h *host) doubt(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.payments++
	h.doubted = until
}

// doubtful returns how long a payment of unknown outcome may still arrive.
func (h *host) doubtful(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	left := h.doubted.Sub(now)
	if left <= 0 {
		h.doubted = time.Time{}
	}
	return left
}

// forgettable says whether nothing is lost with what is known of the host.
func (h *host) forgettable() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.promised == 0 && h.present == 0 && h.doubted.IsZero() && len(h.turn) == 0
}
