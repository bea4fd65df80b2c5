package btp

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// TestCallsEndInTheirTime, in whatever order they came; and no other ones do.
func TestCallsEndInTheirTime(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	c := newCalls(1)
	var watching, together sync.WaitGroup
	watching.Go(func() { c.watch(ctx) })
	start := time.Now()
	_, long := c.add(time.Hour)
	for range 3 {
		for _, left := range []time.Duration{20 * time.Millisecond, time.Millisecond, 0, -time.Second, 10 * time.Millisecond} {
			together.Go(func() {
				_, k := c.add(left)
				<-k.answered
				if took := time.Since(start); took < left || k.reply.Code != ilpcore.R00 {
					t.Errorf("ended after %v with %s, want R00 after %v", took, k.reply.Code, left)
				}
				k.free()
			})
		}
		early, k := c.add(time.Hour)
		c.take(early).answer(ilpcore.Reply{Fulfilled: true}, nil)
		if <-k.answered; !k.reply.Fulfilled {
			t.Error("not its answer")
		}
		k.free()
	}
	together.Wait()
	c.giveUp()
	if len(c.byID) != 1 || c.first != long.until {
		t.Errorf("%d calls are left, alarm at %v", len(c.byID), c.first)
	}
	stop()
	watching.Wait()
	c.end(lost())
	if <-long.answered; long.reply.Code != ilpcore.T01 {
		t.Errorf("the end of the session answers %s", long.reply.Code)
	}
}
