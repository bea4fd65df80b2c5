package caddymodule

// This file is the demonstration's backend, and the loopback addresses of its servers.

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// demoBackend is an ordinary web server: it greets, and counts whom it greeted.
type demoBackend struct {
	address string
	served  atomic.Int64
	server  *http.Server
	done    chan struct{}
}

func startDemoBackend() (*demoBackend, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the backend: %w", err)
	}
	b := &demoBackend{address: listener.Addr().String(), done: make(chan struct{})}
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(b.done)
		b.server.Serve(listener)
	}()
	return b, nil
}

// ServeHTTP greets.
func (b *demoBackend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "Hello from the backend. You are paid visitor %d, and this is %s.\n", b.served.Add(1), r.URL.Path)
}

func (b *demoBackend) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	b.server.Shutdown(ctx)
	<-b.done
}

// freeAddress returns a loopback address with the wanted port, or with another free one if it is taken.
func freeAddress(port int) (string, error) {
	for _, p := range []int{port, 0} {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
		if err != nil {
			continue
		}
		defer listener.Close()
		return listener.Addr().String(), nil
	}
	return "", fmt.Errorf("no free port on 127.0.0.1")
}
