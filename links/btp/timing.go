package btp

// This file holds how long a link waits for what.

import "time"

// timing holds the durations of a link; tests shorten them.
type timing struct {
	waits  []time.Duration // before each attempt to connect
	stable time.Duration   // a connection that lived this long counts as good
	dial   time.Duration   // for the WebSocket handshake
	auth   time.Duration   // for the BTP authentication
	ping   time.Duration   // between pings
	pong   time.Duration   // until the answer to one
	write  time.Duration   // until the peer accepts what is written
	answer time.Duration   // the longest wait for an ILP answer, whatever the expiry
	drain  time.Duration   // for packets under way when a connection is given up
	drift  time.Duration   // for answers over the next connection when one has broken
	bye    time.Duration   // for the peer's part of closing a WebSocket
	login  time.Duration   // from the upgrade of a peer that dials us to the end of its authentication
}

func standardTiming() timing {
	return timing{
		waits: []time.Duration{
			0, 100 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
		},
		stable: 10 * time.Second, dial: 15 * time.Second, auth: 10 * time.Second,
		ping: 20 * time.Second, pong: 9 * time.Second, write: 9 * time.Second, answer: time.Minute, drain: 2 * time.Second, drift: 2 * time.Second,
		bye: time.Second, login: 5 * time.Second,
	}
}
