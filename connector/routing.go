package connector

// This file is the node's part in telling routes (CCP): whom it talks to, and the goroutine that does.

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/ccp"
)

const (
	// broadcastGap is how long the node waits after it has told something, so that many changes go out together.
	broadcastGap = 200 * time.Millisecond
	// rest is how many times as long as a round with many routes has taken the node waits after it, so that nobody can keep it busy with routes.
	rest = 9
	// promptPerMinute is how often routes that were heard are put in force at once; beyond it they wait for a round.
	promptPerMinute = 60
)

// succession is how long a node that has one before itself waits until it talks of routes. A config that is loaded in vain ends sooner: what it had told
// would end with it, and the neighbours would drop what the node before had told them as well.
const succession = time.Second

// firstAgain is after how long the node talks again to a neighbour that was not there; after that twice as long each time, up to the interval.
const firstAgain = time.Second

// routing is what the node has heard from its neighbours, and what it tells them. It has goroutines from the first account that takes part
// until it is closed. Its lock is taken with the node's changing held, never the other way round.
type routing struct {
	node   *Node
	every  time.Duration
	wait   time.Duration // before the first round
	random io.Reader     // used by one goroutine at a time
	wake   chan struct{}
	prompt *rateLimit

	mu         sync.Mutex
	neighbours map[ilpcore.AccountID]*neighbour
	inherited  map[ilpcore.AccountID]inherited // what was heard by the node before; nil: nothing
	told       told
	ctx        context.Context
	stop       context.CancelFunc
	silent     bool // it is not to start yet
	started    bool
	closed     bool
	running    sync.WaitGroup
}

// neighbour is an account that takes part.
type neighbour struct {
	heard  heard
	ask    bool // it has to be asked for its routes
	sent   bool // and was, without an Update since
	missed bool // but that did not get there
	asked  pace

	mode  ccp.Mode
	told  ccp.TableID // the table that it was told of
	epoch uint32      // and up to where
	tell  pace

	busy   bool // a goroutine is talking to it
	silent bool // what it was last asked or told did not get there, or it was too busy
	tries  int  // how often in a row
}

// pace slows down what fails for good: after each such failure twice as many rounds are left out, up to maxPause.
type pace struct{ failures, skip int }

const maxPause = 20

func (p *pace) due() bool {
	if p.skip > 0 {
		p.skip--
		return false
	}
	return true
}

func (p *pace) outcome(reply ilpcore.Reply) {
	if reply.Fulfilled || !reply.Code.Final() {
		*p = pace{}
		return
	}
	p.failures = min(p.failures+1, 5)
	p.skip = min(1<<p.failures, maxPause)
}

func newRouting(n *Node, every time.Duration, random io.Reader) *routing {
	if every <= 0 {
		every = DefaultBroadcast
	}
	r := &routing{
		node: n, every: every, random: random, wake: make(chan struct{}, 1), neighbours: map[ilpcore.AccountID]*neighbour{},
		told: newTold(random), prompt: newRateLimit(promptPerMinute, n.now),
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// changed takes in a new table.
func (r *routing) changed(t *table) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.neighbours {
		if a := t.accounts[id]; a == nil || !a.SendRoutes && !a.ReceiveRoutes {
			delete(r.neighbours, id)
		} else if !a.ReceiveRoutes {
			r.neighbours[id].heard = heard{}
		}
	}
	for _, a := range t.order {
		if (a.SendRoutes || a.ReceiveRoutes) && r.neighbours[a.ID] == nil {
			r.neighbours[a.ID] = &neighbour{mode: ccp.Sync, ask: true, heard: r.heir(a)}
		}
	}
	if len(r.neighbours) > 0 && !r.silent && !r.started && !r.closed {
		r.started = true
		r.running.Go(r.run)
	}
	r.nudge()
}

func (r *routing) speak() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = false
}

// nudge has the next round come soon.
func (r *routing) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *routing) close() {
	r.mu.Lock()
	r.closed = true
	r.stop()
	r.mu.Unlock()
	r.running.Wait()
}

// run makes a round whenever something has changed, and one that greets everybody at each interval.
func (r *routing) run() {
	if wait(r.ctx, r.wait); r.ctx.Err() != nil {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		greet := false
		select {
		case <-r.ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
			greet = true
			timer.Reset(jitter(r.random, r.every))
		}
		began := time.Now()
		r.round(greet)
		wait(r.ctx, min(max(broadcastGap, rest*time.Since(began)), r.every))
	}
}

func (r *routing) round(greet bool) {
	r.relearn()
	own, _, ok := r.node.Address()
	if !ok {
		return
	}
	t := r.node.table.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told.sync(t.toTell(own), r.random)
	for id, with := range r.neighbours {
		a := t.accounts[id]
		if a == nil || a.Link == nil || with.busy {
			continue
		}
		ask := a.ReceiveRoutes && with.ask && (greet && with.asked.due() || !with.sent)
		tell := a.SendRoutes && with.mode == ccp.Sync &&
			(greet && with.tell.due() || with.tell == pace{} && (with.epoch < r.told.epoch() || with.told != r.told.id))
		if ask || tell {
			with.busy = true
			r.running.Go(func() { r.talk(a, with, own, ask, tell) })
		}
	}
}
