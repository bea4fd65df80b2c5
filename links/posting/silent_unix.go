//go:build unix

package posting

// This file looks at a connection without waiting.

import (
	"errors"
	"net"
	"syscall"
)

// silent says whether the other side has neither closed the connection nor sent anything.
func silent(c net.Conn) bool {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var read error
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, read = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		return true
	})
	return err == nil && (errors.Is(read, syscall.EAGAIN) || errors.Is(read, syscall.EWOULDBLOCK))
}
