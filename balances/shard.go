package balances

// This file is a shard of the balances in memory: entries without pointers, in pieces that never move, found by an open-addressing index, and
// evicted by a hand that goes round.

import (
	"sync"
	"unsafe"

	"github.com/paydoor/paydoor/amount"
)

const (
	pieceEntries = 8192 / int(unsafe.Sizeof(entry{})) // a piece fills an allocation of 8 KiB
	smallIndex   = 8
	maxEntries   = 1<<24 - 2 // of a shard: a slot of the index has 24 bits for the number
	// evictionLooks is how many entries the hand looks at for one to evict.
	evictionLooks = 128
)

// entry is an account in memory: 88 bytes. It holds no pointers, so that millions of them cost the garbage collector nothing.
type entry struct {
	account  Account
	balance  amount.Amount // with every change that has joined a group
	held     amount.Amount // of it, credits and raises that may not be spent yet
	reserved amount.Amount // of it, taken by open reservations
	sequence uint64        // the group of the last change; 0 if there was none since loading
	pending  pending       // charges that are in the balance, and not in the history yet

	open uint32 // reservations and holds: while there are any, the entry stays
	live bool   // false: evicted, to be used again
	used bool   // since the hand came by
}

// spendable is what a Reserve may take. It cannot go below 0: reserves and holds are only taken from what is there.
func (e *entry) spendable() amount.Amount { return e.balance - e.held - e.reserved }

// evictable says that the store has all there is to know of the account.
func (e *entry) evictable(durable uint64) bool { return e.open == 0 && e.sequence <= durable }

// shard is the accounts with one value in the low byte of their hash.
type shard struct {
	mu      sync.Mutex
	pieces  []*[pieceEntries]entry
	made    int      // entries in the pieces, evicted ones included
	unused  []int32  // numbers of evicted entries
	slots   []uint32 // 0 is free, else the high byte of the hash, and the number of the entry plus 1; at most three quarters full
	count   int      // live entries
	hand    int
	loading map[Account]*load
}

func (sh *shard) entry(number int) *entry {
	return &sh.pieces[number/pieceEntries][number%pieceEntries]
}

func slotOf(hash uint64, number int) uint32 { return uint32(hash>>56)<<24 | uint32(number+1) }

func numberIn(slot uint32) int { return int(slot&(1<<24-1)) - 1 }

func (sh *shard) home(hash uint64) int { return int(hash>>8) & (len(sh.slots) - 1) }

// find returns the entry of the account, or nil.
func (sh *shard) find(a *Account, hash uint64) *entry {
	if slot := sh.slotWith(a, hash); slot >= 0 {
		return sh.entry(numberIn(sh.slots[slot]))
	}
	return nil
}

// slotWith returns the slot of the account, or -1.
func (sh *shard) slotWith(a *Account, hash uint64) int {
	if len(sh.slots) == 0 {
		return -1
	}
	tag := slotOf(hash, -1)
	for i := sh.home(hash); sh.slots[i] != 0; i = (i + 1) & (len(sh.slots) - 1) {
		if s := sh.slots[i]; s&^(1<<24-1) == tag && sh.entry(numberIn(s)).account == *a {
			return i
		}
	}
	return -1
}

// enter makes an entry of an account that has none.
func (sh *shard) enter(e entry, hash uint64, hashOf func(a *Account) uint64) *entry {
	if 4*(sh.count+1) > 3*len(sh.slots) {
		sh.grow(hashOf)
	}
	var number int
	if n := len(sh.unused); n > 0 {
		number, sh.unused = int(sh.unused[n-1]), sh.unused[:n-1]
	} else {
		number = sh.made
		if sh.made++; number == len(sh.pieces)*pieceEntries {
			sh.pieces = append(sh.pieces, new([pieceEntries]entry))
		}
	}
	sh.count++
	sh.put(slotOf(hash, number), hash)
	made := sh.entry(number)
	*made = e
	made.live = true
	return made
}

func (sh *shard) put(slot uint32, hash uint64) {
	i := sh.home(hash)
	for sh.slots[i] != 0 {
		i = (i + 1) & (len(sh.slots) - 1)
	}
	sh.slots[i] = slot
}

func (sh *shard) grow(hashOf func(a *Account) uint64) {
	old := sh.slots
	sh.slots = make([]uint32, max(smallIndex, 2*len(old)))
	for _, s := range old {
		if s != 0 {
			sh.put(s, hashOf(&sh.entry(numberIn(s)).account))
		}
	}
}

// makeRoom evicts entries until one more fits below the limit, or none of those looked at can go: then the shard is above it until later.
func (sh *shard) makeRoom(limit int, durable uint64, hashOf func(a *Account) uint64) {
	for looks := min(2*sh.made, evictionLooks); sh.count >= limit && looks > 0; looks-- {
		number := sh.hand
		if sh.hand++; sh.hand >= sh.made {
			sh.hand = 0
		}
		switch e := sh.entry(number); {
		case !e.live || !e.evictable(durable):
		case e.used:
			e.used = false
		default:
			sh.remove(e, number, hashOf)
		}
	}
}

// remove takes the entry out, and moves those behind it in the index to where they will be found.
func (sh *shard) remove(e *entry, number int, hashOf func(a *Account) uint64) {
	mask := len(sh.slots) - 1
	hole := sh.slotWith(&e.account, hashOf(&e.account))
	for i := (hole + 1) & mask; sh.slots[i] != 0; i = (i + 1) & mask {
		home := sh.home(hashOf(&sh.entry(numberIn(sh.slots[i])).account))
		if (i-home)&mask >= (i-hole)&mask {
			sh.slots[hole], hole = sh.slots[i], i
		}
	}
	sh.slots[hole] = 0
	e.live = false
	sh.unused = append(sh.unused, int32(number))
	sh.count--
}
