package paywall

// This file tells a client that leaves from a server that ends its request: contexts are cancelled by both, and only one is the client's doing.

import (
	"context"
	"errors"
	"net/http"
	"os"
)

// cancelled says whether nobody waits for the answer any more; a deadline is somebody else's decision.
func (c *charge) cancelled() bool { return c.request.Context().Err() == context.Canceled }

// left says whether the client has left, or broken its body off. It is to be asked before anything was written, and nothing can be written
// after it.
func (c *charge) left() bool {
	if c.body != nil && c.body.broken.Load() {
		return true // also if we hung up: it was the client that we waited for
	}
	return c.cancelled() && !c.endedHere()
}

// endedHere says whether this server has ended a cancelled request. Over HTTP/1 it never does that. Over the others it resets a stream when its time
// to write is over, and closes connections when its time to end is; nobody tells the handler, but what is written then fails with the reason.
func (c *charge) endedHere() bool {
	if c.request.ProtoMajor < 2 {
		return false
	}
	// Not through the writers around, which would log this as the answer.
	w := serversOwn(c.writer.under)
	flusher, ok := w.(interface{ FlushError() error })
	if !ok {
		return false
	}
	w.WriteHeader(statusClientGone)
	err := flusher.FlushError()
	return errors.Is(err, os.ErrDeadlineExceeded) || err != nil && c.paywall.config.Ended(err)
}

// serversOwn returns the writer that the wrappers around it lead to.
func serversOwn(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapper.Unwrap()
	}
}
