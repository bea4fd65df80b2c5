package caddymodule

// This file tells Caddy's events app what happens to payments and links, off the road of the packets. An event without subscribers costs
// a look into the table of subscriptions.

import (
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/ilpcore"
)

// The names of the events. What they carry is in docs/metrics.md; it is never a token or a secret.
const (
	eventCredited = "paydoor.credited"
	eventLinkUp   = "paydoor.link_up"
	eventLinkDown = "paydoor.link_down"
)

const (
	eventsAhead = 1024                  // events that wait for their handlers; more are counted as lost
	eventsPoll  = 20 * time.Millisecond // how often a config that starts looks whether it runs
	eventsLast  = 2 * time.Second       // how long a config that ends goes on with the events that wait
)

// announcer hands the events of one config to its handlers, which may be slow.
//
// Apps start in random order, and the events app writes its table of subscriptions when it starts. So nothing is asked of it before
// the whole config runs, which Caddy tells nobody: until then events wait.
type announcer struct {
	events *caddyevents.App
	ctx    caddy.Context
	runs   func() bool // whether the config is the running one

	queue   chan announcement
	active  atomic.Bool // it was once
	started bool
	ending  sync.Once
	ended   chan struct{}
	done    chan struct{}
}

type announcement struct {
	name string
	data map[string]any
}

func newAnnouncer(ctx caddy.Context, events *caddyevents.App, runs func() bool) *announcer {
	return &announcer{
		events: events, ctx: ctx, runs: runs,
		queue: make(chan announcement, eventsAhead), ended: make(chan struct{}), done: make(chan struct{}),
	}
}

// start begins to hand over. It is called at most once.
func (a *announcer) start() {
	a.started = true
	go a.hand()
}

// wanted says whether an event may have a handler.
func (a *announcer) wanted(name string) bool { return !a.active.Load() || a.events.ShouldEmit(name) }

// say queues an event. It never waits.
func (a *announcer) say(name string, data map[string]any) {
	select {
	case a.queue <- announcement{name, data}:
	default:
		counts.lostEvents.Add(1)
	}
}

// end hands over what waits, for a short time, and returns when the last handler has.
func (a *announcer) end() {
	if !a.started {
		return
	}
	a.ending.Do(func() { close(a.ended) })
	<-a.done
}

func (a *announcer) over() bool {
	select {
	case <-a.ended:
		return true
	default:
		return false
	}
}

func (a *announcer) hand() {
	defer close(a.done)
	again := time.NewTicker(eventsPoll)
	defer again.Stop()
	for !a.runs() {
		select {
		case <-again.C:
		case <-a.ended:
			return // the config never ran
		}
	}
	again.Stop()
	a.active.Store(true)
	for {
		select {
		case e := <-a.queue:
			a.emit(e)
		case <-a.ended:
			a.handRest()
			return
		}
	}
}

func (a *announcer) handRest() {
	for last := time.Now().Add(eventsLast); time.Now().Before(last); {
		select {
		case e := <-a.queue:
			a.emit(e)
		default:
			return
		}
	}
	counts.lostEvents.Add(uint64(len(a.queue)))
}

func (a *announcer) emit(e announcement) {
	if a.events.ShouldEmit(e.name) {
		a.events.Emit(a.ctx, e.name, e.data)
	}
}

// announcer returns who tells of events now: this config, or after its end the running one; nil if there is none.
func (a *App) announcer() *announcer {
	if !a.announces.over() {
		return a.announces
	}
	if running, ok := activeApp(); ok && !running.announces.over() {
		return running.announces
	}
	return nil
}

func (a *App) announceCredit(account balances.Account, units amount.Amount, asset ilpcore.Asset, from ilpcore.AccountID) {
	to := a.announcer()
	if to == nil || !to.wanted(eventCredited) {
		return
	}
	to.say(eventCredited, map[string]any{
		"account": hex.EncodeToString(account[:]), "amount": units.String(), "asset": asset.Code, "scale": int(asset.Scale), "link": string(from),
	})
}

func (a *App) announceLink(neighbour ilpcore.AccountID, up bool) {
	name := eventLinkDown
	if up {
		name = eventLinkUp
	}
	to := a.announcer()
	if to == nil || !to.wanted(name) {
		return
	}
	to.say(name, map[string]any{"link": string(neighbour)})
}
