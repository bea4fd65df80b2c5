package interop

// This file records what crosses the links between nodes: each Prepare with its amount, and what came back for it, so that a test can tell from
// what was said on the wire which packets the books at both ends must have, and of which they may differ.

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// wire is the record of all links of a test.
type wire struct {
	t         *testing.T
	mu        sync.Mutex
	packets   map[passing]*crossing
	lives     map[string]int // how often each node was killed so far
	kills     map[life]time.Time
	repeated  int // Prepares that came with the condition of an earlier one over the same link
	wrong     int // answers that are no ILP packet, or a wrong fulfillment
	transfers sync.WaitGroup
}

// passing is a packet on one link: between two nodes a condition is used once.
type passing struct {
	from, to  string
	condition [32]byte
}

// life is a node from one start to the next kill, numbered from 0.
type life struct {
	node string
	n    int
}

// crossing is what happened to a packet on one link.
type crossing struct {
	passing
	destination string
	units       int
	expires     time.Time
	sentBy      life // which life of the node that sent it

	answered  bool // its answer was read from the node that got it, which had it on disk before, if it is a Fulfill
	fulfilled bool // that answer is a Fulfill
	passedAt  time.Time
	missed    bool // the answer could not be given to the node that sent the packet
}

func newWire(t *testing.T) *wire {
	return &wire{t: t, packets: make(map[passing]*crossing), lives: make(map[string]int), kills: make(map[life]time.Time)}
}

// killed ends a life: what was given to the node before may have died with it.
func (w *wire) killed(node string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kills[life{node, w.lives[node]}] = time.Now()
	w.lives[node]++
}

// prepare records a Prepare that is about to be given to a node; nil: it is no money, or no Prepare.
func (w *wire) prepare(from, to string, packet []byte) *crossing {
	p, err := ilpcore.DecodePrepare(packet)
	if err != nil || p.Amount == 0 {
		return nil
	}
	c := &crossing{
		passing: passing{from, to, p.Condition}, destination: string(p.Destination), units: int(p.Amount), expires: p.ExpiresAt,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c.sentBy = life{from, w.lives[from]}
	if before := w.packets[c.passing]; before != nil {
		w.repeated++
		return before
	}
	w.packets[c.passing] = c
	return c
}

// reply records the answer that was read from the node that got the Prepare, and is about to be given to the one that sent it.
func (w *wire) reply(c *crossing, packet []byte) {
	if c == nil {
		return
	}
	r, err := ilpcore.DecodeReply(packet)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil || r.Fulfilled && ilpcore.ConditionOf(r.Fulfillment) != c.condition:
		w.wrong++
	default:
		c.answered, c.fulfilled, c.passedAt = true, r.Fulfilled, time.Now()
		c.missed = c.sentBy.n != w.lives[c.from]
	}
}

// lost records that an answer could not be given to the node that the packet came from.
func (w *wire) lost(c *crossing) {
	if c == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c.missed = true
}

// inTime says whether there was a Fulfill that the node that sent the packet takes: later ones it rejects.
func (c *crossing) inTime() bool { return c.fulfilled && !c.passedAt.After(c.expires) }

// crossings returns all packets that have crossed.
func (w *wire) crossings() []*crossing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.packets))
}
