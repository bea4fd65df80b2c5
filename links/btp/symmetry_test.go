package btp

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// pair is a link, and the session of our own kind that it has dialled; wrap gets that one's socket before it is used.
func pair(t testing.TB, far *endpoint, near ilpcore.Handler, wrap ...func(*corked)) (*Link, *session) {
	t.Helper()
	sessions := make(chan *session, 1)
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrade(w, r, time.Second)
		if err != nil {
			return
		}
		c.conn.limit = frames.MaxFrame
		var login frames.Frame
		if _, data, err := c.conn.next(); err != nil || login.Decode(data) != nil {
			t.Errorf("no login: %v", err)
			return
		}
		for _, wrap := range wrap {
			wrap(c.conn.below)
		}
		s, err := far.newSession(ctx, c.conn)
		if err == nil {
			s.acknowledge(login.RequestID)
		}
		if err != nil {
			return
		}
		serving.Go(func() { _ = s.run() })
		sessions <- s
	}))
	l, err := dial(Config{Account: "near", URL: urlOf(server), Handler: near}, quick())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		stop()
		server.Close()
		serving.Wait()
		far.working.Wait()
	})
	s := <-sessions
	for !l.Up() {
		time.Sleep(time.Millisecond)
	}
	return l, s
}

// Both ends of a connection send and answer at once, with the same request ids under way.
func TestBothEndsAreEqual(t *testing.T) {
	far := newEndpoint(Config{Account: "far", Handler: fulfilling}, quick())
	near, session := pair(t, far, fulfilling)
	send := map[string]func(context.Context, ilpcore.Incoming) ilpcore.Reply{"dialled": near.HandlePrepare, "listened": session.send}
	var all sync.WaitGroup
	for name, send := range send {
		for range 20 {
			all.Go(func() {
				for range 20 {
					p := testPrepare()
					p.Data = []byte(name)
					if reply := send(context.Background(), ilpcore.Incoming{Prepare: p}); !reply.Fulfilled || string(reply.Data) != name {
						t.Errorf("%s: %+v", name, reply)
					}
				}
			})
		}
	}
	all.Wait()
}

// counted is a net.Conn whose writes are counted.
type counted struct {
	net.Conn
	writes *atomic.Int64
}

func (c counted) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// With many packets under way, their answers share writes: the first answer is not sent before the others have had their turn.
func TestAnswersShareWrites(t *testing.T) {
	var writes atomic.Int64
	near, _ := pair(t, newEndpoint(Config{Account: "far", Handler: fulfilling}, quick()), fulfilling, func(c *corked) {
		c.Conn = counted{c.Conn, &writes}
	})
	writes.Store(0)
	const senders, each = 64, 50
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for range each {
				if reply := near.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: testPrepare()}); !reply.Fulfilled {
					t.Errorf("%+v", reply)
				}
			}
		})
	}
	all.Wait()
	if n := writes.Load(); n > senders*each/2 {
		t.Errorf("%d writes for %d answers", n, senders*each)
	}
}

// BenchmarkPair has 64 packets in flight over a local socket, both ends in this process.
func BenchmarkPair(b *testing.B) {
	l, _ := pair(b, newEndpoint(Config{Account: "far", Handler: fulfilling}, quick()), fulfilling)
	var failed atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if !l.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: testPrepare()}).Fulfilled {
				failed.Add(1)
			}
		}
	})
	if failed.Load() > 0 {
		b.Errorf("%d packets failed", failed.Load())
	}
}
