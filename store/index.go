package store

// This file is the memory of a group: where its keys and values lie, and how an entry is found by its key. Both are used again by a later
// group, so that changes cost the garbage collector nothing.

import (
	"bytes"
	"hash/maphash"
)

const (
	smallSlab  = 16 << 10
	largeSlab  = 2 << 20 // what a group needs at most, rewritten values apart; more is not kept
	smallIndex = 256
)

// slab hands out pieces of memory.
type slab struct{ free, whole []byte }

// take returns n bytes whose contents are of no meaning.
func (s *slab) take(n int) []byte {
	if len(s.free) < n {
		s.whole = make([]byte, max(n, smallSlab, min(2*len(s.whole), largeSlab)))
		s.free = s.whole
	}
	piece := s.free[:n:n]
	s.free = s.free[n:]
	return piece
}

// reset takes back all that is in the newest, which is the largest, piece; the garbage collector gets the others.
func (s *slab) reset() { s.free = s.whole }

// index finds entries by their keys. It is a hash table with open addressing, at most half full: 0 is a free slot, n is entry n-1.
type index struct {
	seed  maphash.Seed
	slots []int32
	used  int
}

func newIndex() index { return index{seed: maphash.MakeSeed(), slots: make([]int32, smallIndex)} }

func (x *index) reset() {
	clear(x.slots)
	x.used = 0
}

// find returns the number of key's entry.
func (x *index) find(entries []entry, key []byte) (number int, ok bool) {
	mask := uint64(len(x.slots) - 1)
	for i := maphash.Bytes(x.seed, key) & mask; x.slots[i] != 0; i = (i + 1) & mask {
		if n := int(x.slots[i] - 1); bytes.Equal(entries[n].key, key) {
			return n, true
		}
	}
	return 0, false
}

// add enters the last of the entries, whose key is not in the index.
func (x *index) add(entries []entry) {
	x.used++
	if 2*x.used > len(x.slots) {
		x.slots = make([]int32, 2*len(x.slots))
		for n := range entries {
			x.enter(entries, n)
		}
		return
	}
	x.enter(entries, len(entries)-1)
}

func (x *index) enter(entries []entry, n int) {
	mask := uint64(len(x.slots) - 1)
	i := maphash.Bytes(x.seed, entries[n].key) & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = int32(n + 1)
}
