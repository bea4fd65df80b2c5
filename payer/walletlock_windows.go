package payer

// This file is how programs take turns at a wallet on Windows.

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile waits for the turn.
func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &windows.Overlapped{})
}

func unlockFile(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{})
}

// syncDir does nothing: NTFS keeps the order of renames itself.
func syncDir(string) error { return nil }
