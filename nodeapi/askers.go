package nodeapi

// This file limits how often one client may ask what is answered to everybody.

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	asksPerSecond = 10
	asksAtOnce    = 100
	askersAtMost  = 10000 // remembered; then all are forgotten
)

// askers counts by address; of IPv6 by network of 64 bits, which is what one client has.
type askers struct {
	mu   sync.Mutex
	seen map[netip.Prefix]*rate.Limiter
}

// allow says whether the client at remote, host and port, may ask now. Where there is no address, everybody is one client.
func (a *askers) allow(remote string, now time.Time) bool {
	var client netip.Prefix
	if peer, err := netip.ParseAddrPort(remote); err == nil {
		addr, bits := peer.Addr().Unmap(), 64
		if addr.Is4() {
			bits = 32
		}
		client, _ = addr.WithZone("").Prefix(bits)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	limiter := a.seen[client]
	if limiter == nil {
		if len(a.seen) >= askersAtMost || a.seen == nil {
			a.seen = make(map[netip.Prefix]*rate.Limiter)
		}
		limiter = rate.NewLimiter(asksPerSecond, asksAtOnce)
		a.seen[client] = limiter
	}
	return limiter.AllowN(now, 1)
}
