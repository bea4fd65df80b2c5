//go:build linux

package main

// This file is the Caddyfile of every gateway here.

import (
	"fmt"
	"net/netip"
	"strings"
)

const (
	price      = 10 // of most paths
	cheap      = 3  // of /cheap
	cheapPath  = "/cheap"
	dropPath   = "/drop" // the backend closes the connection: no charge
	failPath   = "/fail" // the backend answers 500: charged
	durGroup   = "group"
	durProcess = "process"
)

// settings are what differs between gateways.
type settings struct {
	data       string // data_dir
	durability string
	minFree    string // "": the default
	secret     string // of the neighbours
	parent     netip.AddrPort
	backend    netip.AddrPort
	admin      netip.AddrPort
	site       netip.AddrPort
	node       netip.AddrPort
	note       string // a comment in the answers to /note, to make configs differ
}

func (s settings) caddyfile() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{\n\tadmin %s\n\tauto_https off\n\tpersist_config off\n\tgrace_period 2s\n", s.admin)
	fmt.Fprintf(&b, "\tilp {\n\t\tdata_dir %s\n\t\tasset USD 9\n\t\tdurability %s\n", s.data, s.durability)
	if s.minFree != "" {
		fmt.Fprintf(&b, "\t\tmin_free %s\n", s.minFree)
	}
	const limits = "\t\t\tpackets_per_minute 1000000000\n\t\t}\n"
	if s.parent.IsValid() {
		fmt.Fprintf(&b, "\t\taccount uplink {\n\t\t\trelation parent\n\t\t\tbtp btp+ws://torture:%s@%s\n%s", s.secret, s.parent, limits)
	} else {
		b.WriteString("\t\taddress " + nodeAddress + "\n")
	}
	fmt.Fprintf(&b, "\t\taccount payer {\n\t\t\trelation child\n\t\t\thttp {\n\t\t\t\tincoming simple %s\n\t\t\t}\n%s\t}\n}\n", s.secret, limits)
	fmt.Fprintf(&b, "\nhttp://:%d {\n\tbind 127.0.0.1\n\tpaywall {\n\t\tprice %d\n\t\tprice %s %d\n\t\tfree /note\n\t}\n", s.site.Port(), price, cheapPath, cheap)
	if s.note != "" {
		fmt.Fprintf(&b, "\trespond /note %q\n", s.note)
	}
	fmt.Fprintf(&b, "\treverse_proxy %s\n}\n\nhttp://:%d {\n\tbind 127.0.0.1\n\tilp_node\n}\n", s.backend, s.node.Port())
	return b.String()
}
