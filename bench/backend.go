//go:build linux

package main

// This file is the backend behind all sites: it answers every request with the same 100 bytes and does nothing else. With another responder it
// is the far side of a connector.

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

var page = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n%s\n", strings.Repeat("x", 99))

// responder appends the answer to a request, the first in received. length is how long that is, and 0 while it is not complete; an error ends the
// connection, and is what the backend reports in the end.
type responder func(received, dst []byte) (answer []byte, length int, err error)

// respondPage answers a request without a body; a proxy sends the next one on a connection only after the answer.
func respondPage(received, dst []byte) ([]byte, int, error) {
	if !bytes.HasSuffix(received, headEnd) {
		return dst, 0, nil
	}
	return append(dst, page...), len(received), nil
}

// backend serves until it is closed.
type backend struct {
	address netip.AddrPort
	respond responder

	poll     *poller
	listener int
	open     map[int]*[]byte // what has arrived of a request, by socket
	out      []byte
	failure  error // the first of respond
	closing  chan struct{}
	ended    chan error
}

func startBackend(respond responder) (*backend, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	b := &backend{respond: respond, poll: poll, open: make(map[int]*[]byte), closing: make(chan struct{}), ended: make(chan error, 1)}
	if b.listener, b.address, err = listen(); err != nil {
		return nil, err
	}
	if err := poll.add(b.listener); err != nil {
		return nil, err
	}
	go func() { b.ended <- b.serve() }()
	return b, nil
}

// close ends the backend and waits for it.
func (b *backend) close() error {
	close(b.closing)
	err := <-b.ended
	for fd := range b.open {
		_ = unix.Close(fd)
	}
	_ = unix.Close(b.listener)
	_ = b.poll.close()
	return err
}

func (b *backend) serve() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case <-b.closing:
			return b.failure
		default:
		}
		events, err := b.poll.wait(100 * time.Millisecond)
		if err != nil {
			return err
		}
		for _, e := range events {
			if fd := int(e.Fd); fd == b.listener {
				b.accept()
			} else if !b.answer(fd) {
				delete(b.open, fd)
				_ = unix.Close(fd)
			}
		}
	}
}

func (b *backend) accept() {
	for {
		fd, _, err := unix.Accept4(b.listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		if err != nil {
			return // no more, or one that has gone
		}
		if prepare(fd) != nil || b.poll.add(fd) != nil {
			_ = unix.Close(fd)
			continue
		}
		received := make([]byte, 0, 4096)
		b.open[fd] = &received
	}
}

// answer reads, and answers a request that is complete. It is false when the connection is at its end.
func (b *backend) answer(fd int) bool {
	received := b.open[fd]
	n, again, err := receive(fd, (*received)[len(*received):cap(*received)])
	if again {
		return true
	}
	if n == 0 || err != nil {
		return false
	}
	*received = (*received)[:len(*received)+n]
	var length int
	if b.out, length, err = b.respond(*received, b.out[:0]); err != nil {
		b.failure = cmp.Or(b.failure, err)
		return false
	}
	if length == 0 {
		return len(*received) < cap(*received)
	}
	*received = (*received)[:copy(*received, (*received)[length:])]
	return send(fd, b.out) == nil
}
