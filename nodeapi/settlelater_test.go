package nodeapi

import (
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/internal/testengine"
)

// clock is a time that tests move, with what waits for it.
type clock struct {
	mu      sync.Mutex
	now     time.Time
	waiting map[int]alarm
	next    int
}

type alarm struct {
	at   time.Time
	ring func()
}

func newClock() *clock { return &clock{now: time.Now(), waiting: make(map[int]alarm)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.next
	c.next++
	c.waiting[id] = alarm{c.now.Add(d), f}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, ok := c.waiting[id]
		delete(c.waiting, id)
		return ok
	}
}

// pass lets d pass.
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for id, a := range c.waiting {
		if !a.at.After(c.now) {
			due = append(due, a.ring)
			delete(c.waiting, id)
		}
	}
	c.mu.Unlock()
	for _, ring := range due {
		ring()
	}
}

func (c *clock) waits() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

const every = time.Hour

func byTime(c *clock) func(*Config, *http.Transport) {
	return func(config *Config, _ *http.Transport) {
		config.SettleEvery, config.Now, config.After = every, c.Now, c.After
	}
}

// owesAlice gives alice what a fulfilled packet would, below her threshold of 100.
func (b *bed) owesAlice(t *testing.T, n int64) {
	t.Helper()
	b.earn(t, n)
	b.Owed("alice")
}

func TestSettlesByTime(t *testing.T) {
	e, c := newEngine(t), newClock()
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL, byTime(c))
	b.owesAlice(t, 30)
	c.pass(every / 2)
	b.owesAlice(t, 20) // which puts nothing off
	eventually(t, "the account waits", func() bool { return b.quiet() && c.waits() == 1 })
	c.pass(every/2 - time.Second)
	if e.Calls() != 0 || b.clearing() != 50 {
		t.Errorf("before its time %d settlements were asked for, %d are left", e.Calls(), b.clearing())
	}
	c.pass(time.Second)
	eventually(t, "its time is up", func() bool { return b.quiet() && e.Total(3).Int64() == 40 })
	if b.clearing() != 10 || c.waits() != 0 {
		t.Errorf("%d are left, %d wait", b.clearing(), c.waits())
	}

	b.owesAlice(t, 5)
	c.pass(every - 1)
	if e.Settlements() != 1 {
		t.Error("the time did not begin anew")
	}
	b.earn(t, 95) // at 110, the threshold
	eventually(t, "the threshold is not waited for", func() bool { return b.quiet() && e.Total(3).Int64() == 140 && b.clearing() == 10 })
	c.pass(every)
	eventually(t, "nothing waits any more", func() bool { return b.quiet() && c.waits() == 0 })
	if e.Settlements() != 2 {
		t.Errorf("%d settlements", e.Settlements())
	}
}

