package store

// This file is what the store asks of Linux: syncing a file's data, and the space that is left.

import (
	"os"

	"golang.org/x/sys/unix"
)

// datasync makes the data of f durable, without the metadata that a file of fixed size does not need.
func datasync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}

// freeSpace returns how many bytes this user can still write to the file system of dir.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
