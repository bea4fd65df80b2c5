package posting

// This file is one connection of a Direct, and one exchange on it. Answers of the usual form it reads itself; all others net/http reads.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	fresh       = 10 * time.Millisecond // a connection that was used again before, and this lately, is not looked at
	keepRequest = 8 << 10               // memory that is kept for the next request; larger ones are left to the collector
	mostInterim = 5                     // answers of status 1xx before the one that counts, as net/http has it
)

var (
	// errUnsent says that nothing of the request has left, because the other side had closed the connection.
	errUnsent = errors.New("the connection was closed before the request")
	errHead   = errors.New("the head of the answer is too long")
	errStatus = errors.New("the status of the answer is none that a POST can have")
)

// directConn is a connection. It belongs to the goroutine that makes a request on it.
type directConn struct {
	net.Conn
	look     *look
	in       *bufio.Reader
	out      []byte
	mostHead int64     // bytes of the head of an answer
	left     int64     // of them, or of the body
	deadline time.Time // of the last exchange
	reusable bool      // after it
	lasting  bool      // there was an answer to a second request, so that the other side does not close connections after each
	since    time.Time // when it became idle
}

func newDirectConn(c net.Conn, mostHead int64) *directConn {
	if mostHead <= 0 {
		mostHead = http.DefaultMaxHeaderBytes
	}
	made := &directConn{Conn: c, look: newLook(c), mostHead: mostHead}
	made.in = bufio.NewReader(limitedReader{made})
	return made
}

// limitedReader reads as much as is left.
type limitedReader struct{ c *directConn }

func (r limitedReader) Read(b []byte) (int, error) {
	if r.c.left <= 0 {
		return 0, errHead
	}
	n, err := r.c.Conn.Read(b)
	r.c.left -= int64(n)
	return n, err
}

// stands says whether the other side has neither closed the connection nor said anything unasked.
func (c *directConn) stands() bool {
	if c.lasting && time.Since(c.since) < fresh {
		return true
	}
	if !time.Now().Before(c.deadline) && c.SetDeadline(time.Time{}) != nil { // which would be all there is to see
		return false
	}
	return c.look.silent()
}

type request struct{ head, body []byte }

// exchange sends a request and reads the answer. The connection is to be closed if it is not reusable then.
func (c *directConn) exchange(ctx context.Context, deadline time.Time, r request, dst []byte, limit int) (status int, answer []byte, err error) {
	used := c.reusable
	c.deadline, c.reusable = deadline, false
	if err := c.SetDeadline(deadline); err != nil {
		return 0, dst, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	c.out = append(c.out[:0], r.head...)
	c.out = strconv.AppendInt(c.out, int64(len(r.body)), 10)
	c.out = append(append(c.out, "\r\n\r\n"...), r.body...)
	var reusable bool
	if n, wrong := c.Write(c.out); wrong == nil {
		status, answer, reusable, err = c.read(dst, limit)
	} else if answer, err = dst, wrong; n == 0 && used && ctx.Err() == nil && time.Now().Before(deadline) {
		err = errUnsent
	}
	// Once ctx has ended, the deadline is another one, now or in a moment.
	watched := stop()
	c.reusable = reusable && watched && c.in.Buffered() == 0
	c.lasting = used && c.reusable
	if cap(c.out) > keepRequest {
		c.out = nil
	}
	return status, answer, err
}

// read reads an answer into dst; reusable says whether another may follow it.
func (c *directConn) read(dst []byte, limit int) (status int, answer []byte, reusable bool, err error) {
	c.left = c.mostHead
	head, err := c.peekHead()
	if err != nil {
		return 0, dst, false, err
	}
	length, ok := usual(head)
	if !ok {
		return c.readOther(dst, limit)
	}
	if _, err := c.in.Discard(len(head)); err != nil {
		return 0, dst, false, err
	}
	if length > limit {
		return 0, dst, false, ErrTooLarge
	}
	c.left = math.MaxInt64
	answer = slices.Grow(dst[:0], length)[:length]
	if _, err := io.ReadFull(c.in, answer); err != nil {
		return 0, answer, false, fmt.Errorf("reading the answer: %w", io.ErrUnexpectedEOF)
	}
	return http.StatusOK, answer, true, nil
}

// peekHead returns the head of an answer with the empty line behind it; or less, if it does not fit in memory that is there anyhow, or cannot become
// a usual one: then net/http has to say what is an end.
func (c *directConn) peekHead() ([]byte, error) {
	for n := 1; ; n = c.in.Buffered() + 1 {
		_, err := c.in.Peek(n)
		seen, _ := c.in.Peek(c.in.Buffered())
		if end := bytes.Index(seen, []byte("\r\n\r\n")); end >= 0 {
			return seen[:end+4], nil
		}
		if !mayBeUsual(seen) {
			return seen, nil
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return seen, nil
		case errors.Is(err, io.EOF) && len(seen) > 0:
			return seen, nil // net/http says what is wrong
		case err != nil:
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
	}
}

// readOther is read by net/http.
func (c *directConn) readOther(dst []byte, limit int) (status int, answer []byte, reusable bool, err error) {
	for range mostInterim + 1 {
		r, err := http.ReadResponse(c.in, &http.Request{Method: http.MethodPost})
		switch {
		case err != nil && c.left <= 0:
			return 0, dst, false, errHead
		case err != nil:
			return 0, dst, false, fmt.Errorf("reading the answer: %w", err)
		case r.StatusCode < 100 || r.StatusCode == http.StatusSwitchingProtocols:
			return 0, dst, false, errStatus
		case r.StatusCode < 200:
			continue
		}
		c.left = math.MaxInt64
		answer, err = Read(dst, r.Body, limit)
		if r.StatusCode != http.StatusOK && err != nil {
			return r.StatusCode, answer[:0], false, nil // what it says besides does not matter
		}
		return r.StatusCode, answer, err == nil && !r.Close, err
	}
	return 0, dst, false, errStatus
}
