package btp

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// Closing a link that has dialled answers what is under way in both directions, as that of one that was dialled does: what the peer fulfils is owed,
// and what it has not read is not destroyed with the socket.
func TestLinkClose(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	asked, told := make(chan struct{}), make(chan error, 1)
	var session *session
	l := connect(t, listen(t, authenticated(func(p *peerConn) {
		outgoing, _ := p.read()
		p.ilp(frames.TypeMessage, 3, prepareBytes(t, testPrepare()))
		<-entered
		close(asked)
		for end := time.Now().Add(5 * time.Second); session.busy.state.Load() < closing && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		p.ilp(frames.TypeMessage, 4, prepareBytes(t, testPrepare()))
		if f, ok := p.read(); !ok || f.RequestID != 4 || !isReject(ilpcore.T03)(f) {
			t.Errorf("a new packet: %+v, %v", f, ok)
		}
		p.ilp(frames.TypeResponse, outgoing.RequestID, replyBytes(t, ilpcore.Fulfill(testFulfillment, nil)))
		close(leave)
		if f, ok := p.read(); !ok || f.RequestID != 3 || !isFulfill(f) {
			t.Errorf("the peer's packet under way: %+v, %v", f, ok)
		}
		told <- p.closedWith(websocket.StatusGoingAway)
	})), func(c *Config, timing *timing) {
		timing.drain = 5 * time.Second
		c.Handler = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			close(entered)
			<-leave
			return ilpcore.Fulfill(testFulfillment, []byte("end to end"))
		})
		c.Unconfirmed = func(ilpcore.AccountID, amount.Amount) { t.Error("unconfirmed") }
	})
	session = l.session.Load()
	sent := make(chan ilpcore.Reply, 1)
	go func() { sent <- l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}) }()
	<-asked
	l.Close()
	if reply := <-sent; !reply.Fulfilled {
		t.Errorf("our packet under way: %+v", reply)
	}
	if err := <-told; err != nil {
		t.Errorf("no goodbye: %v", err)
	}
	if l.Up() {
		t.Error("up after Close")
	}
	if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.T01 {
		t.Errorf("a packet after Close: %+v", reply)
	}
}

// What the peer fulfils before it says goodbye, too, is owed: it is heard although it is late.
func TestAFulfillAfterTheGoodbye(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	near, far := net.Pipe()
	var running sync.WaitGroup
	s := start(t, &running, ctx, near, false, Config{Account: "up", Handler: fulfilling})
	defer running.Wait()
	defer stop()
	sent := make(chan ilpcore.Reply, 1)
	running.Go(func() { sent <- s.send(ctx, ilpcore.Incoming{Prepare: testPrepare()}) })
	peer := newSocket(&corked{Conn: far, timeout: time.Minute}, far, true, frames.MaxFrame)
	_, data, err := peer.next()
	if err != nil {
		t.Fatal(err)
	}
	var asked frames.Frame
	if err := asked.Decode(data); err != nil {
		t.Fatal(err)
	}
	s.busy.enter()
	running.Go(func() { s.retire("over") })
	if _, _, err := peer.next(); !errors.Is(err, peerClosed{statusGoingAway}) {
		t.Fatal(err)
	}
	peer.add(opBinary, frames.AppendILP(nil, frames.TypeMessage, 3, prepareBytes(t, testPrepare())))
	peer.add(opBinary, frames.AppendILP(nil, frames.TypeResponse, asked.RequestID, replyBytes(t, ilpcore.Fulfill(testFulfillment, nil))))
	if err := peer.write(opClose, appendClose(nil, statusGoingAway, "")); err != nil {
		t.Fatal(err)
	}
	if reply := <-sent; !reply.Fulfilled {
		t.Errorf("%+v", reply)
	}
	if opcode, data, err := peer.next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the goodbye there came %d, %x, %v", opcode, data, err)
	}
}
