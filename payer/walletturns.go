package payer

// This file lets the programs of a wallet pay one host in turns, so that none spends what another has paid for its own request. Hosts share 4096
// files, so that there are never more; two that meet in one take turns as if they were one.

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

// turns are those that this process has, by file. The requests of one process share a turn: they keep account of each other.
type turns struct {
	mu    sync.Mutex
	taken map[string]*turn
}

// turn is a locked file, and how many requests use it.
type turn struct {
	file  *os.File
	users int
}

// Enter waits until no other program pays host; leave lets the next. waited says that one did.
func (w *Wallet) Enter(ctx context.Context, host string) (leave func(), waited bool, err error) {
	for pause := turnFirst; ; pause = min(2*pause, turnEvery) {
		entered, err := w.tryEnter(host)
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

func (w *Wallet) tryEnter(host string) (entered bool, err error) {
	name := turnFile(host)
	w.turns.mu.Lock()
	defer w.turns.mu.Unlock()
	if mine := w.turns.taken[name]; mine != nil {
		mine.users++
		return true, nil
	}
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	locked, err := tryLockFile(f)
	if err != nil || !locked {
		return false, errors.Join(err, f.Close())
	}
	if w.turns.taken == nil {
		w.turns.taken = map[string]*turn{}
	}
	w.turns.taken[name] = &turn{file: f, users: 1}
	return true, nil
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
		delete(w.turns.taken, name)
		err = mine.file.Close() // which ends the lock
	}
	w.turns.mu.Unlock()
	if err != nil {
		w.note(func() error { return fmt.Errorf("%w: %w", ErrWallet, err) })
	}
}
