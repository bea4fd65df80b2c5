package btp

import (
	"context"
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
