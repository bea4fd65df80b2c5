//go:build linux

package main

// This file is the gateway's parent: a BTP server that gives it its address, sends it packets, and takes their answers.

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/bench/rig"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/btp"
)

const nodeAddress = "test.torture"

var (
	// errNotSent says that not a byte of a packet or request went out.
	errNotSent = errors.New("not sent")
	// errLost says that the link broke before the answer came.
	errLost = errors.New("the link was lost")
)

// parent serves BTP until it is closed.
type parent struct {
	address netip.AddrPort
	secret  string
	server  *http.Server
	ended   chan error
	working sync.WaitGroup

	mu      sync.Mutex
	session *session // the newest; nil while there is none
	closed  bool
}

// session is one authenticated connection.
type session struct {
	conn *websocket.Conn
	over chan struct{}

	mu      sync.Mutex
	next    uint32
	pending map[uint32]chan ilpcore.Reply
}

func startParent(secret string) (*parent, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &parent{address: listener.Addr().(*net.TCPAddr).AddrPort(), secret: secret, ended: make(chan error, 1)}
	p.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(p.serve)}
	go func() { p.ended <- p.server.Serve(listener) }()
	return p, nil
}

func (p *parent) close() error {
	p.mu.Lock()
	p.closed = true
	if p.session != nil {
		_ = p.session.conn.CloseNow()
	}
	p.mu.Unlock()
	err := p.server.Close()
	p.working.Wait()
	if served := <-p.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (p *parent) serve(w http.ResponseWriter, r *http.Request) {
	p.working.Add(1)
	defer p.working.Done()
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	_, err = rig.Authenticate(ctx, conn, p.secret)
	cancel()
	s := &session{conn: conn, over: make(chan struct{}), pending: make(map[uint32]chan ilpcore.Reply)}
	if err != nil || !p.begin(s) {
		return
	}
	s.read()
	p.end(s)
}

func (p *parent) begin(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.session = s
	return true
}

func (p *parent) end(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session == s {
		p.session = nil
	}
	close(s.over)
}

// send sends a Prepare and waits for the answer. Its errors wrap errNotSent or errLost.
func (p *parent) send(ctx context.Context, packet []byte) (ilpcore.Reply, error) {
	p.mu.Lock()
	s := p.session
	p.mu.Unlock()
	if s == nil {
		return ilpcore.Reply{}, errNotSent
	}
	answer := make(chan ilpcore.Reply, 1)
	s.mu.Lock()
	s.next++
	id := s.next
	s.pending[id] = answer
	s.mu.Unlock()
	if err := s.conn.Write(context.Background(), websocket.MessageBinary, btp.AppendILP(nil, btp.TypeMessage, id, packet)); err != nil {
		return ilpcore.Reply{}, errLost
	}
	select {
	case reply := <-answer:
		return reply, nil
	case <-s.over:
	case <-ctx.Done():
	}
	select { // the answer may have come before the end
	case reply := <-answer:
		return reply, nil
	default:
		return ilpcore.Reply{}, errLost
	}
}

// read takes frames until the connection ends.
func (s *session) read() {
	var frame btp.Frame
	for {
		_, message, err := s.conn.Read(context.Background())
		if err != nil || frame.Decode(message) != nil {
			return
		}
		packet, ok := frame.ILP()
		if !ok || len(packet) == 0 {
			continue
		}
		if packet[0] == ilpcore.TypePrepare {
			s.configure(frame.RequestID, packet)
			continue
		}
		reply, err := ilpcore.DecodeReply(packet)
		if err != nil {
			return
		}
		s.mu.Lock()
		answer := s.pending[frame.RequestID]
		delete(s.pending, frame.RequestID)
		s.mu.Unlock()
		if answer != nil {
			reply.Data = nil // it aliases the message
			answer <- reply
		}
	}
}

// configure answers the request for the node's address.
func (s *session) configure(id uint32, packet []byte) {
	reply := ilpcore.Reject(ilpcore.F02, "test", "only ILDCP is answered here", nil)
	if prepare, err := ilpcore.DecodePrepare(packet); err == nil && ilpcore.CheckILDCPRequest(&prepare) == nil {
		c := ilpcore.ILDCP{Address: nodeAddress, Asset: ilpcore.Asset{Code: "USD", Scale: 9}}
		if reply, err = c.Reply(); err != nil {
			panic(err) // it is always the same
		}
	}
	answer, err := reply.Append(nil)
	if err == nil {
		_ = s.conn.Write(context.Background(), websocket.MessageBinary, btp.AppendILP(nil, btp.TypeResponse, id, answer))
	}
}
