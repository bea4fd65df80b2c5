package payer

// This file says which payments of a wallet may still arrive: those of unknown outcome, and those whose program ended in the middle.

import (
	"slices"
	"time"
)

const (
	// orphanTime is how long after its beginning a payment that nobody has settled may still arrive, if it made no progress: as long as it may stand
	// still, and the last packet lives.
	orphanTime = 30*time.Second + packetLifetime
	// orphanDays is how old a payment may be whose program may have ended just now. None takes so long.
	orphanDays = 24 * time.Hour
)

// Doubtful says until when a payment of unknown outcome to host may arrive, of this program or another: also one that was killed.
func (w *Wallet) Doubtful(host string) (until time.Time) {
	w.note(func() error {
		now, turn := w.now().UTC(), w.hasTurn(host)
		if until = w.books.doubts[host]; absurd(until, now) {
			kept := until
			if until = w.oddEnd(host, kept, now); !now.Before(until) {
				if err := w.append(entry{At: now, Kind: entryDoubted, Host: host, Until: now, Over: kept}); err != nil {
					return err
				}
			}
		}
		for id, begun := range w.books.open {
			age := now.Sub(begun.At)
			if _, waited := w.books.ended[id]; begun.Host != host || waited || age > orphanDays || w.isMine(host, id) {
				continue
			}
			end := begun.At.Add(orphanTime)
			if turn {
				// Its program would have the turn, so it has ended, at latest now; its last packet may have left just then.
				if last := now.Add(packetLifetime + doubtPause); age < 0 || last.After(end) {
					end = last
				}
				if err := w.append(entry{At: now, Kind: entryDoubted, ID: id, Host: host, Until: end}); err != nil {
					until = latest(until, end)
					return err
				}
			}
			until = latest(until, end)
		}
		return nil
	})
	return until
}

// absurd says whether a doubt is of a clock that was wrong, or the clock is wrong now: no payment from before now may arrive so late.
func absurd(until, now time.Time) bool { return until.Sub(now) > longestDoubt }

// oddity is an absurd doubt, and since when this program has seen it.
type oddity struct{ until, since time.Time }

// oddEnd returns when an absurd doubt is over: as clocks cannot be trusted, once this program has had the turn for as long as a packet that left
// before may take to arrive.
func (w *Wallet) oddEnd(host string, until, now time.Time) time.Time {
	w.turns.mu.Lock()
	defer w.turns.mu.Unlock()
	odd := oddity{until, now}
	if mine := w.turns.taken[turnFile(host)]; mine != nil {
		if seen, found := mine.odd[host]; found && seen.until.Equal(until) {
			odd = seen
		}
		if mine.odd == nil {
			mine.odd = make(map[string]oddity)
		}
		mine.odd[host] = odd
	}
	return odd.since.Add(packetLifetime + doubtPause)
}

// forgetOddity has the wait for an absurd doubt begin anew: behind it there is another one now.
func (w *Wallet) forgetOddity(host string) {
	w.turns.mu.Lock()
	defer w.turns.mu.Unlock()
	if mine := w.turns.taken[turnFile(host)]; mine != nil {
		delete(mine.odd, host)
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (w *Wallet) isMine(host, id string) bool {
	return slices.ContainsFunc(w.mine[host], func(made open) bool { return made.id == id })
}

// Doubt remembers that a payment to host may arrive until then.
func (w *Wallet) Doubt(host string, until time.Time) {
	w.note(func() error {
		w.forgetOddity(host)
		return w.append(entry{At: w.now().UTC(), Kind: entryDoubted, Host: host, Until: until.UTC()})
	})
}
