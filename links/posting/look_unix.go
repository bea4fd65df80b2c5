//go:build unix

package posting

// This file looks at a connection without waiting.

import (
	"errors"
	"net"
	"syscall"
)

// canLook says whether connections can be looked at on this system.
const canLook = true

// look is how a connection is looked at.
type look struct {
	raw  syscall.RawConn
	peek func(fd uintptr) bool
	err  error // of the last peek
}

// newLook returns nil for a connection that cannot be looked at.
func newLook(c net.Conn) *look {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	l := &look{raw: raw}
	var room [1]byte
	l.peek = func(fd uintptr) bool {
		_, _, l.err = syscall.Recvfrom(int(fd), room[:], syscall.MSG_PEEK)
		return true
	}
	return l
}

// silent says whether the other side has neither closed the connection nor sent anything.
func (l *look) silent() bool {
	return l != nil && l.raw.Read(l.peek) == nil && (errors.Is(l.err, syscall.EAGAIN) || errors.Is(l.err, syscall.EWOULDBLOCK))
}
