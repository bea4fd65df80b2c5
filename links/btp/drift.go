package btp

// This file hears answers that come over another connection than the packet went out by: a peer whose connection has broken connects again, and JavaScript
// and Rust peers then answer over the new one what came over the old. What they have fulfilled is owed.

import (
	"context"
	"slices"
	"sync"
)

// maxDrifting is how many sessions of an account that have ended wait for answers at once.
const maxDrifting = maxRetired

// asked is the packets that wait for answers, of all sessions of an account. A session begins with a random request id, so that they are told apart.
type asked struct {
	mu       sync.Mutex
	sessions []*calls
	drifting []context.CancelFunc // of those that have ended, the longest first
}

func (a *asked) add(c *calls) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = append(slices.Clone(a.sessions), c)
}

func (a *asked) remove(c *calls) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = slices.DeleteFunc(slices.Clone(a.sessions), func(other *calls) bool { return other == c })
}

// take removes and returns the call with this id, of the session that the answer came over or else of another; nil when nothing waits for it.
func (a *asked) take(id uint32, own *calls) *call {
	if k := own.take(id); k != nil {
		return k
	}
	a.mu.Lock()
	sessions := a.sessions
	a.mu.Unlock()
	for _, c := range sessions {
		if k := c.take(id); k != nil {
			return k
		}
	}
	return nil
}

// wait makes a session that has ended one of those that wait. Beyond maxDrifting, what has waited longest waits no more.
func (a *asked) wait(stop context.CancelFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.drifting = append(a.drifting, stop); len(a.drifting) > maxDrifting {
		a.drifting[0]()
		a.drifting = slices.Delete(a.drifting, 0, 1)
	}
}

// drift ends the calls of a session that has ended: at once if there are none, else when timing.drift is over or the link closes.
func (s *session) drift() {
	if !s.calls.close() {
		s.giveUp()
		return
	}
	ctx, stop := context.WithTimeout(s.link, s.timing.drift)
	s.asked.wait(stop)
	s.working.Go(func() {
		defer stop()
		s.calls.giveUp() // which sets the alarm anew
		s.calls.watch(ctx)
		s.giveUp()
	})
}

func (s *session) giveUp() {
	s.asked.remove(&s.calls)
	s.calls.end(lost())
}
