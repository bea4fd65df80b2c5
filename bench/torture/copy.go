//go:build linux

package main

// This file copies directories without the holes that Badger's files mostly are.

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// copyDirectory copies from to the new directory to.
func copyDirectory(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Mkdir(target, 0o700)
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(copyData(in, out), out.Close())
}

func copyData(in, out *os.File) error {
	info, err := in.Stat()
	if err == nil {
		err = out.Truncate(info.Size())
	}
	for at := int64(0); err == nil && at < info.Size(); {
		var start, end int64
		if start, err = in.Seek(at, unix.SEEK_DATA); errors.Is(err, unix.ENXIO) {
			return nil // only a hole is left
		}
		if err == nil {
			end, err = in.Seek(start, unix.SEEK_HOLE)
		}
		if err == nil {
			_, err = io.Copy(io.NewOffsetWriter(out, start), io.NewSectionReader(in, start, end-start))
		}
		at = end
	}
	return err
}

// memory returns a new directory in memory where there is room for copies, else below dir.
func memory(dir string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &fs); err == nil && fs.Bavail*uint64(fs.Bsize) > 1<<30 {
		return os.MkdirTemp("/dev/shm", "paydoor-torture-")
	}
	return os.MkdirTemp(dir, "copies-")
}
