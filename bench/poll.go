//go:build linux

package main

// This file is sockets and epoll as the kernel has them. One thread serves all connections without a goroutine each, so that load
// generator and backend leave the processors to the gateway.

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// poller waits for sockets to become readable.
type poller struct {
	fd     int
	events [256]unix.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &poller{fd: fd}, nil
}

// add has wait report fd, by its number.
func (p *poller) add(fd int) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// wait returns the sockets that can be read, or none after the time; the slice is valid until the next call.
func (p *poller) wait(atMost time.Duration) ([]unix.EpollEvent, error) {
	n, err := unix.EpollWait(p.fd, p.events[:], int(atMost.Milliseconds()))
	if err == unix.EINTR {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return p.events[:n], nil
}

func (p *poller) close() error { return unix.Close(p.fd) }

// dial connects to a server on this machine.
func dial(address netip.AddrPort) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()})
	if err == nil {
		err = prepare(fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return 0, fmt.Errorf("connecting to %s: %w", address, err)
	}
	return fd, nil
}

// prepare makes a connected socket send at once and never block.
func prepare(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	return unix.SetNonblock(fd, true)
}

// listen opens a listening socket on any free port of loopback.
func listen() (fd int, address netip.AddrPort, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, address, err
	}
	loopback := [4]byte{127, 0, 0, 1}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback}); err == nil {
		err = unix.Listen(fd, 4096)
	}
	if err == nil {
		var bound unix.Sockaddr
		if bound, err = unix.Getsockname(fd); err == nil {
			return fd, netip.AddrPortFrom(netip.AddrFrom4(loopback), uint16(bound.(*unix.SockaddrInet4).Port)), nil
		}
	}
	_ = unix.Close(fd)
	return 0, address, fmt.Errorf("listening: %w", err)
}

// send writes all of b. What is sent here fits a socket's buffer, because nobody sends again before there is an answer.
func send(fd int, b []byte) error {
	n, err := unix.Write(fd, b)
	if err == nil && n < len(b) {
		err = unix.EAGAIN
	}
	return err
}

// receive reads what there is into b. again says that there is nothing yet; 0 bytes without it are the end of the connection.
func receive(fd int, b []byte) (n int, again bool, err error) {
	n, err = unix.Read(fd, b)
	if err == unix.EAGAIN || err == unix.EINTR {
		return 0, true, nil
	}
	return max(n, 0), false, err
}
