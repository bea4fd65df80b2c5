package btp

// This file is the listening side's part of a connection's beginning: the upgrade, and the authentication (RFC 23, section "Authentication").

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// maxLogin bounds the auth message, in bytes: two names and the longest token that ParseURL takes fit.
const maxLogin = 16 << 10

var (
	errLogin     = errors.New("the username or the token is not valid here")
	errNoFrame   = errors.New("the first message is no BTP frame")
	errSlowLogin = errors.New("the peer did not authenticate in time")
	errGone      = errors.New("the account has just been closed")
)

// connection is a WebSocket that a peer has opened.
type connection struct {
	conn   *socket
	remote string // the peer's address, for the log
}

// upgrade accepts the WebSocket without subprotocol and compression. On error w has the answer.
func upgrade(w http.ResponseWriter, r *http.Request, writeTimeout time.Duration) (*connection, error) {
	h := &hijacker{ResponseWriter: w, timeout: writeTimeout}
	conn, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the Origin has been checked, and more strictly
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, err
	}
	s := newSocket(h.below, h.stream, false, maxLogin)
	s.shaken = conn // which would close the connection when it is collected
	return &connection{conn: s}, nil
}

// hijacker puts a corked connection between the WebSocket and the socket. It finds the Hijacker below whatever wraps the writer.
type hijacker struct {
	http.ResponseWriter
	timeout time.Duration
	below   *corked
	stream  io.ReadWriter
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.below = &corked{Conn: conn, timeout: h.timeout}
	rw.Writer.Reset(h.below)
	// The library leaves what came with the request in the reader.
	h.stream = struct {
		io.Reader
		io.Writer
	}{rw.Reader, h.below}
	return h.below, rw, nil
}

// login authenticates c and gives it to its link, or closes it and says why.
func (l *Listener) login(c *connection, account string) (*session, error) {
	ctx, cancel := context.WithTimeout(l.ctx, l.timing.login)
	defer cancel()
	stop := c.conn.within(ctx)
	defer stop()
	link, id, err := l.authenticate(c, account)
	if err == nil && !stop() {
		err = errSlowLogin
	}
	if err == nil {
		c.conn.limit = frames.MaxFrame
		if s := link.take(c, id); s != nil {
			return s, nil
		}
		err = errGone
		c.deny(id, err, l.now())
	}
	if ctx.Err() != nil {
		err = errSlowLogin
	}
	c.close(l.timing.bye, err)
	return nil, err
}

// authenticate reads the first frame and finds the link it belongs to. What it refuses it answers with a BTP Error.
func (l *Listener) authenticate(c *connection, account string) (*Awaited, uint32, error) {
	defer c.conn.wipe() // of the token
	opcode, data, err := c.conn.next()
	if err != nil {
		return nil, 0, closed(err)
	}
	var f frames.Frame
	if opcode != opBinary || f.Decode(data) != nil {
		return nil, 0, errNoFrame
	}
	auth, err := frames.ParseAuth(&f)
	if err != nil {
		c.deny(f.RequestID, err, l.now())
		return nil, 0, err
	}
	link := l.find(account, auth)
	if link == nil {
		c.deny(f.RequestID, errLogin, l.now())
		return nil, 0, errLogin
	}
	return link, f.RequestID, nil
}

// deny answers the first frame with an Error NotAccepted.
func (c *connection) deny(id uint32, why error, now time.Time) {
	f := frames.NewError(id, frames.NotAccepted, why.Error(), now)
	if b, err := f.Append(nil); err == nil {
		_ = c.conn.write(opBinary, b) // the connection ends either way
	}
}

// close ends a connection that no link has taken, in the regular way if the peer does its part in time, so that it can read why.
func (c *connection) close(within time.Duration, why error) {
	defer c.conn.below.cut()
	timer := time.AfterFunc(within, c.conn.below.cut)
	defer timer.Stop()
	status, reason := uint16(statusPolicy), "BTP authentication failed"
	if other, ok := closeStatus(why); ok {
		status, reason = other, ""
	}
	c.conn.close(status, reason)
}
