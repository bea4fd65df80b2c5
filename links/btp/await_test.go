package btp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

func TestAwaitChecksItsSettings(t *testing.T) {
	for name, c := range map[string]AwaitConfig{
		"no account": {Token: "t"}, "no token": {Account: "a"}, "user with colon": {Account: "a", Token: "t", User: "a:b"},
	} {
		if _, err := Await(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAwaitedBeforeAnyoneConnects(t *testing.T) {
	a := newAwaited(t, nil)
	if reply := a.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.T01 || a.Up() || !errors.Is(a.Err(), errAbsent) {
		t.Errorf("%+v, up %v, %v", reply, a.Up(), a.Err())
	}
}

// Frames that interledger-rs swaps go both ways: a Prepare in a Response, its answer in a Message; and so do two packets with one id.
func TestAwaitedTalks(t *testing.T) {
	a := newAwaited(t, nil)
	p := newEntrance(t, ListenerConfig{}, quick(), a).enter(t)
	p.ilp(frames.TypeResponse, 3, prepareBytes(t, testPrepare()))
	if f, ok := p.read(); !ok || f.RequestID != 3 || !isFulfill(f) {
		t.Errorf("a Prepare in a Response: %+v, %v", f, ok)
	}
	p.ilp(frames.TypeMessage, 4, prepareBytes(t, testPrepare()))
	p.ilp(frames.TypeMessage, 4, prepareBytes(t, testPrepare()))
	for range 2 {
		if f, ok := p.read(); !ok || f.RequestID != 4 || !isFulfill(f) {
			t.Errorf("one id twice: %+v, %v", f, ok)
		}
	}
	replies := make(chan ilpcore.Reply, 1)
	go func() { replies <- a.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}) }()
	f, _ := p.read()
	p.ilp(frames.TypeResponse, f.RequestID+1, replyBytes(t, ilpcore.Fulfill(testFulfillment, nil))) // nobody waits for it
	p.ilp(frames.TypeMessage, f.RequestID, replyBytes(t, ilpcore.Fulfill(testFulfillment, []byte("swapped"))))
	if reply := <-replies; f.Type != frames.TypeMessage || !reply.Fulfilled || string(reply.Data) != "swapped" {
		t.Errorf("sent %+v, got %+v", f, reply)
	}
}

func TestAwaitedDropsOversizeFrames(t *testing.T) {
	a := newAwaited(t, nil)
	p := newEntrance(t, ListenerConfig{}, quick(), a).enter(t)
	p.raw(make([]byte, frames.MaxFrame)) // no frame, and short enough to be ignored
	p.ilp(frames.TypeMessage, 3, prepareBytes(t, testPrepare()))
	if f, ok := p.read(); !ok || !isFulfill(f) {
		t.Errorf("after the longest message: %+v, %v", f, ok)
	}
	p.raw(make([]byte, frames.MaxFrame+1))
	waitUp(t, a, false)
}

func TestAwaitedSetHandlerAndState(t *testing.T) {
	var mu sync.Mutex
	var states []bool
	a := newAwaited(t, func(c *AwaitConfig, _ *timing) {
		c.Handler = nil
		c.State = func(up bool) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, up)
		}
	})
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	p := e.enter(t)
	p.ilp(frames.TypeMessage, 3, prepareBytes(t, testPrepare()))
	if f, ok := p.read(); !ok || !isReject(ilpcore.T01)(f) {
		t.Errorf("without a handler: %+v, %v", f, ok)
	}
	a.SetHandler(fulfilling)
	p.ilp(frames.TypeMessage, 4, prepareBytes(t, testPrepare()))
	if f, ok := p.read(); !ok || !isFulfill(f) {
		t.Errorf("with one: %+v, %v", f, ok)
	}
	second := e.enter(t)
	p.wait() // until it is closed, which is not a disconnect of the link
	second.conn.CloseNow()
	waitUp(t, a, false)
	e.enter(t)
	waitUp(t, a, true)
	a.Close()
	mu.Lock()
	defer mu.Unlock()
	if want := []bool{true, true, false, true, false}; fmt.Sprint(states) != fmt.Sprint(want) {
		t.Errorf("states %v, want %v", states, want)
	}
}

// Closing answers what is under way in both directions, says goodbye, and takes no login any more.
func TestAwaitedClose(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	a := newAwaited(t, func(c *AwaitConfig, timing *timing) {
		timing.drain = 5 * time.Second
		c.Handler = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			close(entered)
			<-leave
			return ilpcore.Fulfill(testFulfillment, []byte("end to end"))
		})
		c.Unconfirmed = func(ilpcore.AccountID, amount.Amount) { t.Error("unconfirmed") }
	})
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	p := e.enter(t)
	sent := make(chan ilpcore.Reply, 1)
	go func() { sent <- a.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}) }()
	outgoing, _ := p.read()
	p.ilp(frames.TypeMessage, 3, prepareBytes(t, testPrepare()))
	<-entered
	session := a.session.Load()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		a.Close()
	}()
	for session.busy.state.Load() < closing {
		time.Sleep(time.Millisecond)
	}
	p.ilp(frames.TypeMessage, 4, prepareBytes(t, testPrepare()))
	if f, ok := p.read(); !ok || f.RequestID != 4 || !isReject(ilpcore.T03)(f) {
		t.Errorf("a new packet: %+v, %v", f, ok)
	}
	p.ilp(frames.TypeResponse, outgoing.RequestID, replyBytes(t, ilpcore.Fulfill(testFulfillment, nil)))
	if reply := <-sent; !reply.Fulfilled {
		t.Errorf("our packet under way: %+v", reply)
	}
	close(leave)
	if f, ok := p.read(); !ok || f.RequestID != 3 || !isFulfill(f) {
		t.Errorf("the peer's packet under way: %+v, %v", f, ok)
	}
	if err := p.closedWith(websocket.StatusGoingAway); err != nil {
		t.Errorf("no goodbye: %v", err)
	}
	<-closed
	late := e.open(t, "/ilp/btp", nil)
	late.write(frames.AuthMessage(7, frames.Auth{Token: testToken}))
	late.wait()
	if a.Up() {
		t.Error("up after Close")
	}
}

