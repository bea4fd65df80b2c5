//go:build linux

package main

// This file is the kind failpoint: kill -9 at every named place of a packet's and of a request's way. The windows are those in which a crash
// has an outcome of its own: W0 to W7 for packets, K0 to K3 for requests.

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// failpoint is a place to be killed at.
type failpoint struct {
	name    string
	windows string
	most    int    // passes before the kill, at most
	before  string // what else is to happen, so that the place is passed at all
	life    time.Duration
}

// failpoints are all places. A credit is taken back only when its commit has taken too long for the packet.
var failpoints = []failpoint{
	{name: "receiver/crediting", windows: "W0", most: 300},
	{name: "balances/credit-joined", windows: "W0", most: 300},
	{name: "store/before-commit", windows: "W0 K2", most: 100},
	{name: "store/committed", windows: "W1 K2", most: 100},
	{name: "store/before-checkpoint", windows: "W3 K3", most: 20},
	{name: "store/marked", windows: "W3 K3", most: 20},
	{name: "store/checkpointed", windows: "W3 K3", most: 20},
	{name: "store/before-release", windows: "W3 K3", most: 100},
	{name: "store/callbacks", windows: "W3 K3", most: 100},
	{name: "receiver/credited", windows: "W3", most: 300},
	{name: "btp/written", windows: "W4", most: 150},
	{name: "balances/reversing", windows: "W7", most: 1, before: "store/before-commit:%d=800ms,", life: 1150 * time.Millisecond},
	{name: "balances/reversed", windows: "W7", most: 1, before: "store/before-commit:%d=800ms,", life: 1150 * time.Millisecond},
	{name: "paywall/priced", windows: "K0", most: 300},
	{name: "paywall/reserved", windows: "K1", most: 300},
	{name: "paywall/answered", windows: "K1", most: 300},
	{name: "balances/charge-joined", windows: "K2", most: 300},
	{name: "paywall/settled", windows: "K3", most: 300},
}

// passWithin is how long a place may take to be passed often enough.
const passWithin = 15 * time.Second

// killAtFailpoints goes through the places, beginning with any, with one of both durabilities.
func killAtFailpoints(ctx context.Context, t *torture, s *series) (err error) {
	b, end, err := s.bed(ctx, plan{binary: t.prepared, home: s.home})
	if err != nil {
		return err
	}
	defer end(&err)
	offset := b.random.IntN(len(failpoints))
	for n := range s.cycles {
		place := failpoints[(offset+n)%len(failpoints)]
		if err := t.killAt(ctx, b, s, place); err != nil {
			return fmt.Errorf("%s: %w", place.name, err)
		}
	}
	return t.finish(ctx, b)
}

// killAt has the gateway kill itself in the load, or even before.
func (t *torture) killAt(ctx context.Context, b *bed, s *series, place failpoint) error {
	b.gateway.kill() // nothing is under way
	number := 1 + b.random.IntN(place.most)
	setting := fmt.Sprintf("%s:%d", place.name, number)
	if place.before != "" {
		setting = fmt.Sprintf(place.before, 30+b.random.IntN(100)) + setting
	}
	b.gateway.env = []string{"PAYDOOR_FAILPOINT=" + setting}
	err := b.start(ctx)
	b.gateway.env = nil
	if errors.Is(err, errEnded) && b.gateway.killedBy() == syscall.SIGKILL {
		err = nil // a low number of frames is written before anything is paid
	} else if err == nil {
		err = b.loadUntilKilled(ctx, place, number)
	}
	if err != nil {
		return err
	}
	durability := b.settings.durability
	c := b.record.count()
	if err := t.recover(ctx, b, fullFlight); err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	s.result.Counts["open packets"] += uint64(c.underWay)
	s.result.Counts["open requests"] += c.unknown
	s.result.Counts[place.name]++
	s.done("killed at %s (%s); durability %s, %d packets and %d requests open", setting, place.windows, durability, c.underWay, c.unknown)
	return nil
}

// loadUntilKilled loads the gateway until it has passed the place and is dead.
func (b *bed) loadUntilKilled(ctx context.Context, place failpoint, number int) (err error) {
	l := b.startLoad(ctx, false, place.life)
	select {
	case <-b.gateway.exited:
	case <-time.After(passWithin):
		err = fmt.Errorf("%s was not passed %d times", place.name, number)
	case <-ctx.Done():
	}
	b.gateway.kill()
	l.end()
	if err == nil && b.gateway.killedBy() != syscall.SIGKILL {
		err = fmt.Errorf("the gateway ended by itself with status %d:\n%s", b.gateway.status(), b.gateway.lastWords(3000))
	}
	return err
}
