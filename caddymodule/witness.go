package caddymodule

// This file notes whether a handler has answered, and changes nothing about the answer.

import (
	"bufio"
	"io"
	"net"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// witness passes everything on to the writer below it.
type witness struct {
	*caddyhttp.ResponseWriterWrapper
	answered bool
}

func (w *witness) WriteHeader(status int) {
	// An informational response is not the answer, except for 101, after which there is none.
	w.answered = w.answered || status >= 200 || status == http.StatusSwitchingProtocols
	w.ResponseWriterWrapper.WriteHeader(status)
}

func (w *witness) Write(b []byte) (int, error) {
	w.answered = true
	return w.ResponseWriterWrapper.Write(b)
}

func (w *witness) ReadFrom(r io.Reader) (int64, error) {
	w.answered = true
	return w.ResponseWriterWrapper.ReadFrom(r)
}

func (w *witness) FlushError() error {
	w.answered = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *witness) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.answered = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
