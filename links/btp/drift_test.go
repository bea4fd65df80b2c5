package btp

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// patient has answers waited for as long as a test may take.
func patient(_ *AwaitConfig, t *timing) { t.drift, t.drain = time.Minute, time.Minute }

// ask sends a packet over a link, and returns the channel of its answer.
func ask(t *testing.T, link ilpcore.Handler, p ilpcore.Prepare) <-chan ilpcore.Reply {
	reply := make(chan ilpcore.Reply, 1)
	go func() { reply <- link.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p}) }()
	return reply
}

// askStarted is ask for a link that need not be waited for.
func askStarted(t *testing.T, link ilpcore.Starter, p ilpcore.Prepare) <-chan ilpcore.Reply {
	t.Helper()
	replies := make(answers, 1)
	if !link.StartPrepare(t.Context(), ilpcore.Incoming{Prepare: p}, replies, nil) {
		t.Fatal("not started")
	}
	return replies
}

type answers chan ilpcore.Reply

func (a answers) Answered(reply ilpcore.Reply, _ *ilpcore.Burst) { a <- reply }

// TestAnswersOverTheNextConnection: JavaScript and Rust peers answer over the connection that they have by then. What they have fulfilled is owed.
func TestAnswersOverTheNextConnection(t *testing.T) {
	fulfill := replyBytes(t, ilpcore.Fulfill(testFulfillment, nil))
	for name, broken := range map[string]bool{"broken": true, "taken over": false} {
		t.Run(name, func(t *testing.T) {
			a := newAwaited(t, patient)
			e := newEntrance(t, ListenerConfig{}, quick(), a)
			first := e.enter(t)
			waitUp(t, a, true)
			waiting, started := ask(t, a, testPrepare()), askStarted(t, a, testPrepare())
			one, _ := first.read()
			other, _ := first.read()
			if broken {
				first.conn.CloseNow()
				waitUp(t, a, false)
			}
			second := e.enter(t)
			waitUp(t, a, true)
			second.ilp(frames.TypeResponse, one.RequestID, fulfill)
			second.ilp(frames.TypeResponse, other.RequestID, fulfill)
			second.ilp(frames.TypeResponse, other.RequestID, fulfill) // which nobody waits for any more
			if reply := <-waiting; !reply.Fulfilled {
				t.Errorf("%+v", reply)
			}
			if reply := <-started; !reply.Fulfilled {
				t.Errorf("started: %+v", reply)
			}
		})
	}
	t.Run("dialled", func(t *testing.T) {
		asked := make(chan uint32, 1)
		var connections atomic.Int32
		l := connect(t, listen(t, authenticated(func(p *peerConn) {
			if connections.Add(1) == 1 {
				f, _ := p.read()
				asked <- f.RequestID
				return
			}
			p.ilp(frames.TypeResponse, <-asked, fulfill)
			p.wait()
		})), func(_ *Config, timing *timing) { patient(nil, timing) })
		if reply := <-ask(t, l, testPrepare()); !reply.Fulfilled {
			t.Errorf("%+v", reply)
		}
	})
}

// TestAnswersThatNeverCome: a packet whose connection has broken is given up when the link is closed; and a peer that comes and goes has packets waited
// for over few connections.
func TestAnswersThatNeverCome(t *testing.T) {
	a := newAwaited(t, patient)
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	broken := func(p ilpcore.Prepare) <-chan ilpcore.Reply {
		t.Helper()
		peer := e.enter(t)
		waitUp(t, a, true)
		reply := ask(t, a, p)
		peer.read()
		peer.conn.CloseNow()
		waitUp(t, a, false)
		return reply
	}
	long := testPrepare()
	long.ExpiresAt = time.Now().Add(time.Hour)
	oldest := broken(long)
	var rest []<-chan ilpcore.Reply
	for range maxDrifting {
		rest = append(rest, broken(long))
	}
	if reply := <-oldest; reply.Code != ilpcore.T01 {
		t.Errorf("the oldest of many: %+v", reply)
	}
	for _, reply := range rest {
		select {
		case reply := <-reply:
			t.Errorf("given up: %+v", reply)
		default:
		}
	}
	a.Close()
	for _, reply := range rest {
		if reply := <-reply; reply.Code != ilpcore.T01 {
			t.Errorf("closed: %+v", reply)
		}
	}
	if len(a.asked.sessions) > 0 {
		t.Errorf("%d sessions are remembered", len(a.asked.sessions))
	}
}

// TestPacketsOfAnEndedSession: none is added, and those that are there end in their time.
func TestPacketsOfAnEndedSession(t *testing.T) {
	timing := quick()
	patient(nil, &timing)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s, err := newEndpoint(Config{Handler: fulfilling}, timing).newSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, late := s.calls.add(10 * time.Millisecond)
	_, long := s.calls.add(time.Hour)
	s.end(nil)
	s.calls.watch(s.ctx) // as run does, up to the end
	s.drift()
	if _, k := s.calls.add(time.Hour); k != nil {
		t.Error("a packet after the end")
	}
	if <-late.answered; late.reply.Code != ilpcore.R00 {
		t.Errorf("after its time: %+v", late.reply)
	}
	stop()
	if <-long.answered; long.reply.Code != ilpcore.T01 {
		t.Errorf("closed: %+v", long.reply)
	}
	s.working.Wait()
}
