package posting

// This file reads a body and writes an answer, within bounds of size and time.

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

const (
	step          = 4 << 10          // what nearly every packet fits in
	bodyTimeout   = 10 * time.Second // how long the body of an authenticated request may take
	answerTimeout = 10 * time.Second // how long the client may take to accept the answer
)

// ErrTooLarge says that a body is longer than its limit.
var ErrTooLarge = errors.New("longer than the limit")

// Read reads r to its end into the memory of dst, from its start, and into more if need be. The error is ErrTooLarge beyond limit bytes, else
// r's. The memory comes back in either case, to be used again.
func Read(dst []byte, r io.Reader, limit int) ([]byte, error) {
	dst = slices.Grow(dst[:0], step)
	for {
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst, ErrTooLarge
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst, err
		}
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, step)
		}
	}
}

// ReadRequest is Read for the body of r, which has to come within ten seconds.
func ReadRequest(w http.ResponseWriter, r *http.Request, dst []byte, limit int) ([]byte, error) {
	control := http.NewResponseController(w)
	// Not every writer has deadlines; those that do not belong to tests, or to a server with timeouts of its own.
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := Read(dst, r.Body, limit)
	_ = control.SetReadDeadline(time.Time{})
	return body, err
}

// Write sends header and body and says whether they went out. A client that has left counts as not reached, whatever the socket says. If they did not,
// the memory of body is not to be used again: HTTP/2 gives up on a stream while another goroutine may be writing.
func Write(w http.ResponseWriter, r *http.Request, status int, body []byte) (written bool) {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(answerTimeout)) // a client that does not read must not keep us
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return false
	}
	// Without the flush net/http would write after we return, when nobody looks at the error any more.
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return false
	}
	return r.Context().Err() == nil
}
