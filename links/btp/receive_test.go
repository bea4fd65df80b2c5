package btp

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

func TestReceiveAnswers(t *testing.T) {
	good := prepareBytes(t, testPrepare())
	refused := testPrepare()
	refused.Destination = []byte("test.nowhere")
	for name, test := range map[string]struct {
		send func(p *peerConn)
		want func(f frames.Frame) bool
	}{
		"prepare":             {func(p *peerConn) { p.ilp(frames.TypeMessage, 7, good) }, isFulfill},
		"prepare in Response": {func(p *peerConn) { p.ilp(frames.TypeResponse, 7, good) }, isFulfill},
		"rejected":            {func(p *peerConn) { p.ilp(frames.TypeMessage, 7, prepareBytes(t, refused)) }, isReject(ilpcore.F02)},
		"broken prepare":      {func(p *peerConn) { p.ilp(frames.TypeMessage, 7, good[:40]) }, isReject(ilpcore.F01)},
		"other packet":        {func(p *peerConn) { p.ilp(frames.TypeMessage, 7, []byte{99, 0}) }, isReject(ilpcore.F01)},
		"empty packet":        {func(p *peerConn) { p.ilp(frames.TypeMessage, 7, nil) }, isReject(ilpcore.F01)},
		"transfer": {func(p *peerConn) { p.write(frames.Frame{Type: frames.TypeTransfer, RequestID: 7, Amount: 10}) }, func(f frames.Frame) bool {
			return f.Type == frames.TypeError && f.Error.Code == frames.NotAccepted && !f.Error.TriggeredAt.IsZero()
		}},
		"other protocol": {func(p *peerConn) {
			p.write(frames.Frame{Type: frames.TypeMessage, RequestID: 7, Entries: []frames.Entry{{Name: "info", Data: []byte{2}}}})
		}, isEmpty},
		"auth again": {func(p *peerConn) { p.write(frames.AuthMessage(7, frames.Auth{Token: "x"})) }, isEmpty},
		"no entries": {func(p *peerConn) { p.write(frames.Frame{Type: frames.TypeMessage, RequestID: 7}) }, isEmpty},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := make(chan frames.Frame, 1)
			handler := ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
				if in.From != "up" {
					t.Errorf("from %q", in.From)
				}
				if string(in.Destination) == "test.nowhere" {
					return ilpcore.Reject(ilpcore.F02, "test.us", "no such place", nil)
				}
				return ilpcore.Fulfill(testFulfillment, in.Data)
			})
			connect(t, listen(t, authenticated(func(p *peerConn) {
				test.send(p)
				if f, ok := p.read(); ok {
					got <- f
				}
				p.wait()
			})), func(c *Config, _ *timing) { c.Handler = handler })
			select {
			case f := <-got:
				if f.RequestID != 7 || !test.want(f) {
					t.Errorf("answer %+v", f)
				}
			case <-time.After(5 * time.Second):
				t.Error("no answer")
			}
		})
	}
}

func isFulfill(f frames.Frame) bool {
	packet, _ := f.ILP()
	r, err := ilpcore.DecodeReply(packet)
	return err == nil && f.Type == frames.TypeResponse && r.Fulfilled && string(r.Data) == "end to end"
}

func isReject(code ilpcore.Code) func(frames.Frame) bool {
	return func(f frames.Frame) bool {
		packet, _ := f.ILP()
		r, err := ilpcore.DecodeReply(packet)
		return err == nil && f.Type == frames.TypeResponse && r.Code == code
	}
}

func isEmpty(f frames.Frame) bool { return f.Type == frames.TypeResponse && len(f.Entries) == 0 }

func TestReceiveBoundsPacketsInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	codes := make(chan ilpcore.Code, 2)
	connect(t, listen(t, authenticated(func(p *peerConn) {
		p.ilp(frames.TypeMessage, 1, prepareBytes(t, testPrepare()))
		<-entered
		p.ilp(frames.TypeMessage, 2, prepareBytes(t, testPrepare()))
		for range 2 {
			f, _ := p.read()
			packet, _ := f.ILP()
			r, _ := ilpcore.DecodeReply(packet)
			codes <- r.Code
			if f.RequestID == 2 {
				close(leave)
			}
		}
		p.wait()
	})), func(c *Config, _ *timing) {
		c.MaxInFlight = 1
		c.Handler = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			close(entered)
			<-leave
			return ilpcore.Fulfill(testFulfillment, nil)
		})
	})
	if first, second := <-codes, <-codes; first != ilpcore.T03 || second != (ilpcore.Code{}) {
		t.Errorf("codes %s, %s", first, second)
	}
}

