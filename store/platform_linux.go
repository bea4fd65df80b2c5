package store

// This file is what the store asks of Linux: syncing a file's data, blocks for a file, and the space that is left.

import (
	"errors"
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
	return freeBytes(s), nil
}

// freeBytes counts blocks in fragments, as df does. Bsize is how much is best read at a time: 1 MiB where a container's directory is a Mac's, in
// blocks of 4 KiB, of which 256 times as many would seem free.
func freeBytes(s unix.Statfs_t) uint64 {
	block := uint64(s.Frsize)
	if block == 0 {
		block = uint64(s.Bsize)
	}
	return s.Bavail * block
}

// allocate gives the first size bytes of f blocks of their own, without changing what is in them; errors.ErrUnsupported where the file
// system has no way to.
func allocate(f *os.File, size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
		switch err {
		case unix.EINTR:
		case unix.EOPNOTSUPP, unix.ENOSYS:
			return errors.ErrUnsupported
		default:
			return err
		}
	}
}
