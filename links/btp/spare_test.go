package btp

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
)

// Packets are answered by goroutines that have answered others: and no more of them stay than maxSpare.
func TestGoroutinesAreUsedAgain(t *testing.T) {
	var mu sync.Mutex
	goroutines := make(map[string]bool)
	entered, leave := make(chan struct{}), make(chan struct{})
	handler := ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
		text := make([]byte, 64)
		name, _, _ := strings.Cut(string(text[:runtime.Stack(text, false)]), " [")
		mu.Lock()
		goroutines[name] = true
		mu.Unlock()
		entered <- struct{}{}
		<-leave
		return ilpcore.Fulfill(testFulfillment, nil)
	})
	s, err := newEndpoint(Config{Handler: handler, Logger: zap.NewNop()}, quick()).newSession(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		s.end(nil)
		s.working.Wait()
	}()
	round := func(packets int) {
		t.Helper()
		for id := range packets {
			b := takeBuffer()
			prepare := testPrepare()
			s.slots <- struct{}{}
			s.busy.enter()
			s.deliver(&delivery{session: s, id: uint32(id), prepare: prepare, buffer: b})
			<-entered
		}
		for range packets {
			leave <- struct{}{}
		}
		for done := 0; done < packets; {
			for _, o := range s.queue.take(nil) {
				o.done(nil)
				done++
			}
		}
		// A goroutine waits a moment after its answer is queued.
		for begin := time.Now(); s.spare.waiting.Load() < int64(min(packets, maxSpare)); time.Sleep(time.Millisecond) {
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("%d goroutines wait after %d packets", s.spare.waiting.Load(), packets)
			}
		}
	}
	for range 20 {
		round(3)
	}
	if n := len(goroutines); n < 3 || n > 30 {
		t.Errorf("%d goroutines answered 20 times three packets at once", n)
	}
	round(maxSpare + 10)
	for begin := time.Now(); s.spare.waiting.Load() > maxSpare; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d goroutines wait", s.spare.waiting.Load())
		}
	}
}
