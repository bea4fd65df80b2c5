// Package loopback says whether a host, as a URL or a Host header names it, is this machine.
package loopback

import "net/netip"

// Host reports whether host, a name or an address without port and brackets, is this machine and can be nothing else. Secrets go to such a host in
// the clear, and play money is for programs on it, so it is strict: "localhost", which no resolver looks up elsewhere, and the addresses of loopback.
// It is not names below localhost or with a dot at the end, which some resolvers ask the network for; nor 0.0.0.0 and ::, which mean all
// addresses; nor an address in another than the usual form, or with a zone, which not every program reads as the same.
func Host(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback()
}
