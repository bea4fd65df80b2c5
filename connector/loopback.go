package connector

// This file is the two link types of the Java connector that lead nowhere: LOOPBACK, to try out an account, and PING.

import (
	"bytes"
	"context"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// loopbackDelay is how long a loopback that is to answer T03 waits first, as the Java connector's does.
const loopbackDelay = 60 * time.Second

// loopback answers every packet itself.
type loopback struct{ simulate ilpcore.Code }

// NewLoopback returns a link of the Java connector's type LOOPBACK: it fulfils with 32 zero bytes and sends the data back. So only packets with the
// condition ilpcore.PeerCondition get through. simulate makes it reject instead: T02 at once, T03 after 60 s or when the packet's time is
// over, any other code at once; the zero Code is none.
func NewLoopback(simulate ilpcore.Code) Link { return loopback{simulate} }

func (l loopback) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if l.simulate == (ilpcore.Code{}) {
		return ilpcore.Fulfill(ilpcore.PeerFulfillment, bytes.Clone(in.Data))
	}
	if l.simulate == ilpcore.T03 {
		wait(ctx, min(loopbackDelay, time.Until(in.ExpiresAt)))
	}
	return ilpcore.Reject(l.simulate, "", "this loopback link is set up to reject", nil)
}

func (loopback) Up() bool { return true }

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// pingLink fulfils pings.
type pingLink struct{}

// NewPingLink returns a link of the Java connector's type PING: it fulfils packets with the condition ilpcore.PingCondition, sends their
// data back, and rejects others with F00.
func NewPingLink() Link { return pingLink{} }

func (pingLink) HandlePrepare(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if in.Condition != ilpcore.PingCondition {
		return ilpcore.Reject(ilpcore.F00, "", "the condition is not that of a ping", nil)
	}
	return ilpcore.Fulfill(ilpcore.PingFulfillment, bytes.Clone(in.Data))
}

func (pingLink) Up() bool { return true }

var (
	_ Link = loopback{}
	_ Link = pingLink{}
)
