//go:build linux

// Command floor is Caddy with the plainest that a paid request and a forwarded packet can be on a machine, for bench to measure Paydoor beside:
//
//	synced                # an answer waits for a sync that it shares, and for nothing else of a payment
//	forwarded http://…    # the body of a request is posted there, and that answer's body is the answer
//
// Neither keeps a balance, reads a token or checks a packet, so neither is of any use but as a measure: what lies between bare and
// synced is what waiting for the disk costs, and what lies above synced is Paydoor's own.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

func main() { caddycmd.Main() }
