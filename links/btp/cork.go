package btp

// This file gathers what is written to a socket, so that many frames cost one system call.

import (
	"net"
	"sync"
	"time"
)

const maxGathered = 64 << 10

// corked is a net.Conn whose writes, between cork and uncork, are gathered and sent together. Where we dial it lies below TLS, which writes each of
// its records by itself; where we are dialled it lies above.
type corked struct {
	net.Conn
	timeout time.Duration // how long the other end may take to accept what is written

	mu       sync.Mutex
	gathered []byte
	gather   bool
}

// cut closes the socket itself, without a farewell of TLS that a peer might not take.
func (c *corked) cut() {
	conn := c.Conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	_ = conn.Close()
}

func (c *corked) cork() {
	c.mu.Lock()
	c.gather = true
	c.mu.Unlock()
}

// uncork sends what was gathered.
func (c *corked) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gather = false
	return c.flush()
}

// Write gathers b, or sends it after what was gathered.
func (c *corked) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gather {
		return c.send(b)
	}
	if len(c.gathered)+len(b) > maxGathered {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	c.gathered = append(c.gathered, b...)
	return len(b), nil
}

func (c *corked) flush() error {
	if len(c.gathered) == 0 {
		return nil
	}
	_, err := c.send(c.gathered)
	c.gathered = c.gathered[:0]
	return err
}

func (c *corked) send(b []byte) (int, error) {
	// Not every connection has deadlines; the keep-alive notices one that hangs.
	_ = c.Conn.SetWriteDeadline(time.Now().Add(c.timeout))
	return c.Conn.Write(b)
}

var _ net.Conn = (*corked)(nil)
