package btp

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// echo fulfills every Prepare with its own data.
func echo(p *peerConn) {
	for {
		f, ok := p.read()
		if !ok {
			return
		}
		packet, _ := f.ILP()
		prepare, err := ilpcore.DecodePrepare(packet)
		if err != nil || f.Type != frames.TypeMessage {
			p.t.Errorf("frame %+v, %v", f, err)
			return
		}
		p.ilp(frames.TypeResponse, f.RequestID, replyBytes(p.t, ilpcore.Fulfill(testFulfillment, prepare.Data)))
	}
}

func TestSendRoundTrip(t *testing.T) {
	l := connect(t, listen(t, authenticated(echo)), nil)
	for _, size := range []int{0, 10, 5000, ilpcore.MaxData} {
		p := testPrepare()
		p.Data = make([]byte, size)
		for i := range p.Data {
			p.Data[i] = byte(i)
		}
		reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p})
		if !reply.Fulfilled || reply.Fulfillment != testFulfillment || string(reply.Data) != string(p.Data) {
			t.Fatalf("%d bytes: %v %s %q", size, reply.Fulfilled, reply.Code, reply.Message)
		}
	}
}

func TestSendManyAtOnce(t *testing.T) {
	l := connect(t, listen(t, authenticated(echo)), nil)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for j := range 20 {
				p := testPrepare()
				p.Data = fmt.Append(nil, i, j)
				if reply := l.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: p}); string(reply.Data) != string(p.Data) {
					t.Errorf("sent %q, got %q (%s %s)", p.Data, reply.Data, reply.Code, reply.Message)
				}
			}
		})
	}
	all.Wait()
}

func TestSendOverTLS(t *testing.T) {
	plain := listen(t, authenticated(echo))
	server := httptest.NewUnstartedServer(plain.Config.Handler)
	server.EnableHTTP2 = true // which must not be negotiated
	server.StartTLS()
	defer server.Close()
	l := connect(t, server, func(c *Config, _ *timing) { c.Transport = server.Client().Transport.(*http.Transport) })
	if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); !reply.Fulfilled {
		t.Errorf("%+v", reply)
	}
	l.Close()
}

