package btp

// This file bounds how often one address may try to log in.

import (
	"net/netip"
	"sync"
	"time"
)

const (
	attemptBurst    = 60          // failed or unfinished attempts in a row
	attemptInterval = time.Second // after which one more is allowed
	attemptEntries  = 10_000      // addresses that are told apart
)

// attempts counts the logins of each address that have not succeeded: a bucket per address, kept as the time when it is full again.
type attempts struct {
	mu    sync.Mutex
	full  map[netip.Prefix]time.Time
	swept time.Time
}

// start takes an attempt from the address's bucket and returns how to give it back after success; false when there is none.
func (a *attempts) start(address string, now time.Time) (undo func(), ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.full == nil {
		a.full = make(map[netip.Prefix]time.Time)
	}
	key := a.bucket(network(address), now)
	full := a.full[key]
	if full.Before(now) {
		full = now
	}
	full = full.Add(attemptInterval)
	if full.Sub(now) > attemptBurst*attemptInterval {
		return nil, false
	}
	a.full[key] = full
	return func() { a.giveBack(key) }, true
}

// bucket returns the key itself while there is room. Beyond it, newcomers share one bucket.
func (a *attempts) bucket(key netip.Prefix, now time.Time) netip.Prefix {
	if _, known := a.full[key]; known || len(a.full) < attemptEntries {
		return key
	}
	if now.Sub(a.swept) >= time.Second { // a flood of addresses must not make us sweep for each
		a.swept = now
		for other, full := range a.full {
			if !full.After(now) {
				delete(a.full, other)
			}
		}
	}
	if len(a.full) < attemptEntries {
		return key
	}
	return netip.Prefix{}
}

func (a *attempts) giveBack(key netip.Prefix) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if full, known := a.full[key]; known {
		a.full[key] = full.Add(-attemptInterval)
	}
}

// network returns what an address counts as: an IPv4 address by itself, an IPv6 address with its /64. What is no address shares one bucket.
func network(address string) netip.Prefix {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		withPort, err := netip.ParseAddrPort(address)
		if err != nil {
			return netip.Prefix{}
		}
		ip = withPort.Addr()
	}
	ip = ip.Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
