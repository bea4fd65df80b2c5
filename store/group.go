package store

// This file is a group: changes of many callers that become durable together, or not at all.

import "bytes"

const (
	// MaxKey is the longest key, in bytes.
	MaxKey = 512
	// MaxValue is the longest value, in bytes.
	MaxValue = 64 << 10

	// A group takes no more joins once it has this many entries or bytes. Badger's limit for a transaction is higher by more
	// than one join can add.
	groupEntries = 4000
	groupBytes   = 512 << 10
	joinEntries  = 1000
	joinBytes    = 256 << 10
)

// entry is the last word of a group on one key.
type entry struct {
	key    []byte
	value  []byte
	remove bool
}

// outcome is what those who wait for a group hold on to; the group itself is used again.
type outcome struct {
	sequence uint64
	done     chan struct{} // closed when err is final
	err      error
}

// Group is the group that is being gathered. It may be used only by the function given to Join, and only until that returns.
type Group struct {
	*outcome
	entries []entry
	index   index
	memory  slab
	size    int // bytes of keys and values

	callbacks []func()

	// For the join under way.
	joined       int // joins so far, with the one under way
	stand        int // for how many changes they stand: see StandsFor
	firstEntries int
	firstSize    int
	track        bool  // there is a tail
	touched      []int // entries that this join has changed, only if track
}

func newGroup(sequence uint64) *Group {
	g := &Group{index: newIndex()}
	g.renew(sequence)
	return g
}

// StandsFor says, in a join, that it is n changes by those who would else have joined one by one: groups wait for company by their number.
func (g *Group) StandsFor(n int) { g.stand += n - 1 }

// renew makes an empty group of a durable one, whose memory it keeps.
func (g *Group) renew(sequence uint64) {
	g.outcome = &outcome{sequence: sequence, done: make(chan struct{})}
	clear(g.entries) // they may hold on to memory that the slab has let go of
	clear(g.callbacks)
	g.entries, g.callbacks, g.touched = g.entries[:0], g.callbacks[:0], g.touched[:0]
	g.index.reset()
	g.memory.reset()
	g.size, g.joined, g.stand = 0, 0, 0
}

// Sequence is the number of this group; groups are numbered from 1 without gaps, also across restarts.
func (g *Group) Sequence() uint64 { return g.sequence }

// Put sets key to value. The last Put or Delete of a key in a group wins; both slices are copied. It panics on what only a
// mistake in the program can bring about: an empty or reserved key, a key above MaxKey, a value above MaxValue, and a single
// join of more than 1,000 entries or 256 KiB.
func (g *Group) Put(key, value []byte) {
	e := g.slot(key, len(value))
	g.size += len(value) - len(e.value)
	if cap(e.value) < len(value) {
		e.value = g.memory.take(len(value))
	}
	e.value = e.value[:len(value)]
	copy(e.value, value)
	e.remove = false
}

// Edit returns the value that this group has put under key, to be changed in place; if it has put none, or an empty one, it puts size
// zero bytes first and says that they are fresh. The slice may be used until the next call of a method of the group. It panics as Put does, and
// when the value that was put has another size.
func (g *Group) Edit(key []byte, size int) (value []byte, fresh bool) {
	e := g.slot(key, size)
	if len(e.value) == size && !e.remove && size > 0 {
		return e.value, false
	}
	if len(e.value) > 0 || size == 0 {
		panic("store: an edit of another size than the value's")
	}
	if cap(e.value) < size {
		e.value = g.memory.take(size)
	}
	e.value, e.remove = e.value[:size], false
	clear(e.value)
	g.size += size
	return e.value, true
}

// Delete removes key. It panics as Put does.
func (g *Group) Delete(key []byte) {
	e := g.slot(key, 0)
	g.size -= len(e.value)
	e.value, e.remove = e.value[:0], true
}

// Value returns what this group has put under key so far, and whether it has put or deleted it; what the store held before is
// not looked at. The slice is valid until the next change of the group, and must not be changed.
func (g *Group) Value(key []byte) (value []byte, ok bool) {
	i, ok := g.index.find(g.entries, key)
	if !ok || g.entries[i].remove {
		return nil, ok
	}
	return g.entries[i].value, true
}

// AfterCommit has f called when the group is durable, before anybody who waits for it is told. The callbacks of all groups run one
// after the other, in the order of the joins, on the goroutine that commits: f must be quick and must not wait for a Ticket.
// It may Join. If the group fails, f is not called.
func (g *Group) AfterCommit(f func()) { g.callbacks = append(g.callbacks, f) }

var reservedPrefix = []byte(reserved)

// slot finds or makes the entry of key. It is valid until the next slot is made.
func (g *Group) slot(key []byte, valueSize int) *entry {
	if len(key) == 0 || len(key) > MaxKey || bytes.HasPrefix(key, reservedPrefix) {
		panic("store: empty, reserved or too long key")
	}
	if valueSize > MaxValue {
		panic("store: value too long")
	}
	i, ok := g.index.find(g.entries, key)
	if !ok {
		if len(g.entries)-g.firstEntries >= joinEntries || g.size-g.firstSize+len(key)+valueSize > joinBytes {
			panic("store: too many changes in one join")
		}
		i = len(g.entries)
		both := g.memory.take(len(key) + valueSize)
		copy(both, key)
		g.entries = append(g.entries, entry{key: both[:len(key):len(key)], value: both[len(key):len(key)]})
		g.index.add(g.entries)
		g.size += len(key)
	}
	if g.track {
		g.touched = append(g.touched, i)
	}
	return &g.entries[i]
}

func (g *Group) full() bool { return len(g.entries) >= groupEntries || g.size >= groupBytes }
