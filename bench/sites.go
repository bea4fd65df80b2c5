//go:build linux

package main

// This file is the Caddyfiles: the same site with and without paywall, everything else being equal, and a node between neighbours.

import (
	"fmt"
	"net/netip"
	"strings"
)

const price = 10

// idleConns is how many connections to the backend the sites keep, as docs/caddyfile.md advises; Caddy's default is 32.
const idleConns = 1024

func globalOptions(admin netip.AddrPort, more string) string {
	return fmt.Sprintf(`{
	admin %s
	auto_https off
	persist_config off
	log {
		level ERROR
	}
%s}
`, admin, more)
}

func site(address netip.AddrPort, body string) string {
	return fmt.Sprintf("\nhttp://:%d {\n\tbind 127.0.0.1\n%s}\n", address.Port(), body)
}

func proxy(backend netip.AddrPort) string {
	return fmt.Sprintf(`	reverse_proxy %s {
		transport http {
			keepalive_idle_conns_per_host %d
		}
	}
`, backend, idleConns)
}

// bareCaddyfile is a gateway without paywall; a second site of it leaves Caddy's default of idle connections.
func bareCaddyfile(admin, main, untuned, backend netip.AddrPort) string {
	return globalOptions(admin, "") + site(main, proxy(backend)) + site(untuned, fmt.Sprintf("\treverse_proxy %s\n", backend))
}

// syncCaddyfile is a gateway whose answers wait for a shared sync, see bench/floor.
func syncCaddyfile(admin, main, backend netip.AddrPort) string {
	return globalOptions(admin, "") + site(main, "\tsynced\n"+proxy(backend))
}

// postCaddyfile is a server that posts what it gets to another, see bench/floor.
func postCaddyfile(p relayPlan) string {
	return globalOptions(p.admin, "") + site(p.entry, fmt.Sprintf("\tforwarded http://%s/\n", p.far))
}

// peers is how the neighbours of the node that send packets are reached.
type peers struct {
	secret string         // of all of them
	btp    netip.AddrPort // the server that the node dials
	links  int            // how many accounts over BTP
}

// peerName is the account of a BTP link, and its user name.
func peerName(i int) string { return fmt.Sprintf("btp%d", i) }

// paidCaddyfile is a gateway with paywall and node.
func paidCaddyfile(admin, main, node, backend netip.AddrPort, p peers) string {
	var b strings.Builder
	b.WriteString("\tilp {\n\t\tdata_dir data\n\t\taddress test.bench\n\t\tasset USD 9\n")
	limits := "\t\t\tpackets_per_minute 1000000000\n"
	fmt.Fprintf(&b, "\t\taccount payer {\n\t\t\trelation child\n\t\t\thttp {\n\t\t\t\tincoming simple %s\n\t\t\t}\n%s\t\t}\n", p.secret, limits)
	for i := range p.links {
		fmt.Fprintf(&b, "\t\taccount %s {\n\t\t\trelation peer\n\t\t\tbtp btp+ws://%[1]s:%s@%s\n%s\t\t}\n", peerName(i), p.secret, p.btp, limits)
	}
	b.WriteString("\t}\n")
	return globalOptions(admin, b.String()) +
		site(main, fmt.Sprintf("\tpaywall %d\n%s", price, proxy(backend))) +
		site(node, "\tilp_node\n")
}

// relayCaddyfile is a node with the accounts of a relay. It tells and asks for no routes, as ilp-connector beside it.
func relayCaddyfile(p relayPlan) string {
	var b strings.Builder
	b.WriteString("\tilp {\n\t\tdata_dir data\n\t\taddress test.relay\n\t\tasset USD 9\n")
	fmt.Fprintf(&b, "\t\tadmin_token %s\n", p.secret)
	for _, account := range []struct{ name, link string }{
		{httpIn, fmt.Sprintf("http {\n\t\t\t\tincoming simple %s\n\t\t\t}", p.secret)},
		{httpOut, fmt.Sprintf("http http://%s/ {\n\t\t\t\toutgoing simple %s\n\t\t\t}", p.far, p.secret)},
		{btpIn, "btp " + p.link(btpIn)},
		{btpOut, "btp " + p.link(btpOut)},
	} {
		fmt.Fprintf(&b, "\t\taccount %s {\n\t\t\trelation peer\n\t\t\t%s\n\t\t\tpackets_per_minute 1000000000\n\t\t\tsend_routes off\n\t\t\treceive_routes off\n\t\t}\n", account.name, account.link)
	}
	fmt.Fprintf(&b, "\t\troute test.http %s\n\t\troute test.btp %s\n\t}\n", httpOut, btpOut)
	return globalOptions(p.admin, b.String()) + site(p.entry, "\tilp_node\n")
}

// tillCaddyfile is a gateway with a paywall whose node has two accounts of each sender, one for each link. Its limits are for the measured senders.
func tillCaddyfile(admin, main, node, backend netip.AddrPort, secret string, senders []string) string {
	var b strings.Builder
	b.WriteString("\tilp {\n\t\tdata_dir data\n\t\taddress test.bench\n\t\tasset USD 9\n")
	for _, name := range senders {
		token := secret + "-" + name
		for link, lines := range map[string]string{"btp": "btp listen " + token, "http": "http {\n\t\t\t\tincoming simple " + token + "\n\t\t\t}"} {
			fmt.Fprintf(&b, "\t\taccount %s-%s {\n\t\t\trelation child\n\t\t\t%s\n\t\t\tpackets_per_minute 1000000000\n\t\t\tmax_packet %d\n\t\t}\n",
				name, link, lines, largestPacket)
		}
	}
	b.WriteString("\t}\n")
	return globalOptions(admin, b.String()) +
		site(main, fmt.Sprintf("\tpaywall %d\n%s", price, proxy(backend))) +
		site(node, "\tilp_node\n")
}
