package spsp

// This file limits how often one client may ask what is answered to everybody.

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How often one client may ask.
const (
	AsksPerSecond = 10
	AsksAtOnce    = 100
	askersAtMost  = 10000 // remembered; then all are forgotten
)

// Askers counts questions by address; of IPv6 by network of 64 bits, which is what one client has. The zero value is ready for use, and safe
// for concurrent use.
type Askers struct {
	mu   sync.Mutex
	seen map[netip.Prefix]*rate.Limiter
}

// Allow says whether the client at remote, host with or without port, may ask now. Where there is no address, everybody is one client.
func (a *Askers) Allow(remote string, now time.Time) bool {
	client := network(remote)
	a.mu.Lock()
	defer a.mu.Unlock()
	limiter := a.seen[client]
	if limiter == nil {
		if len(a.seen) >= askersAtMost || a.seen == nil {
			a.seen = make(map[netip.Prefix]*rate.Limiter)
		}
		limiter = rate.NewLimiter(AsksPerSecond, AsksAtOnce)
		a.seen[client] = limiter
	}
	return limiter.AllowN(now, 1)
}

// network is what one client has of the address in remote.
func network(remote string) (client netip.Prefix) {
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		peer, err := netip.ParseAddrPort(remote)
		if err != nil {
			return client
		}
		addr = peer.Addr()
	}
	addr = addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	client, _ = addr.Prefix(bits)
	return client
}
