// Package testport gives tests and benchmarks ports of loopback that no other process of theirs gets.
//
// To ask for port 0, or to count up from some number, does not do for it. A port that is free now has to be free still when a server listens
// on it a while later, and Caddy listens with SO_REUSEPORT: two gateways that were told the same port do not fail, they share the
// connections, and each test gets answers of the other's. So a process reserves whole blocks of ports, each by a port of it on which it
// listens until it ends, without that option; then nobody else can listen there, and the block is its own.
package testport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
)

// All blocks lie below 32768, from where on systems take the ports of outgoing connections.
const (
	lowest = 10_000
	length = 100 // of a block, with the port that reserves it
	blocks = (32_768 - lowest) / length
	most   = 8 // blocks that a process reserves, so that there are some for all
)

// ErrNone is that every port is taken.
var ErrNone = errors.New("no port is free for tests")

var own = pool{start: os.Getpid() % blocks, most: most}

// Next returns a port of 127.0.0.1 that nothing listens on, and that neither this process nor another one was given while this one runs.
// Once a process has had so many that others might go short, the oldest come again. The error is ErrNone.
func Next() (netip.AddrPort, error) { return own.next() }

// pool is the ports of a process.
type pool struct {
	start int // the block tried first: ports of a process that has just ended are better left alone for a while
	most  int // blocks

	mu       sync.Mutex
	tried    int            // blocks, from start on
	reserved []net.Listener // one for each block, never closed
	ports    []int          // of these blocks
	used     int            // of ports, since they last began anew
}

func (p *pool) next() (netip.AddrPort, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for began := false; ; p.used++ {
		if p.used == len(p.ports) && !p.reserve() {
			if began || len(p.ports) == 0 {
				return netip.AddrPort{}, fmt.Errorf("%w: all %d of this process are taken", ErrNone, len(p.ports))
			}
			p.used, began = 0, true
		}
		listener, err := listen(p.ports[p.used])
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return netip.AddrPort{}, err
		}
		p.used++
		return listener.Addr().(*net.TCPAddr).AddrPort(), nil
	}
}

// reserve adds a block, if there is one to be had.
func (p *pool) reserve() bool {
	for ; len(p.reserved) < p.most && p.tried < blocks; p.tried++ {
		first := lowest + (p.start+p.tried)%blocks*length
		listener, err := listen(first)
		if err != nil {
			continue
		}
		p.tried++
		p.reserved = append(p.reserved, listener)
		for n := 1; n < length; n++ {
			p.ports = append(p.ports, first+n)
		}
		return true
	}
	return false
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
