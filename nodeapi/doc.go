// Package nodeapi is the node's own HTTP API on net/http. For now that is the sandbox: a test wallet with play money.
//
//	mux.Handle("POST /sandbox/pay", nodeapi.Sandbox{Wallet: payer.PSK2{Link: node.Local("sandbox"), ...}})
package nodeapi
