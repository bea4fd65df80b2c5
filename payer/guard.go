package payer

// This file keeps connections to names that strangers chose out of the networks that are not theirs: it looks at the address that a
// name has become, at the moment of dialling, so that no name server can change its mind in between.

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// ErrPrivateAddress says that a connection to an address which is not on the public Internet was refused.
var ErrPrivateAddress = errors.New("not an address on the public Internet")

// PublicOnly returns a net.Dialer's Control that refuses every address which is not public, or in one of the prefixes allowed. It
// judges each connection by the address that is really dialled, whatever the name was. The error wraps ErrPrivateAddress.
//
//	dialer := net.Dialer{Control: payer.PublicOnly()}
func PublicOnly(allow ...netip.Prefix) func(network, address string, c syscall.RawConn) error {
	allow = slices.Clone(allow)
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %q is no address with a port", ErrPrivateAddress, address)
		}
		ip := to.Addr().WithZone("").Unmap()
		if IsPublic(to.Addr()) || slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			return nil
		}
		return fmt.Errorf("%w: %s", ErrPrivateAddress, to.Addr())
	}
}

// IsPublic reports whether ip is an ordinary unicast address of the public Internet: not of this host, of a private or local
// network, for documentation or multicast, and no IPv6 form of an IPv4 address that is not public either (RFC 6890).
func IsPublic(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if ip.Is4() {
		return !slices.ContainsFunc(special4, func(p netip.Prefix) bool { return p.Contains(ip) })
	}
	if nat64.Contains(ip) {
		b := ip.As16()
		return IsPublic(netip.AddrFrom4([4]byte(b[12:])))
	}
	return global6.Contains(ip) && !slices.ContainsFunc(special6, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// PublicHost reports whether host, as a URL names it without port and brackets, can be on the public Internet as far as the text shows: it is no name
// of this machine, no address that IsPublic refuses, and no number that some programs read as an address, such as 127.1 or 0x7f000001. What
// a name becomes is known only when it is dialled, which is for PublicOnly to judge.
func PublicHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return IsPublic(ip)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "" || last == "localhost" || strings.ContainsAny(name, ":%") {
		return false
	}
	digits, hex := strings.CutPrefix(last, "0x")
	isDigit := func(c rune) bool { return c >= '0' && c <= '9' || hex && c >= 'a' && c <= 'f' }
	return strings.ContainsFunc(digits, func(c rune) bool { return !isDigit(c) })
}

// special4 is what IANA has set aside of IPv4 for other ends than the public Internet.
var special4 = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network; 0.0.0.0 reaches this host
	netip.MustParsePrefix("10.0.0.0/8"),      // private
	netip.MustParsePrefix("100.64.0.0/10"),   // behind a provider's NAT
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, and the metadata of cloud machines
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/3"),     // multicast, reserved, broadcast
}

var (
	global6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // an IPv4 address in the last four bytes
	// special6 is what is not public within global6.
	special6 = []netip.Prefix{
		netip.MustParsePrefix("2001::/23"),     // protocol assignments, Teredo
		netip.MustParsePrefix("2001:db8::/32"), // documentation
		netip.MustParsePrefix("2002::/16"),     // 6to4, which holds an IPv4 address
		netip.MustParsePrefix("3fff::/20"),     // documentation
	}
)