func TestSendMapsAnswers(t *testing.T) {
	fulfill := replyBytes(t, ilpcore.Fulfill(testFulfillment, nil))
	for name, test := range map[string]struct {
		answer func(p *peerConn, id uint32)
		want   ilpcore.Code // zero: fulfilled
	}{
		"fulfill":              {func(p *peerConn, id uint32) { p.ilp(frames.TypeResponse, id, fulfill) }, ilpcore.Code{}},
		"fulfill in a Message": {func(p *peerConn, id uint32) { p.ilp(frames.TypeMessage, id, fulfill) }, ilpcore.Code{}},
		"wrong fulfillment": {func(p *peerConn, id uint32) {
			p.ilp(frames.TypeResponse, id, replyBytes(t, ilpcore.Fulfill([32]byte{9}, nil)))
		}, ilpcore.F05},
		"reject": {func(p *peerConn, id uint32) {
			p.ilp(frames.TypeResponse, id, replyBytes(t, ilpcore.Reject(ilpcore.F06, "test.them", "no", nil)))
		}, ilpcore.F06},
		"not a packet":    {func(p *peerConn, id uint32) { p.ilp(frames.TypeResponse, id, []byte("OK")) }, ilpcore.T01},
		"broken fulfill":  {func(p *peerConn, id uint32) { p.ilp(frames.TypeResponse, id, fulfill[:9]) }, ilpcore.T01},
		"empty packet":    {func(p *peerConn, id uint32) { p.ilp(frames.TypeResponse, id, nil) }, ilpcore.T01},
		"no packet":       {func(p *peerConn, id uint32) { p.write(frames.Frame{Type: frames.TypeResponse, RequestID: id}) }, ilpcore.T01},
		"BTP final error": {func(p *peerConn, id uint32) { p.write(frames.NewError(id, frames.NotAccepted, "x", time.Now())) }, ilpcore.F00},
		"BTP temporary":   {func(p *peerConn, id uint32) { p.write(frames.NewError(id, frames.Unreachable, "x", time.Now())) }, ilpcore.T01},
		"after answers nobody waits for": {func(p *peerConn, id uint32) {
			p.ilp(frames.TypeResponse, id+1, replyBytes(t, ilpcore.Fulfill([32]byte{9}, nil)))
			p.write(frames.Frame{Type: frames.TypeResponse, RequestID: id + 2})
			p.write(frames.NewError(id+3, frames.NotAccepted, "x", time.Now()))
			p.ilp(frames.TypeResponse, id, fulfill)
			p.ilp(frames.TypeResponse, id, replyBytes(t, ilpcore.Reject(ilpcore.F06, "", "", nil))) // a second one
		}, ilpcore.Code{}},
		"after garbage": {func(p *peerConn, id uint32) {
			for _, b := range [][]byte{nil, {0}, {1, 2, 3}, {9, 0, 0, 0, 1, 1, 0}, {1, 0, 0, 0, 1, 0x84, 255, 255, 255, 255}} {
				p.raw(b)
			}
			_ = p.conn.Write(p.ctx, websocket.MessageText, []byte(`{"hello":"there"}`))
			p.ilp(frames.TypeResponse, id, fulfill)
		}, ilpcore.Code{}},
		"silence":               {func(*peerConn, uint32) {}, ilpcore.R00},
		"closes":                {func(p *peerConn, _ uint32) { p.conn.CloseNow() }, ilpcore.T01},
		"closes politely":       {func(p *peerConn, _ uint32) { p.conn.Close(websocket.StatusNormalClosure, "bye") }, ilpcore.T01},
		"a frame beyond 64 KiB": {func(p *peerConn, _ uint32) { p.raw(make([]byte, frames.MaxFrame+2)) }, ilpcore.T01},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := connect(t, listen(t, authenticated(func(p *peerConn) {
				f, ok := p.read()
				if ok {
					test.answer(p, f.RequestID)
					p.wait()
				}
			})), nil)
			p := testPrepare()
			if test.want == ilpcore.R00 {
				p = soon()
			}
			reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p})
			if reply.Code != test.want || reply.Fulfilled != (test.want == ilpcore.Code{}) {
				t.Errorf("reply %+v, want %s", reply, test.want)
			}
		})
	}
}

func TestSendRefuses(t *testing.T) {
	l := connect(t, listen(t, authenticated((*peerConn).wait)), nil)
	expired, unaddressed := testPrepare(), testPrepare()
	expired.ExpiresAt = time.Now().Add(-time.Second)
	unaddressed.Destination = nil
	if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: expired}); reply.Code != ilpcore.R00 {
		t.Errorf("expired: %+v", reply)
	}
	if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: unaddressed}); reply.Code != ilpcore.F01 {
		t.Errorf("no destination: %+v", reply)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if reply := l.HandlePrepare(ctx, ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.R00 {
		t.Errorf("cancelled: %+v", reply)
	}
	l.Close()
	if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.T01 || l.Up() {
		t.Errorf("closed: %+v, up %v", reply, l.Up())
	}
}

func TestRequestIDsAreUniqueInFlight(t *testing.T) {
	c := newCalls(1<<32 - 2)
	first, k := c.add(time.Hour)
	second, _ := c.add(time.Hour)
	if first != 1<<32-1 || second != 0 {
		t.Errorf("ids %d, %d", first, second)
	}
	c.lastID = 1<<32 - 2
	if third, _ := c.add(time.Hour); third != 1 {
		t.Errorf("an id in use was given again: %d", third)
	}
	c.drop(first, k)
	c.end(lost())
	if _, k := c.add(time.Hour); k != nil {
		t.Error("a call after the end")
	}
}
