package store

// This file is a group: changes of many callers that become durable together, or not at all.

import "strings"

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

// Group is the group that is being gathered. It may be used only by the function given to Join, and only until that returns.
type Group struct {
	sequence uint64
	entries  []entry
	index    map[string]int
	size     int // bytes of keys and values

	callbacks []func()

	// For the join under way.
	joined       int // joins so far, with the one under way
	firstEntries int
	firstSize    int
	track        bool  // there is a tail
	touched      []int // entries that this join has changed, only if track

	done chan struct{} // closed when err is final
	err  error
}

func newGroup(sequence uint64) *Group {
	return &Group{sequence: sequence, index: make(map[string]int), done: make(chan struct{})}
}

// Sequence is the number of this group; groups are numbered from 1 without gaps, also across restarts.
func (g *Group) Sequence() uint64 { return g.sequence }

// Put sets key to value. The last Put or Delete of a key in a group wins; both slices are copied. It panics on what only a
// mistake in the program can bring about: an empty or reserved key, a key above MaxKey, a value above MaxValue, and a single
// join of more than 1,000 entries or 256 KiB.
func (g *Group) Put(key, value []byte) {
	if len(value) > MaxValue {
		panic("store: value too long")
	}
	i := g.slot(key, len(value))
	e := &g.entries[i]
	g.size += len(value) - len(e.value)
	if cap(e.value) < len(value) {
		e.value = make([]byte, len(value))
	}
	e.value = e.value[:len(value)]
	copy(e.value, value)
	e.remove = false
}

// Delete removes key. It panics as Put does.
func (g *Group) Delete(key []byte) {
	e := &g.entries[g.slot(key, 0)]
	g.size -= len(e.value)
	e.value, e.remove = e.value[:0], true
}

// Value returns what this group has put under key so far, and whether it has put or deleted it; what the store held before is
// not looked at. The slice is valid until the next Put or Delete of the key, and must not be changed.
func (g *Group) Value(key []byte) (value []byte, ok bool) {
	i, ok := g.index[string(key)]
	if !ok || g.entries[i].remove {
		return nil, ok
	}
	return g.entries[i].value, true
}

// AfterCommit has f called when the group is durable, before anybody who waits for it is told. The callbacks of all groups run one
// after the other, in the order of the joins, on the goroutine that commits: f must be quick and must not wait for a Ticket.
// It may Join. If the group fails, f is not called.
func (g *Group) AfterCommit(f func()) { g.callbacks = append(g.callbacks, f) }

// slot finds or makes the entry of key.
func (g *Group) slot(key []byte, valueSize int) int {
	if len(key) == 0 || len(key) > MaxKey || strings.HasPrefix(string(key), reserved) {
		panic("store: empty, reserved or too long key")
	}
	i, ok := g.index[string(key)]
	if !ok {
		if len(g.entries)-g.firstEntries >= joinEntries || g.size-g.firstSize+len(key)+valueSize > joinBytes {
			panic("store: too many changes in one join")
		}
		i = len(g.entries)
		copied := make([]byte, len(key)+valueSize) // one piece of memory for both
		copy(copied, key)
		g.entries = append(g.entries, entry{key: copied[:len(key):len(key)], value: copied[len(key):len(key)]})
		g.index[string(key)] = i
		g.size += len(key)
	}
	if g.track {
		g.touched = append(g.touched, i)
	}
	return i
}

func (g *Group) full() bool { return len(g.entries) >= groupEntries || g.size >= groupBytes }
