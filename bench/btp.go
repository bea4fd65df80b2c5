//go:build linux

package main

// This file is the neighbours that a node dials by BTP, and the packets that they send and answer.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/bench/rig"
	"github.com/paydoor/paydoor/ilpcore/btp"
)

// neighbours is a BTP server for the accounts of the node.
type neighbours struct {
	address netip.AddrPort
	secret  string
	server  *http.Server
	ended   chan error
	arrived chan *neighbour
	working sync.WaitGroup
	links   []*neighbour // once await has returned
}

// neighbour is one authenticated connection. It is always read from, so that the node's pings are answered.
type neighbour struct {
	conn     *websocket.Conn
	held     *held
	name     string
	received atomic.Uint64 // packets that the node sent, and that were paid

	mu      sync.Mutex
	frame   btp.Frame
	out     []byte
	answer  []byte
	flights []flight
	until   time.Time // when no more packets are sent
	busy    int
	slice   slice
	done    chan error // gets one value when the last answer has come, or when the connection is lost
}

// flight is one packet under way; the number of its request is a multiple of how many there are, plus its own.
type flight struct {
	parcel
	id   uint32
	sent time.Time
}

func startNeighbours(secret string) (*neighbours, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &neighbours{
		address: listener.Addr().(*net.TCPAddr).AddrPort(), secret: secret,
		ended: make(chan error, 1), arrived: make(chan *neighbour),
	}
	n.server = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler:           http.HandlerFunc(n.serve),
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, heldKey{}, c) },
	}
	go func() { n.ended <- n.server.Serve(holding{listener}) }()
	return n, nil
}

// close ends the server and the connections.
func (n *neighbours) close() error {
	for _, l := range n.links {
		_ = l.conn.CloseNow()
	}
	n.working.Wait()
	err := n.server.Close()
	if served := <-n.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// await returns when each of so many accounts has connected.
func (n *neighbours) await(ctx context.Context, count int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	names := make(map[string]bool)
	for len(n.links) < count {
		select {
		case l := <-n.arrived:
			if names[l.name] {
				return fmt.Errorf("the node's account %q has dialled twice", l.name)
			}
			names[l.name] = true
			n.links = append(n.links, l)
		case <-ctx.Done():
			return fmt.Errorf("%d of %d BTP links came up: %w", len(n.links), count, ctx.Err())
		}
	}
	return nil
}

// serve authenticates a connection, leaves it to await, and reads from it to its end.
func (n *neighbours) serve(w http.ResponseWriter, r *http.Request) {
	n.working.Add(1)
	defer n.working.Done()
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	l := &neighbour{conn: conn, held: r.Context().Value(heldKey{}).(*held), done: make(chan error, 1)}
	auth, err := rig.Authenticate(r.Context(), conn, n.secret)
	if err != nil || l.held.flush() != nil {
		return
	}
	l.name = auth.Username
	select {
	case n.arrived <- l:
	case <-time.After(time.Minute):
		return
	}
	l.done <- fmt.Errorf("BTP link %s: %w", l.name, l.read())
}

// run keeps so many packets under way for the time, each from a parcel of its own, and waits for the last answers.
func (l *neighbour) run(ctx context.Context, d time.Duration, inFlight int, newParcel func() parcel) (slice, error) {
	if err := l.start(d, inFlight, newParcel); err != nil {
		return slice{}, err
	}
	begin := time.Now()
	select {
	case err := <-l.done:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.slice.took = time.Since(begin)
		return l.slice, err
	case <-ctx.Done():
		return slice{}, ctx.Err()
	case <-time.After(d + patience):
		return slice{}, fmt.Errorf("BTP link %s has waited %v for an answer", l.name, patience)
	}
}

func (l *neighbour) start(d time.Duration, inFlight int, newParcel func() parcel) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flights, l.busy, l.until, l.slice = make([]flight, inFlight), inFlight, time.Now().Add(d), slice{}
	for i := range l.flights {
		l.flights[i] = flight{parcel: newParcel(), id: uint32(i)}
		if err := l.send(&l.flights[i]); err != nil {
			return err
		}
	}
	return l.held.flush()
}

// send sends the next packet of a flight.
func (l *neighbour) send(f *flight) error {
	packet, err := f.next()
	if err != nil {
		return err
	}
	l.out = btp.AppendILP(l.out[:0], btp.TypeMessage, f.id, packet)
	f.sent = time.Now()
	return l.conn.Write(context.Background(), websocket.MessageBinary, l.out)
}

// read takes answers until the connection ends.
func (l *neighbour) read() error {
	var message bytes.Buffer
	for {
		_, reader, err := l.conn.Reader(context.Background())
		if err != nil {
			return err
		}
		message.Reset()
		if _, err := message.ReadFrom(reader); err != nil {
			return err
		}
		if err := l.landed(message.Bytes()); err != nil {
			return err
		}
	}
}

// landed looks at an answer and sends the next packet in its place. A packet of the node's own gets its answer.
func (l *neighbour) landed(message []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.frame.Decode(message); err != nil {
		return err
	}
	packet, ok := l.frame.ILP()
	if ok && l.frame.Type == btp.TypeMessage {
		return l.pay(packet)
	}
	if !ok || len(l.flights) == 0 || l.flights[l.frame.RequestID%uint32(len(l.flights))].id != l.frame.RequestID {
		return fmt.Errorf("a frame of type %d that answers nothing", l.frame.Type)
	}
	f := &l.flights[l.frame.RequestID%uint32(len(l.flights))]
	if err := f.Check(packet); err != nil {
		return err
	}
	now := time.Now()
	l.slice.requests++
	l.slice.times = append(l.slice.times, now.Sub(f.sent))
	if now.Before(l.until) {
		f.id += uint32(len(l.flights))
		return l.send(f)
	}
	if l.busy--; l.busy == 0 {
		l.done <- nil
	}
	return nil
}

// pay answers a packet of the node.
func (l *neighbour) pay(packet []byte) (err error) {
	var paid bool
	if l.answer, paid, err = answerCrossing(packet, l.answer[:0]); err != nil {
		return err
	}
	if paid {
		l.received.Add(1)
	}
	l.out = btp.AppendILP(l.out[:0], btp.TypeResponse, l.frame.RequestID, l.answer)
	return l.conn.Write(context.Background(), websocket.MessageBinary, l.out)
}
