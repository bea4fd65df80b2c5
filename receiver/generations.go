package receiver

// This file is a bounded map that forgets what was not used lately: two generations, the older of which is dropped whole.

import (
	"sync"
	"time"
)

// generations keeps at most limit values, and none that was unused for twice maxAge. It is safe for concurrent use.
type generations[V any] struct {
	limit  int
	maxAge time.Duration

	mu        sync.Mutex
	young     map[string]V
	old       map[string]V
	turnedAt  time.Time
	turnovers int
}

func newGenerations[V any](limit int, maxAge time.Duration) *generations[V] {
	return &generations[V]{limit: limit, maxAge: maxAge, young: map[string]V{}}
}

// get returns the value of key and keeps it for longer.
func (g *generations[V]) get(key []byte, now time.Time) (v V, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(now)
	if v, ok = g.young[string(key)]; ok {
		return v, true
	}
	if v, ok = g.old[string(key)]; ok {
		g.young[string(key)] = v
	}
	return v, ok
}

// getOrPut returns the value of key, which make makes if there is none.
func (g *generations[V]) getOrPut(key []byte, now time.Time, make func() V) V {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(now)
	if v, ok := g.young[string(key)]; ok {
		return v
	}
	v, ok := g.old[string(key)]
	if !ok {
		v = make()
	}
	g.young[string(key)] = v
	return v
}

// turn makes the young generation the old one when it is full or its time has come.
func (g *generations[V]) turn(now time.Time) {
	if len(g.young) < g.limit/2 && now.Sub(g.turnedAt) < g.maxAge {
		return
	}
	g.old, g.young = g.young, make(map[string]V)
	g.turnedAt = now
	g.turnovers++
}

// len returns how many values are kept at most.
func (g *generations[V]) len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.young) + len(g.old)
}