// A peer whose old connection is dead, or does not say goodbye, holds nothing up for long.
func TestTakeoverOfADeadConnection(t *testing.T) {
	a := newAwaited(t, func(_ *AwaitConfig, timing *timing) {
		timing.drain, timing.bye = 20*time.Millisecond, 20*time.Millisecond
	})
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	e.enter(t) // and never reads again
	waitUp(t, a, true)
	dead := make(chan ilpcore.Reply, 1)
	go func() { dead <- a.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}) }()
	first := a.session.Load()
	for first.busy.state.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	second := e.enter(t)
	if reply := <-dead; reply.Code != ilpcore.T01 {
		t.Errorf("the packet on the dead connection: %+v", reply)
	}
	live := make(chan ilpcore.Reply, 1)
	go func() { live <- a.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}) }()
	f, _ := second.read()
	second.ilp(frames.TypeResponse, f.RequestID, replyBytes(t, ilpcore.Fulfill(testFulfillment, nil)))
	if reply := <-live; !reply.Fulfilled {
		t.Errorf("over the new connection: %+v", reply)
	}
}

// A peer that logs in again and again, and never says goodbye, has a few old connections at most.
func TestTakeoversLeaveFewConnections(t *testing.T) {
	a := newAwaited(t, func(_ *AwaitConfig, timing *timing) { timing.bye = time.Minute })
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	var sessions []*session
	for range 3 * maxRetired {
		e.enter(t)
		sessions = append(sessions, a.taken())
	}
	alive := 0
	for i, s := range sessions {
		if s.ctx.Err() == nil {
			alive++
		} else if i >= len(sessions)-1-maxRetired {
			t.Errorf("session %d of %d has ended", i, len(sessions))
		}
	}
	if alive != 1+maxRetired {
		t.Errorf("%d sessions are there", alive)
	}
	for _, s := range sessions {
		s.end(errRetired)
	}
}

// taken is the session that the link has when no login is being taken.
func (a *Awaited) taken() *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session.Load()
}

// A packet that meets the old connection at the moment it is given up goes over the new one.
func TestTakeoverMovesPackets(t *testing.T) {
	a := newAwaited(t, nil)
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	e.enter(t)
	a.session.Load().busy.close()
	reply := make(chan ilpcore.Reply, 1)
	go func() { reply <- a.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}) }()
	second := e.enter(t)
	f, _ := second.read()
	second.ilp(frames.TypeResponse, f.RequestID, replyBytes(t, ilpcore.Fulfill(testFulfillment, nil)))
	if reply := <-reply; !reply.Fulfilled {
		t.Errorf("%+v", reply)
	}
}

// loadPeer sends packets as fast as they are answered, and answers what it gets, until its connection ends.
type loadPeer struct {
	*peerConn
	fulfills atomic.Int64 // answers it got
	sends    sync.WaitGroup
}

func (p *loadPeer) run(window int) {
	good := prepareBytes(p.t, testPrepare())
	fulfill := replyBytes(p.t, ilpcore.Fulfill(testFulfillment, nil))
	for i := range uint32(window) {
		p.ilp(frames.TypeMessage, i, good)
	}
	for {
		f, ok := p.read()
		if !ok {
			p.sends.Wait()
			return
		}
		packet, _ := f.ILP()
		switch {
		case f.Type == frames.TypeMessage:
			p.sends.Go(func() {
				time.Sleep(rand.N(3 * time.Millisecond))
				p.ilp(frames.TypeResponse, f.RequestID, fulfill)
			})
		case packet[0] == ilpcore.TypeFulfill:
			p.fulfills.Add(1)
			p.ilp(frames.TypeMessage, f.RequestID, good)
		}
	}
}

// New logins take over all the time while packets go both ways: each packet that was handled is answered, and none of ours is refused.
func TestTakeoverUnderLoad(t *testing.T) {
	var handled, fulfills, ours atomic.Int64
	a := newAwaited(t, func(c *AwaitConfig, timing *timing) {
		timing.drain, timing.bye = 10*time.Second, 10*time.Second
		c.Handler = ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
			time.Sleep(rand.N(3 * time.Millisecond))
			handled.Add(1)
			return ilpcore.Fulfill(testFulfillment, nil)
		})
		c.Unconfirmed = func(ilpcore.AccountID, amount.Amount) { t.Error("a fulfillment was not written") }
	})
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	var peers, senders sync.WaitGroup
	join := func() {
		p := &loadPeer{peerConn: e.enter(t)}
		peers.Go(func() {
			p.run(20)
			fulfills.Add(p.fulfills.Load())
		})
	}
	join()
	waitUp(t, a, true)
	stop := make(chan struct{})
	for range 20 {
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if reply := a.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); !reply.Fulfilled {
					t.Errorf("ours: %+v", reply)
					return
				}
				ours.Add(1)
			}
		})
	}
	for range 40 {
		time.Sleep(10 * time.Millisecond)
		join()
	}
	close(stop)
	senders.Wait()
	a.Close()
	peers.Wait()
	if handled.Load() != fulfills.Load() || handled.Load() < 100 || ours.Load() < 100 {
		t.Errorf("%d packets handled, %d answers arrived; %d of ours", handled.Load(), fulfills.Load(), ours.Load())
	}
	t.Logf("%d and %d packets over 41 connections", handled.Load(), ours.Load())
}
