package paywall

// This file is the response writer between backend and client: it asks a gate before the first final header goes out, and
// buffers nothing.

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// gate decides about an answer.
type gate interface {
	// final sees the first final status, and the header map that goes with it. Unless it returns passBody it has answered.
	final(w *responseWriter, status int) bodyMode
	// after cleans the header map when the handler has returned: what was added since may become trailers.
	after(h http.Header)
}

// bodyMode is what happens to the body that follows a header.
type bodyMode uint8

const (
	passBody    bodyMode = iota
	discardBody          // another answer was sent: take the body and drop it
	refuseBody           // another answer was sent: tell the handler that its body is not wanted
)

var errUnsettled = errors.New("the charge for this response could not be settled; another answer was sent")

// field is one header as it was before the backend.
type field struct {
	name   string
	values []string
}

// responseWriter implements http.ResponseWriter, io.ReaderFrom, FlushError and Hijack over the server's own writer. As with any
// ResponseWriter, its methods are not to be called concurrently.
type responseWriter struct {
	under http.ResponseWriter
	gate  gate
	wrote bool // the final header has gone through the gate
	mode  bodyMode
	// refused says that the handler was told that its body is not wanted.
	refused bool

	outer []field // what the headers were when the backend was called
	space [6]field
}

func newResponseWriter(w http.ResponseWriter, g gate) *responseWriter {
	rw := new(responseWriter)
	rw.init(w, g)
	return rw
}

func (w *responseWriter) init(under http.ResponseWriter, g gate) {
	w.under, w.gate = under, g
	w.outer = w.space[:0]
	for name, values := range under.Header() {
		w.outer = append(w.outer, field{name, values})
	}
}

// restore undoes what the backend did to the headers.
func (w *responseWriter) restore() {
	h := w.under.Header()
	clear(h)
	for _, f := range w.outer {
		h[f.name] = f.values
	}
}

// Header returns the server's own header map, so that what outer handlers set stays visible.
func (w *responseWriter) Header() http.Header { return w.under.Header() }

// WriteHeader passes informational statuses on, without our headers, and opens the gate at the first other one. 101 is final.
func (w *responseWriter) WriteHeader(status int) {
	if w.wrote {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		scrub(w.under.Header())
		w.under.WriteHeader(status)
		return
	}
	if status < 100 || status > 999 {
		// The server will not send it. Backends may say so all the same, and nobody is to pay for the connection that breaks.
		panic(fmt.Sprintf("the backend's status %d is none", status))
	}
	w.wrote = true
	w.mode = w.gate.final(w, status)
	switch w.mode {
	case passBody:
		w.under.WriteHeader(status)
	default:
		// The handler may abort the connection when its body is refused; our answer must be out by then.
		_ = http.NewResponseController(w.under).Flush()
	}
}

// Write sends an implicit 200 first, like any ResponseWriter.
func (w *responseWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	switch w.mode {
	case discardBody:
		return len(p), nil
	case refuseBody:
		return 0, w.refuse()
	}
	return w.under.Write(p)
}

// ReadFrom lets the server copy a body its own way, such as from file to socket without passing through our memory.
func (w *responseWriter) ReadFrom(r io.Reader) (int64, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	switch w.mode {
	case discardBody:
		return io.Copy(io.Discard, r)
	case refuseBody:
		return 0, w.refuse()
	}
	if under, ok := w.under.(io.ReaderFrom); ok {
		return under.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{w.under}, r)
}

// FlushError sends what there is, the header included.
func (w *responseWriter) FlushError() error {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if w.mode == refuseBody {
		return w.refuse()
	}
	return http.NewResponseController(w.under).Flush()
}

// Flush is FlushError for callers that know only http.Flusher.
func (w *responseWriter) Flush() { _ = w.FlushError() }

// Hijack hands the connection over. Whoever takes it without having written a 101 is taken to switch protocols by hand, and
// is charged before.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !w.wrote {
		if !canHijack(w.under) {
			return nil, nil, http.ErrNotSupported // before anything is charged for it
		}
		w.wrote = true
		w.mode = w.gate.final(w, http.StatusSwitchingProtocols)
	}
	if w.mode != passBody {
		return nil, nil, w.refuse()
	}
	return http.NewResponseController(w.under).Hijack()
}

func (w *responseWriter) refuse() error {
	w.refused = true
	return errUnsettled
}

// canHijack asks the server's own writer, since wrappers offer Hijack whether or not it can work.
func canHijack(w http.ResponseWriter) bool {
	_, ok := serversOwn(w).(http.Hijacker)
	return ok
}

// Unwrap lets http.ResponseController reach the server's writer for what this one does not change, such as deadlines.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.under }

// finish is to be called when the handler has ended, in whatever way.
func (w *responseWriter) finish() { w.gate.after(w.under.Header()) }

// freeGate removes our names from a free route's answer and leaves the rest alone.
type freeGate struct{}

func (freeGate) final(w *responseWriter, _ int) bodyMode {
	scrub(w.Header())
	scrubAnnounced(w.Header())
	return passBody
}

func (freeGate) after(h http.Header) { scrub(h) }

var (
	_ io.ReaderFrom = (*responseWriter)(nil)
	_ http.Hijacker = (*responseWriter)(nil)
	_ http.Flusher  = (*responseWriter)(nil)
	_ gate          = (*charge)(nil)
	_ interface {
		FlushError() error
		Unwrap() http.ResponseWriter
	} = (*responseWriter)(nil)
)
