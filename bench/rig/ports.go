package rig

// This file finds ports.

import (
	"net"
	"net/netip"
)

// FreePorts returns ports of loopback that nothing listens on just now.
func FreePorts(n int) (ports []netip.AddrPort, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all together, so that no port comes twice
		ports = append(ports, l.Addr().(*net.TCPAddr).AddrPort())
	}
	return ports, nil
}