func TestSetHandler(t *testing.T) {
	next, replies := make(chan struct{}), make(chan ilpcore.Reply)
	l := connect(t, listen(t, authenticated(func(p *peerConn) {
		for range 2 {
			p.ilp(frames.TypeMessage, 1, prepareBytes(t, testPrepare()))
			f, _ := p.read()
			packet, _ := f.ILP()
			r, _ := ilpcore.DecodeReply(packet)
			replies <- r
			<-next
		}
		p.wait()
	})), func(c *Config, _ *timing) { c.Handler = nil })
	if r := <-replies; r.Code != ilpcore.T01 {
		t.Errorf("without a handler: %+v", r)
	}
	l.SetHandler(fulfilling)
	next <- struct{}{}
	if r := <-replies; !r.Fulfilled {
		t.Errorf("with one: %+v", r)
	}
	close(next)
}

// A slot comes back once its packet is answered.
func TestReceiveOneAfterTheOther(t *testing.T) {
	answers := make(chan bool, 5)
	connect(t, listen(t, authenticated(func(p *peerConn) {
		for i := range uint32(cap(answers)) {
			p.ilp(frames.TypeMessage, i, prepareBytes(t, testPrepare()))
			f, ok := p.read()
			answers <- ok && isFulfill(f)
			time.Sleep(5 * time.Millisecond) // the slot is freed just after the answer is on its way
		}
		p.wait()
	})), func(c *Config, _ *timing) { c.MaxInFlight = 1 })
	for range cap(answers) {
		if !<-answers {
			t.Error("not fulfilled")
		}
	}
}

// A Fulfill that cannot reach the peer is counted, once, and its packet's context ends with the link; a Reject is not counted.
func TestReceiveCountsWhatItCouldNotWrite(t *testing.T) {
	var lost atomic.Uint64
	entered := make(chan struct{}, 2)
	l := connect(t, listen(t, authenticated(func(p *peerConn) {
		refused := testPrepare()
		refused.Amount = 1000
		p.ilp(frames.TypeMessage, 1, prepareBytes(t, refused))
		p.ilp(frames.TypeMessage, 2, prepareBytes(t, testPrepare()))
		<-entered
		<-entered // and now the end
	})), func(c *Config, timing *timing) {
		timing.waits = []time.Duration{0, time.Hour}
		timing.stable = time.Hour
		c.Handler = ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
			entered <- struct{}{}
			<-ctx.Done()
			if in.Amount == 1000 {
				return ilpcore.Reject(ilpcore.F99, "", "no", nil)
			}
			return ilpcore.Fulfill(testFulfillment, nil)
		})
		c.Unconfirmed = func(account ilpcore.AccountID, paid amount.Amount) {
			if account != "up" {
				t.Errorf("account %q", account)
			}
			lost.Add(uint64(paid))
		}
	})
	for l.Up() {
		time.Sleep(time.Millisecond)
	}
	l.Close()
	if lost.Load() != 107 {
		t.Errorf("unconfirmed %d", lost.Load())
	}
}

// A packet whose connection is gone is still at work: the next node may fulfil it.
func TestAPacketOutlivesItsConnection(t *testing.T) {
	entered, gone, lost := make(chan struct{}), make(chan struct{}), make(chan amount.Amount, 1)
	l := connect(t, listen(t, authenticated(func(p *peerConn) {
		p.ilp(frames.TypeMessage, 1, prepareBytes(t, testPrepare()))
		<-entered // and now the end
	})), func(c *Config, timing *timing) {
		timing.waits = []time.Duration{0, time.Hour}
		timing.stable = time.Hour
		c.Handler = ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
			close(entered)
			<-gone
			if err := ctx.Err(); err != nil {
				t.Errorf("the packet ended with its connection: %v", err)
			}
			return ilpcore.Fulfill(testFulfillment, nil)
		})
		c.Unconfirmed = func(_ ilpcore.AccountID, paid amount.Amount) { lost <- paid }
	})
	for l.Up() {
		time.Sleep(time.Millisecond)
	}
	close(gone)
	if n := <-lost; n != 107 {
		t.Errorf("unconfirmed %v", n)
	}
}

