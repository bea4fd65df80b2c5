package payer

// This file lets the programs of a wallet pay one host in turns, so that none spends what another has paid for its own request. Hosts share 4096
// files, so that there are never more; two that meet in one take turns as if they were one. A program that waits sets the time of the file, by which
// the one that has the turn knows of it.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A program that waits looks whether it is its turn, first after turnFirst, and then ever more rarely: it takes others at most as long again as it has
// waited already, and no more than turnEvery, to be noticed.
const (
	turnFirst = 10 * time.Millisecond
	turnEvery = 500 * time.Millisecond
)

// A program with many requests has a turn for all of them, which has no end while they overlap. If others wait, no more join after turnShare, and for
// turnRest after the last it leaves the turn to those, who look once in between. But for longer than turnShare none waits for others of its own: the one
// that it waits for may take long, or wait for it.
const (
	turnShare = time.Second
	turnRest  = 2 * turnEvery
)

// turns are those that this process has, by file. The requests of one process share a turn: they keep account of each other.
type turns struct {
	mu    sync.Mutex
	taken map[string]*turn
	rests map[string]time.Time // until then others come first
}

// turn is a locked file, and how many requests use it.
type turn struct {
	file  *os.File
	users int
	since time.Time
	set   time.Time         // the time of the file then
	odd   map[string]oddity // by host
}

// wanted says whether another program has set the time of the file since.
func (t *turn) wanted() (bool, error) {
	info, err := t.file.Stat()
	return err == nil && !info.ModTime().Equal(t.set), err
}

// Enter waits until no other program pays host; leave lets the next. waited says that one did.
func (w *Wallet) Enter(ctx context.Context, host string) (leave func(), waited bool, err error) {
	begun := w.now()
	for pause := turnFirst; ; pause = min(2*pause, turnEvery) {
		entered, err := w.tryEnter(host, begun)
		if err != nil {
			return nil, waited, fmt.Errorf("%w: %w", ErrWallet, err)
		}
		if entered {
			return func() { w.leave(host) }, waited, nil
		}
		waited = true
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, waited, ctx.Err()
		case <-timer.C:
		}
	}
}

// tryEnter is Enter without waiting, for a request that has tried since begun.
func (w *Wallet) tryEnter(host string, begun time.Time) (entered bool, err error) {
	name, now := turnFile(host), w.now()
	w.turns.mu.Lock()
	defer w.turns.mu.Unlock()
	if mine := w.turns.taken[name]; mine != nil {
		if now.Sub(mine.since) >= turnShare && now.Sub(begun) < turnShare {
			if wanted, err := mine.wanted(); wanted || err != nil {
				return false, err
			}
		}
		mine.users++
		return true, nil
	}
	if now.Before(w.turns.rests[name]) {
		return false, nil
	}
	mine, err := takeTurn(filepath.Join(w.dir, name), now)
	if mine == nil || err != nil {
		return false, err
	}
	if w.turns.taken == nil {
		w.turns.taken, w.turns.rests = map[string]*turn{}, map[string]time.Time{}
	}
	w.turns.taken[name] = mine
	delete(w.turns.rests, name)
	return true, nil
}

// takeTurn locks the file, unless another program has it: that is then told that somebody waits, and there is no turn.
func takeTurn(path string, now time.Time) (mine *turn, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if mine == nil {
			err = errors.Join(err, f.Close())
		}
	}()
	locked, err := tryLockFile(f)
	if err != nil {
		return nil, err
	}
	if !locked {
		_ = os.Chtimes(path, now, now) // a hint: without it we wait longer
		return nil, nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &turn{file: f, users: 1, since: now, set: info.ModTime()}, nil
}

// hasTurn says whether this program has the turn at host.
func (w *Wallet) hasTurn(host string) bool {
	w.turns.mu.Lock()
	defer w.turns.mu.Unlock()
	return w.turns.taken[turnFile(host)] != nil
}

// turnFile returns the name of the file that a host has its turns by.
func turnFile(host string) string {
	digest := sha256.Sum256([]byte(host))
	return "turn-" + hex.EncodeToString(digest[:2])[:3]
}

func (w *Wallet) leave(host string) {
	name := turnFile(host)
	w.turns.mu.Lock()
	mine := w.turns.taken[name]
	mine.users--
	var err error
	if mine.users == 0 {
		var wanted bool
		if wanted, err = mine.wanted(); wanted {
			w.turns.rests[name] = w.now().Add(turnRest)
		}
		delete(w.turns.taken, name)
		err = errors.Join(err, mine.file.Close()) // which ends the lock
	}
	w.turns.mu.Unlock()
	if err != nil {
		w.note(func() error { return fmt.Errorf("%w: %w", ErrWallet, err) })
	}
}
