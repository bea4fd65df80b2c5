package btp

// This file has peers send more than is taken, or than they read.

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// start runs a session over one end of a pipe, which holds nothing: who writes waits until the other end reads.
func start(t *testing.T, running *sync.WaitGroup, ctx context.Context, conn net.Conn, dialled bool, c Config) *session {
	t.Helper()
	e := newEndpoint(c, quick())
	s, err := e.newSession(ctx, newSocket(&corked{Conn: conn, timeout: time.Minute}, conn, dialled, frames.MaxFrame))
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() {
		_ = s.run()
		e.working.Wait()
	})
	return s
}

// Two nodes that both send more than the other takes hear so of each packet: neither waits for the other to read before it reads itself.
func TestBothEndsAreFlooded(t *testing.T) {
	const packets = 2 * queued
	held, release := make(chan struct{}, 2*packets), make(chan struct{})
	letGo := sync.OnceFunc(func() { close(release) })
	handler := ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
		held <- struct{}{}
		<-release
		return ilpcore.Fulfill(testFulfillment, nil)
	})
	ctx, stop := context.WithCancel(t.Context())
	near, far := net.Pipe()
	var running, sending sync.WaitGroup
	ends := []*session{
		start(t, &running, ctx, near, true, Config{Account: "near", Handler: handler, MaxInFlight: 1}),
		start(t, &running, ctx, far, false, Config{Account: "far", Handler: handler, MaxInFlight: 1}),
	}
	defer running.Wait()
	defer stop()
	defer letGo()
	replies := make(chan ilpcore.Reply, 2*packets)
	for range packets {
		for _, s := range ends {
			sending.Go(func() { replies <- s.send(ctx, ilpcore.Incoming{Prepare: testPrepare()}) })
		}
	}
	deadline := time.After(8 * time.Second)
	for i := range 2 * (packets - 1) {
		select {
		case reply := <-replies:
			if reply.Code != ilpcore.T03 {
				t.Fatalf("%+v", reply)
			}
		case <-deadline:
			t.Fatalf("%d packets were refused, of %d", i, 2*(packets-1))
		}
	}
	<-held
	<-held
	letGo()
	sending.Wait()
	for range 2 {
		if reply := <-replies; !reply.Fulfilled {
			t.Errorf("%+v", reply)
		}
	}
}

// A peer that asks for answers and does not read them is read all the same, and its answers do not pile up without bound.
func TestAPeerThatAsksAndDoesNotRead(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	near, far := net.Pipe()
	var running sync.WaitGroup
	s := start(t, &running, ctx, near, false, Config{Account: "up", Handler: fulfilling})
	defer running.Wait()
	defer stop()
	written := make(chan error, 1)
	go func() {
		_, err := far.Write(bytes.Repeat(masked(opPing, "here?"), 10*unasked))
		written <- err
	}()
	select {
	case err := <-written:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the peer is not read any more")
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	if n := len(s.queue.frames); n > unasked {
		t.Errorf("%d answers wait", n)
	}
}
