// Package caddymodule puts Paydoor into Caddy. It is the only package that knows Caddy, and thin: configs are read and resolved here,
// lifetimes are kept, and everything else is done by the packages below.
//
// It registers the app ilp (the node, its ledger and its links), the handlers paywall, paywall_pointers, paywall_beside and ilp_node, and a route of the admin endpoint.
// A program gets them by a blank import; docs/caddyfile.md is the reference of what can be configured:
//
//	import (
//		caddycmd "github.com/caddyserver/caddy/v2/cmd"
//		_ "github.com/caddyserver/caddy/v2/modules/standard"
//		_ "github.com/paydoor/paydoor/caddymodule"
//	)
//
//	func main() { caddycmd.Main() }
//
// The life of a config: the Caddyfile is parsed and nothing resolved (*caddyfile.go), Provision resolves and opens nothing (settings.go),
// the first use or Start opens (running.go), and Cleanup gives back (lifecycle.go). The ledger and the links are shared by all
// configs of the process (books.go, links.go), so that a reload neither closes the one nor drops the other.
package caddymodule
