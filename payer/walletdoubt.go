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
			until = now.Add(packetLifetime + doubtPause)
			if err := w.append(entry{At: now, Kind: entryDoubted, Host: host, Until: until}); err != nil {
				return err
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

// absurd says whether a doubt is of a clock that was wrong: no payment from before now may arrive so late.
func absurd(until, now time.Time) bool { return until.Sub(now) > longestDoubt }

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
		return w.append(entry{At: w.now().UTC(), Kind: entryDoubted, Host: host, Until: until.UTC()})
	})
}
