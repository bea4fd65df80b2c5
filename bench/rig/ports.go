package rig

// This file finds ports.

import (
	"net/netip"

	"github.com/paydoor/paydoor/internal/testport"
)

// FreePorts returns ports of loopback that nothing listens on just now, and that no test which runs meanwhile gets.
func FreePorts(n int) (ports []netip.AddrPort, err error) {
	for range n {
		port, err := testport.Next()
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