// A Fulfill that is late, because the process stood still, is not sent, and the connection goes on.
func TestNoFulfillOfAnExpiredPacketIsSent(t *testing.T) {
	answered := make(chan uint32, 1)
	lost := make(chan amount.Amount, 1)
	connect(t, listen(t, authenticated(func(p *peerConn) {
		p.ilp(frames.TypeMessage, 1, prepareBytes(t, soon()))
		select {
		case n := <-lost:
			if n != 107 {
				t.Errorf("unconfirmed %v", n)
			}
		case <-time.After(5 * time.Second):
			t.Error("the Fulfill was sent")
		}
		p.ilp(frames.TypeMessage, 2, prepareBytes(t, testPrepare()))
		f, _ := p.read()
		answered <- f.RequestID
		p.wait()
	})), func(c *Config, _ *timing) {
		c.Handler = ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
			if left := time.Until(in.ExpiresAt); left < time.Second {
				time.Sleep(left + time.Millisecond)
			}
			return ilpcore.Fulfill(testFulfillment, nil)
		})
		c.Unconfirmed = func(_ ilpcore.AccountID, paid amount.Amount) { lost <- paid }
	})
	if id := <-answered; id != 2 {
		t.Errorf("the answer is to packet %d", id)
	}
}

// Closing lets a packet under way be answered.
func TestCloseDrains(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	answered := make(chan bool, 1)
	l := connect(t, listen(t, authenticated(func(p *peerConn) {
		p.ilp(frames.TypeMessage, 1, prepareBytes(t, testPrepare()))
		f, ok := p.read()
		answered <- ok && f.RequestID == 1
		p.wait()
	})), func(c *Config, timing *timing) {
		timing.drain = 5 * time.Second
		c.Handler = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			close(entered)
			<-leave
			return ilpcore.Fulfill(testFulfillment, nil)
		})
		c.Unconfirmed = func(ilpcore.AccountID, amount.Amount) { t.Error("unconfirmed") }
	})
	<-entered
	time.AfterFunc(20*time.Millisecond, func() { close(leave) })
	l.Close()
	if !<-answered {
		t.Error("the packet under way was not answered")
	}
}

// Whatever the peer sends, the link answers a frame at most once, and never a Response that holds no Prepare.
func FuzzReceive(f *testing.F) {
	f.Add(frames.AppendILP(nil, frames.TypeMessage, 1, prepareBytes(f, testPrepare())))
	f.Add(frames.AppendILP(nil, frames.TypeResponse, 1, replyBytes(f, ilpcore.Fulfill(testFulfillment, nil))))
	transfer := frames.Frame{Type: frames.TypeTransfer, RequestID: 1, Amount: 1}
	f.Add(packetOf(f, &transfer))
	failure := frames.NewError(1, frames.NotAccepted, "x", time.Unix(0, 0))
	f.Add(packetOf(f, &failure))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := newEndpoint(Config{Handler: fulfilling, Logger: zap.NewNop()}, quick()).newSession(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.end(nil)
		s.spare.waiting.Store(maxSpare) // so that who answers ends
		_, k := s.calls.add(time.Hour)  // one call that waits, for the peer to answer
		s.receive(append([]byte(nil), data...))
		s.working.Wait()
		var in frames.Frame
		if err := in.Decode(data); err != nil {
			if len(s.queue.frames) > 0 {
				t.Error("an answer to what is no frame")
			}
			return
		}
		packet, _ := in.ILP()
		request := in.Type == frames.TypeMessage || in.Type == frames.TypeTransfer || len(packet) > 0 && packet[0] == ilpcore.TypePrepare
		answers := s.queue.take(nil)
		if len(answers) > 1 || len(answers) == 1 && !request {
			t.Errorf("%d answers to %+v", len(answers), in)
		}
		for _, o := range answers {
			var out frames.Frame
			if err := out.Decode(o.buffer.out); err != nil || out.RequestID != in.RequestID || out.Type == frames.TypeMessage {
				t.Errorf("answered %+v, %v", out, err)
			}
			o.done(nil)
		}
		if len(k.answered) > 1 {
			t.Error("two answers for one call")
		}
	})
}
