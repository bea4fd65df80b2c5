package connector

// This file says what the node asks of a link, without knowing any.

import "github.com/paydoor/paydoor/ilpcore"

// Link carries Prepares to the other end of one account. Its HandlePrepare never hangs: it answers by the Prepare's expiry,
// and with T01 at once while the link is down.
type Link interface {
	ilpcore.Handler
	Up() bool // whether the other end was reachable when last heard of
}

// OpenLink is a Link with an owner, who closes it. Close stops the link and waits for all it has started.
type OpenLink interface {
	Link
	Close() error
}

// LinkFactory opens a link. The other end's Prepares go to incoming, if the link brings any. The link calls state, from one
// goroutine at a time and only with a quick function's patience, each time the connection comes up or goes down; a link without
// connections never calls it. The factory does not wait for the connection.
type LinkFactory func(incoming ilpcore.Handler, state func(up bool)) (OpenLink, error)
