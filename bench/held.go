//go:build linux

package main

// This file gathers what is written to a connection until it is read from next: all answers that arrived together are followed by one
// system call with the packets that take their places.

import (
	"net"
	"sync"
)

type heldKey struct{}

// holding is a net.Listener whose connections are held.
type holding struct{ net.Listener }

func (l holding) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &held{Conn: c}, nil
}

// held is a net.Conn that keeps what is written until flush, or until the reader wants more.
type held struct {
	net.Conn
	mu   sync.Mutex
	kept []byte
}

func (h *held) Read(b []byte) (int, error) {
	if err := h.flush(); err != nil {
		return 0, err
	}
	return h.Conn.Read(b)
}

func (h *held) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, b...)
	return len(b), nil
}

func (h *held) flush() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.kept) == 0 {
		return nil
	}
	_, err := h.Conn.Write(h.kept)
	h.kept = h.kept[:0]
	return err
}
