//go:build linux

package main

// This file is the load generator: a closed loop of many HTTP/1.1 connections on one thread, that measures each answer's time.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	answerBuffer = 16 << 10
	patience     = 20 * time.Second
)

// job makes the requests of one connection, one at a time, and looks at the answers.
type job interface {
	// request appends the next request to b; more is false when there are none left.
	request(b []byte) (_ []byte, more bool)
	// answer gets head and body of the answer, valid until it returns.
	answer(status int, head, body []byte) error
}

// client is connections to one server. One goroutine at a time uses it.
type client struct {
	poll  *poller
	conns map[int]*connection
}

type connection struct {
	fd   int
	job  job
	out  []byte
	in   []byte
	n    int // bytes of the answer so far
	sent time.Time
}

// slice is what came of a while of load.
type slice struct {
	requests int
	took     time.Duration
	times    []time.Duration // from each request to the end of its answer
}

func (s slice) rate() float64 { return float64(s.requests) / s.took.Seconds() }

// newClient opens n connections, the i-th of which does newJob(i).
func newClient(address netip.AddrPort, n int, newJob func(i int) job) (*client, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	c := &client{poll: poll, conns: make(map[int]*connection, n)}
	for i := range n {
		fd, err := dial(address)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.conns[fd] = &connection{fd: fd, job: newJob(i), in: make([]byte, answerBuffer)}
		if err := poll.add(fd); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *client) close() error {
	for fd := range c.conns {
		_ = unix.Close(fd)
	}
	return c.poll.close()
}

// run keeps every connection busy for the time, or, if that is 0, until the jobs are done, and waits for the last answers.
func (c *client) run(ctx context.Context, d time.Duration) (s slice, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin := time.Now()
	busy := 0
	for _, k := range c.conns {
		more, err := k.next()
		if err != nil {
			return s, err
		}
		if more {
			busy++
		}
	}
	for last := time.Now(); busy > 0; {
		events, err := c.poll.wait(time.Second)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && len(events) == 0 && time.Since(last) > patience {
			err = fmt.Errorf("%d connections have waited %v for an answer", busy, patience)
		}
		if err != nil {
			return s, err
		}
		for _, e := range events {
			k := c.conns[int(e.Fd)]
			done, err := k.read()
			if err != nil {
				return s, err
			}
			if !done {
				continue
			}
			last = time.Now()
			s.requests++
			s.times = append(s.times, last.Sub(k.sent))
			more := d == 0 || last.Sub(begin) < d
			if more {
				if more, err = k.next(); err != nil {
					return s, err
				}
			}
			if !more {
				busy--
			}
		}
	}
	s.took = time.Since(begin)
	return s, nil
}

// next sends the next request, if there is one.
func (k *connection) next() (more bool, err error) {
	if k.out, more = k.job.request(k.out[:0]); !more {
		return false, nil
	}
	k.n, k.sent = 0, time.Now()
	if err := send(k.fd, k.out); err != nil {
		return false, fmt.Errorf("sending a request: %w", err)
	}
	return true, nil
}

// read takes in what has arrived; done says that the answer is complete.
func (k *connection) read() (done bool, err error) {
	n, again, err := receive(k.fd, k.in[k.n:])
	if again {
		return false, nil
	}
	if err == nil && n == 0 {
		err = errors.New("the server closed the connection")
	}
	if err != nil {
		return false, fmt.Errorf("waiting for an answer: %w", err)
	}
	k.n += n
	status, head, total, err := parseAnswer(k.in[:k.n])
	if err != nil || total == 0 || k.n < total {
		if err == nil && (k.n == len(k.in) || total > len(k.in)) {
			err = errors.New("an answer is longer than expected")
		}
		return false, err
	}
	if k.n > total {
		return false, errors.New("there is more than one answer to a request")
	}
	return true, k.job.answer(status, k.in[:head], k.in[head:total])
}

var (
	headEnd       = []byte("\r\n\r\n")
	contentLength = []byte("\r\nContent-Length: ")
)

// parseAnswer finds status and length of an HTTP/1.1 answer with a Content-Length, or with none and no body. total is 0 while the
// header is not complete.
func parseAnswer(b []byte) (status, head, total int, err error) {
	end := bytes.Index(b, headEnd)
	if end < 0 {
		return 0, 0, 0, nil
	}
	head = end + len(headEnd)
	if end < 12 || string(b[:9]) != "HTTP/1.1 " {
		return 0, 0, 0, fmt.Errorf("this is no HTTP/1.1: %.60q", b)
	}
	if status, err = strconv.Atoi(string(b[9:12])); err != nil {
		return 0, 0, 0, fmt.Errorf("this is no HTTP status: %.60q", b)
	}
	length := 0
	if value, ok := headerValue(b[:head], contentLength); ok {
		if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
			return 0, 0, 0, fmt.Errorf("this is no length: %.60q", value)
		}
	} else if status != 204 {
		return 0, 0, 0, fmt.Errorf("an answer without Content-Length: %.200q", b)
	}
	return status, head, head + length, nil
}

// headerValue finds a header in head by how its line begins: line break, name in its usual case, colon and space.
func headerValue(head, line []byte) (value []byte, ok bool) {
	at := bytes.Index(head, line)
	if at < 0 {
		return nil, false
	}
	value = head[at+len(line):]
	return value[:bytes.IndexByte(value, '\r')], true
}
