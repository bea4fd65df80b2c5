//go:build unix

package store

// This file is locking and directory modes where there is flock(2).

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

const modesMatter = true

// tryLock takes the lock on f; held says that somebody else has it.
func tryLock(f *os.File) (held bool, err error) {
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return true, nil
		default:
			return false, err
		}
	}
}