// What is not above settle_to, has no engine or no threshold waits for nothing.
func TestNothingToSettleByTime(t *testing.T) {
	e, c := newEngine(t), newClock()
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL, byTime(c))
	b.earn(t, 10)
	eventually(t, "the account is looked at", b.quiet)
	if c.waits() != 0 {
		t.Error("a balance of settle_to waits")
	}
	b.earn(t, 50)
	eventually(t, "the account waits", func() bool { return b.quiet() && c.waits() == 1 })
	if w := b.ask(t, "PUT", "/accounts/alice", asAdmin, `{"username":"alice","asset_code":"USD","asset_scale":3,"settlement_engine_url":"`+e.URL+`"}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	c.pass(every)
	eventually(t, "the account is looked at again", func() bool { return b.quiet() && c.waits() == 0 })
	if e.Calls() != 0 || b.clearing() != 60 {
		t.Errorf("%d settlements, %d left", e.Calls(), b.clearing())
	}
}

// What was owed at a stop is settled after the next start, once.
func TestSettlesByTimeAcrossARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	e, c := newEngine(t), newClock()
	b := settlingBed(t, dir, e.URL, byTime(c))
	b.owesAlice(t, 60)
	eventually(t, "the account waits", func() bool { return b.quiet() && c.waits() == 1 })
	b.API.Close()
	b.node.Close()
	b.directory.store.Close()
	if c.waits() != 0 {
		t.Errorf("%d wait for an API that is closed", c.waits())
	}
	b = settlingBed(t, dir, e.URL, byTime(c))
	eventually(t, "the account waits again", func() bool { return b.quiet() && c.waits() == 1 })
	c.pass(every)
	eventually(t, "its time is up", func() bool { return b.quiet() && e.Total(3).Int64() == 50 })
	if b.clearing() != 10 || e.Settlements() != 1 {
		t.Errorf("%d are left after %d settlements", b.clearing(), e.Settlements())
	}
}

// An engine that refuses is asked again at the next time, and not at once.
func TestRefusedByTime(t *testing.T) {
	e, c := newEngine(t), newClock()
	e.Fail(func(call int) testengine.Fault {
		if call > 2 {
			return testengine.Fault{}
		}
		return testengine.Fault{Status: http.StatusForbidden}
	})
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL, byTime(c))
	b.owesAlice(t, 60)
	for call := 1; call <= 2; call++ {
		eventually(t, "the account waits", func() bool { return b.quiet() && c.waits() == 1 })
		c.pass(every)
		eventually(t, "the engine has refused, and both waits have begun", func() bool { return b.quiet() && e.Calls() == call && b.clearing() == 60 && c.waits() == 2 })
		c.pass(refusedPause << (call - 1))
	}
	eventually(t, "the account waits", func() bool { return b.quiet() && c.waits() == 1 })
	c.pass(every)
	eventually(t, "it is settled", func() bool { return b.quiet() && e.Total(3).Int64() == 50 && b.clearing() == 10 })
}

// An account that rests after a refusal is settled when the minute is over, though no packet comes and nothing is settled by time.
func TestARefusalIsOverInAMinute(t *testing.T) {
	for name, status := range map[string]int{"refused": http.StatusForbidden, "refunded": http.StatusServiceUnavailable} {
		t.Run(name, func(t *testing.T) {
			e, c := newEngine(t), newClock()
			b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL, func(config *Config, _ *http.Transport) { config.Now, config.After = c.Now, c.After })
			e.Fail(func(int) testengine.Fault { return testengine.Fault{Status: status} })
			b.earn(t, 150)
			if name == "refunded" {
				key, _ := b.pending(t, SettlementUnknown)["key"].(string)
				b.decide(t, http.StatusOK, key, resolvedRefunded, "the engine was down")
			}
			eventually(t, "the amount is on the balance again", func() bool { return b.quiet() && b.clearing() == 150 })
			e.Fail(nil)
			calls := e.Calls()
			c.pass(refusedPause - time.Second)
			if !b.quiet() || e.Calls() != calls {
				t.Error("the account is settled again within the minute")
			}
			c.pass(time.Second)
			eventually(t, "the account is settled", func() bool { return b.quiet() && e.Total(3).Int64() == 140 })
			if b.clearing() != 10 || c.waits() != 0 {
				t.Errorf("%d are left, %d wait", b.clearing(), c.waits())
			}
		})
	}
}

// An engine that refuses for good is asked ever less often, and at once again when it has taken something, or the account is changed.
func TestAnEngineThatRefusesForGoodIsAskedEverLessOften(t *testing.T) {
	e, c := newEngine(t), newClock()
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL, func(config *Config, _ *http.Transport) { config.Now, config.After = c.Now, c.After })
	refuse := func(int) testengine.Fault { return testengine.Fault{Status: http.StatusForbidden} }
	e.Fail(refuse)
	b.earn(t, 150)
	asked := func(minutes int) int {
		before := e.Calls()
		for range minutes {
			eventually(t, "the account rests", func() bool { return b.quiet() && c.waits() == 1 && b.clearing() == 150 })
			c.pass(time.Minute)
		}
		eventually(t, "the account rests", func() bool { return b.quiet() && c.waits() == 1 && b.clearing() == 150 })
		return e.Calls() - before
	}
	if n := asked(24 * 60); n < 24 || n > 30 { // after 1, 2, 4, 8, 16, 32 and ever 60 minutes
		t.Errorf("in a day the engine is asked %d times", n)
	}
	if w := b.ask(t, "PUT", "/accounts/alice/settings", asAdmin, `{"settle_to":10}`); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if n := asked(3); n < 2 {
		t.Errorf("in the three minutes after a change the engine is asked %d times", n)
	}
	e.Fail(nil)
	c.pass(longestRetry)
	eventually(t, "the account is settled", func() bool { return b.quiet() && e.Total(3).Int64() == 140 })
	e.Fail(refuse)
	b.earn(t, 140)
	eventually(t, "the engine has refused again", func() bool { return b.quiet() && c.waits() == 1 && b.clearing() == 150 })
	e.Fail(nil)
	c.pass(refusedPause)
	eventually(t, "the pause is the shortest again", func() bool { return b.quiet() && e.Total(3).Int64() == 280 })
}

// A wait that ends just when it is put off does not take the next one with it, which nobody would stop any more.
func TestAWaitThatIsOverLeavesTheNextOneAlone(t *testing.T) {
	var mu sync.Mutex
	var rings []func()
	rung := map[int]bool{}
	after := func(_ time.Duration, f func()) (stop func() bool) {
		mu.Lock()
		defer mu.Unlock()
		n := len(rings)
		rings = append(rings, f)
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			first := !rung[n]
			rung[n] = true
			return first
		}
	}
	e := newEngine(t)
	b := settlingBed(t, filepath.Join(t.TempDir(), "store"), e.URL, func(c *Config, _ *http.Transport) { c.SettleEvery, c.After = every, after })
	eventually(t, "the account is registered", b.quiet)
	b.settler.later("alice")
	mu.Lock()
	rung[0] = true // its time is up, and it waits for the lock
	late := rings[0]
	mu.Unlock()
	b.settler.paidOut("alice")
	b.settler.later("alice")
	late()
	stopped := make(chan struct{})
	go func() {
		b.settler.stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(time.Second):
		t.Error("the settler waits for a wait that nobody stops")
		for _, ring := range rings[1:] {
			ring()
		}
		<-stopped
	}
}
