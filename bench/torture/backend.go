//go:build linux

package main

// This file is the backend. It remembers which requests it has seen, since it must see none that was refused.

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const idHeader = "Torture-Id"

type backend struct {
	address netip.AddrPort
	server  *http.Server
	ended   chan error
	seen    sync.Map // ids of requests that are not answered yet
	served  atomic.Int64
}

func startBackend() (*backend, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &backend{address: listener.Addr().(*net.TCPAddr).AddrPort(), ended: make(chan error, 1)}
	b.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(b.serve)}
	go func() { b.ended <- b.server.Serve(listener) }()
	return b, nil
}

func (b *backend) serve(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get(idHeader)
	b.seen.Store(id, true)
	b.served.Add(1)
	switch r.URL.Path {
	case dropPath:
		panic(http.ErrAbortHandler)
	case failPath:
		w.Header().Set(idHeader, id)
		w.WriteHeader(http.StatusInternalServerError)
	default:
		w.Header().Set(idHeader, id)
	}
	_, _ = w.Write([]byte("worth the money\n"))
}

// take says whether the request has arrived here, and forgets it.
func (b *backend) take(id string) bool {
	_, ok := b.seen.LoadAndDelete(id)
	return ok
}

func (b *backend) close() error {
	err := b.server.Close()
	if served := <-b.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
