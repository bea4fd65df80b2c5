package store

// This file is the shelf: what the groups come to that are durable in the journal and not yet in Badger. Later changes of a key replace
// earlier ones there, so that a busy key costs Badger one write for many groups.

import (
	"errors"
	"slices"
	"sync"
)

// shelf holds boxes of entries, oldest first; each becomes one transaction of Badger, and has the number of its last group.
type shelf struct {
	mu      sync.Mutex
	emptied sync.Cond // a box is in Badger, or there is no hope of it, or none for now
	boxes   []*Group
	closed  bool   // the last box takes no more
	puts    uint64 // counts groups
	applied uint64 // all groups up to this one are in Badger
	wanted  uint64 // somebody waits until all groups up to this one are
	over    bool   // nothing will be applied any more
	cramped error  // why Badger takes nothing for now: there is no room; nil: it does
	spare   []*Group

	mostEntries, mostBytes int // a box with so many takes no more
}

// newShelf makes an empty shelf. What a box can come to, a group more than its limits, has to fit into a transaction of Badger, which takes up
// to a seventh of a memtable.
func newShelf(applied uint64) *shelf {
	s := &shelf{applied: applied, mostEntries: int(memtable() >> 12), mostBytes: int(memtable() >> 5)}
	s.emptied.L = &s.mu
	return s
}

// put adds a durable group, and says whether that is worth a look of the one who empties the shelf: something is there now, or a box is full.
func (s *shelf) put(g *Group) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts++
	n := len(s.boxes)
	if n == 0 || s.closed || s.full(s.boxes[n-1]) {
		s.begin(g.sequence)
		news, n = true, n+1
	}
	box := s.boxes[n-1]
	for i := range g.entries {
		e := &g.entries[i]
		box.firstEntries, box.firstSize = len(box.entries), box.size // only a join is limited
		if e.remove {
			box.Delete(e.key)
			continue
		}
		box.Put(e.key, e.value)
	}
	box.sequence = g.sequence
	return news
}

func (s *shelf) full(box *Group) bool {
	return len(box.entries) >= s.mostEntries || box.size >= s.mostBytes
}

func (s *shelf) begin(sequence uint64) {
	s.closed = false
	if n := len(s.spare); n > 0 {
		box := s.spare[n-1]
		s.spare = s.spare[:n-1]
		box.renew(sequence)
		s.boxes = append(s.boxes, box)
		return
	}
	s.boxes = append(s.boxes, newGroup(sequence))
}

// get returns what the newest box with key says of it: a copy of the value, or nil for a key that was deleted.
func (s *shelf) get(key []byte) (value []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, box := range slices.Backward(s.boxes) {
		if value, ok := box.Value(key); ok {
			if value == nil {
				return nil, true
			}
			return append([]byte{}, value...), true
		}
	}
	return nil, false
}

// oldest returns the oldest box, which takes no more from now on, or nil. It stays on the shelf until it is taken off.
func (s *shelf) oldest() *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.boxes) == 0 {
		return nil
	}
	if len(s.boxes) == 1 {
		s.closed = true
	}
	return s.boxes[0]
}

// takeOff removes the oldest box, which is in Badger.
func (s *shelf) takeOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	box := s.boxes[0]
	s.boxes = slices.Delete(s.boxes, 0, 1)
	s.applied = box.sequence
	if len(s.spare) < spareGroups {
		s.spare = append(s.spare, box)
	}
	s.emptied.Broadcast()
}

// count says how many groups were put so far.
func (s *shelf) count() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts
}

// state says whether nothing is there, and whether it should be emptied now: somebody waits, or a box is full.
func (s *shelf) state() (empty, urgent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.boxes) == 0, len(s.boxes) > 1 || s.wanted > s.applied
}

// want says whether some of the groups up to sequence are not in Badger yet; then the shelf will be emptied soon.
func (s *shelf) want(sequence uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = max(s.wanted, sequence)
	return s.applied < sequence
}

// errOver says that nothing is applied any more.
var errOver = errors.New("nothing is written to the database any more")

// wait returns nil when all groups up to sequence are in Badger, and errOver when that will not be. Who is not patient gets an ErrNoSpace while Badger
// has no room for them.
func (s *shelf) wait(sequence uint64, patient bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.applied < sequence {
		switch {
		case s.over:
			return errOver
		case s.cramped != nil && !patient:
			return s.cramped
		}
		s.emptied.Wait()
	}
	return nil
}

// room says that there is no room in Badger, or with nil that there is.
func (s *shelf) room(none error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cramped = none; none != nil {
		s.emptied.Broadcast()
	}
}

// end releases all who wait: nothing is applied any more.
func (s *shelf) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.emptied.Broadcast()
}
