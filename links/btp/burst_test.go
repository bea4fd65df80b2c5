package btp

// This file checks that nobody waits for a peer with what the peer's frames have begun, and what others may share.

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// lateStarter leaves something to the end of the burst, and answers nothing.
type lateStarter struct {
	ilpcore.Handler
	flushed chan struct{}
}

func (l lateStarter) StartPrepare(_ context.Context, _ ilpcore.Incoming, _ ilpcore.Asker, burst *ilpcore.Burst) bool {
	burst.Later(l)
	return true
}

func (l lateStarter) Flush() { signal(l.flushed) }

// A burst ends when there is nothing more to take in at the moment, whatever the frames after the last packet are, and whether or not the peer reads: what
// is left to its end, such as the records of other accounts' packets, must not wait for this peer.
func TestABurstDoesNotWaitForThePeer(t *testing.T) {
	packet := masked(opBinary, string(frames.AppendILP(nil, frames.TypeMessage, 7, prepareBytes(t, testPrepare()))))
	for name, after := range map[string][]byte{
		"nothing":                 nil,
		"half a frame":            masked(opBinary, "half")[:5],
		"a Ping":                  masked(opPing, "here?"),
		"a Pong":                  masked(opPong, "01234567"),
		"a fragment":              unfinished(masked(opBinary, "x")),
		"more Pings than it read": bytes.Repeat(masked(opPing, ""), 600),
		"a goodbye":               masked(opClose, "\x03\xe8"),
	} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			timing := quick()
			timing.bye = time.Minute
			handler := lateStarter{fulfilling, make(chan struct{}, 1)}
			ctx, stop := context.WithCancel(t.Context())
			s, err := newEndpoint(Config{Handler: handler}, timing).
				newSession(ctx, newSocket(&corked{Conn: near, timeout: time.Minute}, near, false, frames.MaxFrame))
			if err != nil {
				t.Fatal(err)
			}
			var running sync.WaitGroup
			running.Go(func() { _ = s.run() })
			defer running.Wait()
			defer stop()
			if _, err := far.Write(slices.Concat(packet, after)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-handler.flushed:
			case <-time.After(3 * time.Second):
				t.Error("the burst has not ended")
			}
		})
	}
}
