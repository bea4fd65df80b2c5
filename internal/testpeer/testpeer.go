// Package testpeer has tests answer at the other end of a TCP connection, byte by byte.
package testpeer

import (
	"net"
	"sync"
	"testing"
)

// Listen serves each connection with serve, which need not close it, and returns the address. At the end of the test all connections are
// closed and waited for.
func Listen(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn // the accepting goroutine's, until it has ended
	var accepting, serving sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			serving.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		for _, c := range conns {
			_ = c.Close()
		}
		serving.Wait()
	})
	return l.Addr().String()
}
