package store

// This file prepares a store directory before Badger touches it: modes, the lock, and what is checked and synced first.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrLocked says that another process, or another Store of this one, has the directory open.
	ErrLocked = errors.New("another process uses this directory")
	// ErrPermissions says that others than the owner can get into the directory.
	ErrPermissions = errors.New("others than the owner have access")
)

// prepareDirectory makes dir with mode 0700, or refuses one that the group or others can enter or read.
func prepareDirectory(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return makeDirectory(dir, syncPath)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if mode := info.Mode().Perm(); modesMatter && mode&0o077 != 0 {
		return fmt.Errorf("%w: %s has mode %04o; run: chmod 700 %s", ErrPermissions, dir, mode, dir)
	}
	return nil
}

// makeDirectory makes dir, and those above it that are missing, and syncs the directory that each was made in: else a power cut could
// take the whole store away again.
func makeDirectory(dir string, sync func(path string) error) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
		if err := makeDirectory(parent, sync); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = os.Chmod(dir, 0o700) // an odd umask may have taken bits from the owner
	}
	if err != nil && !errors.Is(err, fs.ErrExist) { // somebody who starts beside us may have been faster
		return err
	}
	return sync(parent)
}

// Await waits, for up to Options.LockWait, until nobody has the store in dir open, and opens nothing: a server does so before it listens. It
// is ErrLocked as of Open.
func Await(ctx context.Context, dir string, o Options) error {
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		return nil // nobody has it open, or Open says what is wrong
	}
	lock, err := lockDirectory(ctx, dir, o.withDefaults().LockWait)
	if err != nil {
		return err
	}
	return lock.Close()
}

// lockDirectory takes the lock, trying for up to wait: the process or configuration that had the directory may just be closing it.
func lockDirectory(ctx context.Context, dir string, wait time.Duration) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		held, err := tryLock(f)
		if err == nil && !held {
			sign(f)
			return f, nil
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), f.Close())
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-deadline.C:
			return nil, errors.Join(fmt.Errorf("%w: %s%s", ErrLocked, dir, holder(f)), f.Close())
		}
	}
}

// sign writes the number of this process into the lock, for the message that another one gets. On a full disk it goes without.
func sign(f *os.File) {
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
}

// holder names the process that has signed the lock, if one has.
func holder(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0)
	pid, err := strconv.Atoi(strings.TrimSuffix(string(b[:n]), "\n"))
	if err != nil || pid <= 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// syncDirectory makes durable what a process that was killed has left in the page cache. Without it a group could be seen and acted
// upon after a restart, and then be lost by a power cut.
func syncDirectory(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !(d.IsDir() || d.Type().IsRegular()) {
			return err
		}
		return syncPath(path)
	})
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
